"""The changes that may put a warning right, each with the words that say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of
from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.repairs.missing_statement import use_by_role, with_statement
from openai_ekm.diagnosis.repairs.repair import as_list, shown
from openai_ekm.diagnosis.result import Change
from openai_ekm.evaluation.services.kms import KEYLESS_ACTIONS
from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.policy import MalformedPolicy
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.policy.statement import parse_actions
from openai_ekm.proof.actions import DELETING, USING, known
from openai_ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openai_ekm.diagnosis.result import Step, Warned
    from openai_ekm.snapshot import Snapshot

__all__ = ["TAKEN", "Changes", "candidates", "join_actions"]

Changes = tuple[Change, ...]
_EXTERNAL_ID: Final = "sts:ExternalId"
_TWO: Final = ["kms:Decrypt", "kms:Encrypt"]
_CHANGING: Final = ("kms:PutKeyPolicy",)
# Kind of warning about the key policy -> the actions that others are not to have.
TAKEN: Final = {
    "key_policy_too_broad": USING,
    "key_deletable": DELETING,
    "key_policy_changeable": _CHANGING,
}
_LEADING: Final = ("kms:CreateGrant", "kms:ReplicateKey")  # to the use, and no use themselves
_MANY_USES: Final = 4


def candidates(snapshot: Snapshot, warned: Warned) -> Iterator[tuple[Changes, str | None]]:
    """Yield the changes that may put a warning right, in the order in which they are tried.

    Args:
        snapshot: What was collected.
        warned: About the snapshot.

    Returns:
        Each change, with the remedy that says it; None where the warning's own does.
    """
    if warned.id == "alias_registered":
        key = snapshot.registered_key
        if key is not None:
            yield (Change("replace", ("registration", "kms_arn"), key.arn),), None
    elif warned.document.startswith("grants["):
        index = int(warned.document.removeprefix("grants[").removesuffix("]"))
        yield (Change("remove", ("grants", index)),), None
    elif warned.statement is not None and warned.id != "key_policy_locked":
        place = _DocumentPlace(snapshot, warned.document, warned.statement)
        if warned.document == "trust_policy":
            yield from _of_trust(place, warned.id)
        elif warned.document.startswith("permission_policies["):
            yield from _of_role(place)
        elif warned.document.startswith("keys["):
            yield from _of_key(place, warned)
    elif warned.id == "key_policy_locked" and warned.document.startswith("keys["):
        yield from _unlock(snapshot, warned.document)


class _DocumentPlace:
    """A statement in a snapshot's JSON."""

    def __init__(self, snapshot: Snapshot, document: str, statement: int) -> None:
        self.snapshot = snapshot
        self.document: tuple[Step, ...] = patch.document_pointer(document)
        self.whole: Any = patch.at(patch.opened(snapshot), self.document)
        there = self.whole["Statement"]
        self.listed = isinstance(there, list)
        self.count = len(there) if self.listed else 1
        self.raw: dict[str, Any] = there[statement] if self.listed else there
        self.pointer: tuple[Step, ...] = (*self.document, "Statement")
        self.pointer += (statement,) if self.listed else ()

    def put(self, value: dict[str, Any]) -> Change:
        """Return the change that puts another statement there."""
        return Change("replace", self.pointer, value)

    def without(self, *elements: str) -> dict[str, Any]:
        """Return the statement without some elements."""
        return {name: value for name, value in self.raw.items() if name not in elements}

    def removed(self) -> Iterator[Change]:
        """Yield the change that takes the statement away, unless it is the only one."""
        if self.listed and self.count > 1:
            yield Change("remove", self.pointer)

    def added(self, statement: dict[str, Any]) -> Change:
        """Return the change that adds a statement under a Sid of its own."""
        return with_statement(self.document, self.whole, statement)


