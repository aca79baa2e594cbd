"""The condition keys of some documents: the classes of values that each condition accepts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from openai_ekm.evaluation.conditions import holds
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import Context
from openai_ekm.policy import Condition, Family
from openai_ekm.value_classes.condition_keys import OF_PRINCIPAL
from openai_ekm.value_classes.domains import TEXT, Domain, KeyUse, make_domain, undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from openai_ekm.proof.request_classes import RequestClass
    from openai_ekm.value_classes.domains import Value
    from openai_ekm.value_classes.string_classes import TextPattern

__all__ = ["TIMES", "ConditionDomains", "Masks"]

# Keys of a principal that have few values, each of which is a class of principals.
NAMED_VALUES = frozenset({"aws:principaltype", "aws:principalisawsservice"})
TIMES = ("aws:currenttime", "aws:epochtime", "aws:tokenissuetime")

# The classes in which a condition may hold, and those in which it surely does.
Masks = tuple[int, int]


class ConditionDomains:
    """All condition keys that follow from nothing else, with their classes.

    Args:
        conditions: Of every document.
        literals: Texts that matter besides, by lower-case key.
        names: How keys are spelt, by lower-case name.
        now: An instant (ISO 8601) that parts times that were from times that may still be.
        text_patterns: What tells values apart besides, by lower-case key.
    """

    def __init__(
        self,
        conditions: Iterable[Condition],
        literals: Mapping[str, Sequence[str]],
        names: Mapping[str, str],
        now: str,
        text_patterns: Mapping[str, Sequence[TextPattern]] | None = None,
    ) -> None:
        self.names: dict[str, str] = dict(names)
        self._uses: dict[str, KeyUse] = {}
        self._domains: dict[str, Domain] = {}
        self._masks: dict[int, Masks] = {}
        self._open: set[int] = set()
        self._now = now
        for condition in conditions:
            self.names.setdefault(condition.lookup, condition.key)
            self._use(condition.lookup, condition.key).conditions.append(condition)
        for lookup, texts in literals.items():
            self._use(lookup, self.names.get(lookup, lookup)).literals += texts
        for lookup, found in (text_patterns or {}).items():
            use = self._use(lookup, self.names.get(lookup, lookup))
            use.text_patterns = (*use.text_patterns, *found)
        for lookup, use in self._uses.items():
            self._open |= self._undecided_conditions(lookup, use.conditions)

    def _use(self, lookup: str, key: str) -> KeyUse:
        since = self._now if lookup in TIMES else None
        name = self.names.get(lookup, key)
        return self._uses.setdefault(lookup, KeyUse(name, [], [], [], since))

    @staticmethod
    def _undecided_conditions(lookup: str, conditions: Sequence[Condition]) -> set[int]:
        if lookup not in OF_PRINCIPAL:
            return set(undecided(conditions))
        if lookup in NAMED_VALUES:
            return set()
        return {
            id(each)
            for each in conditions
            if each.templates or each.operator.family not in (*TEXT, Family.NULL)
        }

    def fill(self, classes: Iterable[RequestClass]) -> None:
        """Let the variables of conditions that follow from a request class tell values apart."""
        templated = [
            (use, condition)
            for use in self._uses.values()
            for condition in use.conditions
            if condition.templates
        ]
        if not templated:
            return
        changed: set[str] = set()
        for request_class in classes:
            for use, condition in templated:
                for template in condition.templates:
                    if template is None or not _follows(template.keys, request_class):
                        continue
                    runs = template.fill(partial(_single, request_class))
                    if runs is not None and (condition, runs) not in use.fills:
                        use.fills.append((condition, runs))
                        changed.add(condition.lookup)
        # Classes that another claim made before do not tell the new values apart.
        for lookup in changed:
            self._domains.pop(lookup, None)
            for condition in self._uses[lookup].conditions:
                self._masks.pop(id(condition), None)

    def domain(self, lookup: str) -> Domain:
        """Return the classes of a key."""
        found = self._domains.get(lookup)
        if found is None:
            use = self._uses.get(lookup) or KeyUse(lookup, [], [], [])
            found = self._domains[lookup] = make_domain(use)
        return found

    def has(self, lookup: str) -> bool:
        """Return whether documents ask for a key."""
        return lookup in self._uses

    @property
    def lookups(self) -> tuple[str, ...]:
        """Return the keys that documents ask for, in lower case."""
        return tuple(self._uses)

    def still_to_come(self, lookup: str) -> int:
        """Return the classes of a key of time that are not past."""
        domain, use = self.domain(lookup), self._uses[lookup]
        return sum(
            1 << index
            for index, value in enumerate(domain.values)
            if value is not None and not use.past(value)
        )

    def masks(
        self, condition: Condition, request_class: RequestClass
    ) -> tuple[str | None, Masks, OpenPoint | None]:
        """Return what a condition says in a request class.

        Returns:
            The key in lower case, the classes in which the condition may and does hold, and an
            open point met on the way. No key: the request class says the value, and the masks are
            -1 (it holds) or 0.
        """
        known, value = request_class.known(condition.lookup)
        if known:
            verdict = self._verdict(condition, request_class, value)
            point = verdict if isinstance(verdict, OpenPoint) else None
            return None, (0 if verdict is False else -1, -1 if verdict is True else 0), point
        kept = not condition.templates and not request_class.situation.context.foreign
        if kept and id(condition) in self._masks:
            return condition.lookup, self._masks[id(condition)], None
        may = must = 0
        point = None
        for index, each in enumerate(self.domain(condition.lookup).values):
            verdict = self._verdict(condition, request_class, each)
            may |= (verdict is not False) << index
            must |= (verdict is True) << index
            if isinstance(verdict, OpenPoint):
                point = verdict
        if kept and point is None:
            self._masks[id(condition)] = (may, must)
        return condition.lookup, (may, must), point

    def _verdict(
        self, condition: Condition, request_class: RequestClass, value: Value
    ) -> bool | OpenPoint:
        if value is not None:
            if id(condition) in self._open:
                return OpenPoint(
                    f"{condition.operator.text} on {condition.key} stands beside comparisons of "
                    "another kind, or compares with variables that follow from the same principal"
                )
            if not _follows(condition.variables, request_class):
                return OpenPoint(
                    f"{condition.operator.text} on {condition.key} compares with "
                    f"{', '.join(condition.values)}, and the request says both"
                )
        context = request_class.situation.context
        given = dict(context.given)
        if value is not None:
            given[condition.lookup] = value
        return holds(condition, Context(given, context.derived, context.foreign))


def _follows(keys: Iterable[str], request_class: RequestClass) -> bool:
    return all(request_class.known(key)[0] for key in keys)


def _single(request_class: RequestClass, key: str) -> str | None:
    value = request_class.known(key)[1]
    return value if isinstance(value, str) else None
