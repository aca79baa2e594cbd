"""The type of a repair, and of the fault that it repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.diagnosis.result import Change, Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai_ekm.diagnosis.result import Step
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.policy import DocumentKind
    from openai_ekm.policy.conditions import Condition
    from openai_ekm.policy.statement import Statement
    from openai_ekm.snapshot import Snapshot

__all__ = ["Repair", "Site", "as_list", "condition_text", "nearest", "set_values", "shown"]


@dataclass(frozen=True, slots=True)
class Site:
    """A statement that might allow, or does deny, and the call it is compared with.

    Args:
        document: Snapshot path.
        pointer: Where the statement stands in the snapshot's JSON.
        raw: The statement as JSON.
        whole: Its document as JSON.
        kind: What the document is read as.
        statement: The statement, read.
        situation: The call.
        layer: `resource`, `identity`, `permissions_boundary`, `scps` or `rcps`.
        snapshot: What was collected.
    """

    document: str
    pointer: tuple[Step, ...]
    raw: Mapping[str, Any]
    whole: Mapping[str, Any]
    kind: DocumentKind
    statement: Statement
    situation: Situation
    layer: str
    snapshot: Snapshot

    @property
    def assumes(self) -> bool:
        """Return whether the call is AssumeRole; otherwise it is a use of the key."""
        return self.situation.service == "sts"

    @property
    def caller_arn(self) -> str:
        """Return the role behind the caller."""
        return self.situation.role_arn

    @property
    def resource(self) -> str:
        """Return the role or key that the call is about."""
        return self.situation.request.resource

    def change(self, op: str, *steps: Step, value: Any = None) -> Change:
        """Return a change inside the statement."""
        return Change(op, (*self.pointer, *steps), value)

    def without(self, condition: Condition) -> Change:
        """Return the change that removes a condition, with what it leaves empty."""
        block = self.raw["Condition"]
        operator = condition.operator.text
        if len(block[operator]) > 1:
            return self.change("remove", "Condition", operator, condition.key)
        if len(block) > 1:
            return self.change("remove", "Condition", operator)
        return self.change("remove", "Condition")

    def renamed(self, condition: Condition, operator: str, key: str, value: Any) -> Change:
        """Return the change that puts a condition under another operator or key."""
        block = {name: dict(keys) for name, keys in self.raw["Condition"].items()}
        block[condition.operator.text].pop(condition.key)
        if not block[condition.operator.text]:
            del block[condition.operator.text]
        block.setdefault(operator, {})[key] = value
        return self.change("replace", "Condition", value=block)


@dataclass(frozen=True, slots=True)
class Repair:
    """A candidate.

    Args:
        id: The kind of fault.
        element: Of the statement.
        found: What is there.
        needed: What has to be there.
        message: One sentence.
        remedy: One sentence.
        changes: The patch.
        cost: The less, the smaller the change; one element put right is about 1.
        document: Snapshot path of what is changed, where that is no statement.
    """

    id: str
    element: str | None
    found: str | None
    needed: str | None
    message: str
    remedy: str
    changes: tuple[Change, ...]
    cost: float = 1.0
    document: str | None = None

    def fault(self, document: str, statement: int | None, sid: str | None) -> Fault:
        """Return the fault that this repair cures."""
        elsewhere = self.document is not None
        return Fault(
            id=self.id,
            document=self.document or document,
            statement=None if elsewhere else statement,
            sid=None if elsewhere else sid,
            element=self.element,
            found=self.found,
            needed=self.needed,
            message=self.message,
            remedy=self.remedy,
            fix=self.changes,
        )


def condition_text(condition: Condition) -> str:
    """Return a condition as a fault shows it."""
    return f"{condition.operator.text} {condition.key}: {shown(list(condition.values))}"


def as_list(value: Any) -> list[Any]:
    """Return a scalar or a list as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def shown(value: Any, most: int = 300) -> str:
    """Return a value as text in which white space shows; long ones are cut."""
    texts = [repr(each)[1:-1] if isinstance(each, str) else str(each) for each in as_list(value)]
    text = ", ".join(texts) or "nothing"
    return text if len(text) <= most else f"{text[:most]}…"


def nearest(wanted: str, found: Sequence[str]) -> int:
    """Return the index of the text that shares most characters at both ends with another."""

    def closeness(text: str) -> float:
        a, b = text.strip().lower(), wanted.strip().lower()
        head = 0
        while head < min(len(a), len(b)) and a[head] == b[head]:
            head += 1
        tail = 0
        while tail < min(len(a), len(b)) - head and a[-1 - tail] == b[-1 - tail]:
            tail += 1
        return (head + tail) / max(len(a), len(b), 1)

    return max(range(len(found)), key=lambda index: closeness(found[index]))


def set_values(
    site: Site, steps: tuple[Step, ...], raw: Any, index: int | None, value: str
) -> Change:
    """Return the change that replaces one value of a scalar or list, or adds one.

    Args:
        site: The statement.
        steps: Where in it the values stand.
        raw: The values as JSON.
        index: Which is replaced; None adds.
        value: The new one.
    """
    if isinstance(raw, list):
        if index is None:
            return site.change("add", *steps, "-", value=value)
        return site.change("replace", *steps, index, value=value)
    if index is None:
        return site.change("replace", *steps, value=[raw, value])
    return site.change("replace", *steps, value=value)