def _of_trust(place: _DocumentPlace, id: str) -> Iterator[tuple[Changes, str | None]]:
    """Yield the statement with OpenAI's role, its one action, or the registered external ids."""
    registration = place.snapshot.registration
    if id.startswith("external_id_"):
        block = {
            operator: kept
            for operator, keys in (place.raw.get("Condition") or {}).items()
            if (kept := {k: v for k, v in keys.items() if lower_ascii(k) != "sts:externalid"})
        }
        registered = list(registration.external_ids or (registration.external_id,))
        equals = {**block.get("StringEquals", {}), _EXTERNAL_ID: registered}
        condition = {**block, "StringEquals": equals}
        yield (place.put({**place.raw, "Condition": condition}),), None
    elif id.startswith("principal_"):
        kept = place.without("Principal", "NotPrincipal")
        yield (place.put({**kept, "Principal": {"AWS": OPENAI_ROLE_ARN}}),), None
    elif id == "trust_action_too_broad":
        kept = place.without("Action", "NotAction")
        yield (place.put({**kept, "Action": "sts:AssumeRole"}),), None


def _of_role(place: _DocumentPlace) -> Iterator[tuple[Changes, str | None]]:
    """Yield the statement for the two actions on the key alone, or without it."""
    key = place.snapshot.registered_key
    if key is None:
        return
    kept = place.without("Action", "NotAction", "Resource", "NotResource")
    for change in place.removed():
        yield (change,), "Remove the statement: the role needs nothing of it."
    yield (place.put({**kept, "Action": _TWO, "Resource": key.arn}),), None


def _of_key(place: _DocumentPlace, warned: Warned) -> Iterator[tuple[Changes, str | None]]:
    """Yield the statement without what others are not to have, and the role's own beside it."""
    role, key = place.snapshot.role, place.snapshot.registered_key
    if not isinstance(role, Role) or key is None:
        return
    if warned.id == "principal_brittle":
        yield from _of_brittle(place, warned, role.arn)
        return
    if warned.id == "permissions_too_broad":
        yield from _without_more_for_role(place, role.arn)
        return
    taken = TAKEN.get(warned.id)
    rest = None if taken is None else _actions_but(place.raw, taken)
    if taken is None or rest is None:
        return
    own = use_by_role(role.arn)
    words = f"Take {_lost_actions(_covered_actions(place.raw, taken))} out of the statement"
    if not rest:
        words = "Remove the statement, which gives nothing else"
        steps = [(change,) for change in place.removed()]
    else:
        steps = [(place.put(_about(place.raw, rest)),)]
    also = f"; let the role in by the statement {own['Sid']}, as the fix has it"
    for step in steps:
        yield step, f"{words}."
        if taken is USING:
            # The role's own statement first: a removal moves none that is added at the end.
            yield (place.added(own), *step), f"{words}{also}."
    if taken is USING and not steps:
        # The only statement, and all that it gives is the use of the key: it becomes the role's.
        yield (place.put(own),), f"Write the statement {own['Sid']} in its place."


def _without_more_for_role(
    place: _DocumentPlace, role_arn: str
) -> Iterator[tuple[Changes, str | None]]:
    """Yield the statement with no more than the two actions, or with the role excepted from it.

    A statement that names others as well stays theirs.
    """
    principal = place.raw.get("Principal")
    if isinstance(principal, dict) and as_list(principal.get("AWS", ())) == [role_arn]:
        two = [each for each in _TWO if each in _covered_actions(place.raw, _TWO)]
        if two:
            yield (place.put(_about(place.raw, two)),), None
        for change in place.removed():
            yield (change,), "Remove the statement: the role needs nothing of it."
        return
    block = {name: dict(keys) for name, keys in (place.raw.get("Condition") or {}).items()}
    excepted = block.setdefault("ArnNotEquals", {})
    if any(lower_ascii(key) == "aws:principalarn" for key in excepted):
        return
    excepted["aws:PrincipalArn"] = role_arn
    step, own = place.put({**place.raw, "Condition": block}), use_by_role(role_arn)
    words = f"Except the role from the statement by ArnNotEquals aws:PrincipalArn {role_arn}"
    yield (step,), f"{words}."
    yield (place.added(own), step), f"{words}; let it in by the statement {own['Sid']}."


def _of_brittle(
    place: _DocumentPlace, warned: Warned, role_arn: str
) -> Iterator[tuple[Changes, str | None]]:
    """Yield the role in the place of a session or unique id, or the statement without it."""
    principal = place.raw.get("Principal")
    if not isinstance(principal, dict) or "AWS" not in principal:
        return
    others = [each for each in as_list(principal["AWS"]) if each != warned.found]
    if others or len(principal) > 1:
        left = {**principal, "AWS": others} if others else {
            kind: texts for kind, texts in principal.items() if kind != "AWS"
        }  # fmt: skip
        step = place.put({**place.raw, "Principal": left})
        yield (step,), f"Take {warned.found} out of the principals."
        own = use_by_role(role_arn)
        words = f"Take {warned.found} out of the principals; add the statement {own['Sid']}."
        yield (place.added(own), step), words
        return
    own = use_by_role(role_arn)
    yield from (
        ((change,), "Remove the statement: it names nobody else.") for change in place.removed()
    )
    yield (place.put(own),), f"Write the statement {own['Sid']} in its place, as the fix has it."


def _unlock(snapshot: Snapshot, document: str) -> Iterator[tuple[Changes, str | None]]:
    """Yield a statement by which the account's root user keeps the key's policy."""
    key = snapshot.registered_key
    if key is None or key.policy is UNSEEN or key.policy is None:
        return
    statement = {
        "Sid": "AllowAdministration",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_of(key.arn)}:root"},
        "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    place = _DocumentPlace(snapshot, document, 0)
    words = (
        "Before this policy takes effect, add the statement AllowAdministration, as the fix has "
        "it: it lets the account's administrators change the policy."
    )
    yield (place.added(statement),), words


def _about(raw: dict[str, Any], actions: list[str]) -> dict[str, Any]:
    """Return a statement about other actions, its elements in their order."""
    named = {"Action", "NotAction"}
    return dict(("Action", actions) if k in named else (k, v) for k, v in raw.items())


def _covered_actions(raw: dict[str, Any], actions: Iterable[str]) -> list[str]:
    """Return those of some actions that a statement is about."""
    negated = "NotAction" in raw
    covered = parse_actions(tuple(as_list(raw["NotAction" if negated else "Action"])))
    return [each for each in actions if covered.cover(lower_ascii(each)) is not negated]


def _of_keys(raw: dict[str, Any]) -> list[str]:
    """Return the actions that a statement is about and that a key policy has a say in."""
    names = [each for each in known()["kms"] if lower_ascii(each) not in KEYLESS_ACTIONS]
    return _covered_actions(raw, names)


def _actions_but(raw: dict[str, Any], taken: Iterable[str]) -> list[str] | None:
    """Return a statement's actions without some; texts that cover none of those stay."""
    taken = tuple(taken)
    lower = {lower_ascii(each) for each in taken}
    try:
        if not _covered_actions(raw, taken):
            return None
        if "NotAction" in raw:
            return [each for each in _of_keys(raw) if lower_ascii(each) not in lower]
        rest: dict[str, None] = {}
        for text in as_list(raw["Action"]):
            one = {"Action": [text]}
            if not _covered_actions(one, taken):
                rest[text] = None
                continue
            rest |= dict.fromkeys(each for each in _of_keys(one) if lower_ascii(each) not in lower)
    except MalformedPolicy:
        return None
    return list(rest)


def _lost_actions(actions: list[str]) -> str:
    """Return the actions that a statement loses; some stand for all of many uses of the key."""
    uses = [each for each in actions if each in USING and each not in _LEADING]
    if len(uses) < _MANY_USES:
        return join_actions(actions)
    use = f"the use of the key ({', '.join(uses[:2])} and {len(uses) - 2} other actions)"
    return join_actions([use, *(each for each in actions if each not in uses)])


def join_actions(actions: Iterable[str]) -> str:
    """Return actions as a sentence has them."""
    names = list(actions)
    return shown(names) if len(names) < 2 else f"{shown(names[:-1])} and {names[-1]}"  # noqa: PLR2004
