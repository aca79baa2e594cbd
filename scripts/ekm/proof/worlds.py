"""The condition keys of some documents: their classes, and what each condition says to them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ekm.evaluation.conditions import date, holds
from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.request import Context
from ekm.policy import Condition, Family
from ekm.proof.keys import OF_PRINCIPAL
from ekm.proof.values import TEXT, Domain, KeyUse, make_domain, undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ekm.proof.scene import Scene
    from ekm.proof.shapes import Shape
    from ekm.proof.values import Value

__all__ = ["Masks", "World"]

# Keys of a principal that have few values, each of which is a class of principals.
NAMED_VALUES = frozenset({"aws:principaltype", "aws:principalisawsservice"})
TIMES = frozenset({"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"})

# The classes in which a condition may hold, and those in which it surely does.
Masks = tuple[int, int]


class World:
    """All condition keys that follow from nothing else, with their classes.

    Args:
        conditions: Of every document.
        literals: Texts that matter besides, by lower-case key.
        names: How keys are spelt, by lower-case name.
        now: An instant (ISO 8601) that parts times that were from times that may still be.
        shapes: What tells values apart besides, by lower-case key.
    """

    def __init__(
        self,
        conditions: Iterable[Condition],
        literals: Mapping[str, Sequence[str]],
        names: Mapping[str, str],
        now: str,
        shapes: Mapping[str, Sequence[Shape]] | None = None,
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
        for lookup, found in (shapes or {}).items():
            use = self._use(lookup, self.names.get(lookup, lookup))
            use.shapes = (*use.shapes, *found)
        for lookup, use in self._uses.items():
            self._open |= self._undecided(lookup, use.conditions)

    def _use(self, lookup: str, key: str) -> KeyUse:
        since = self._now if lookup in TIMES else None
        name = self.names.get(lookup, key)
        return self._uses.setdefault(lookup, KeyUse(name, [], [], [], since))

    @staticmethod
    def _undecided(lookup: str, conditions: Sequence[Condition]) -> set[int]:
        if lookup not in OF_PRINCIPAL:
            return set(undecided(conditions))
        if lookup in NAMED_VALUES:
            return set()
        return {
            id(each)
            for each in conditions
            if each.templates or each.operator.family not in (*TEXT, Family.NULL)
        }

    def fill(self, scenes: Iterable[Scene]) -> None:
        """Let the variables of conditions that follow from a scene tell values apart."""
        templated = [
            (use, condition)
            for use in self._uses.values()
            for condition in use.conditions
            if condition.templates
        ]
        if not templated:
            return
        changed: set[str] = set()
        for scene in scenes:
            for use, condition in templated:
                for template in condition.templates:
                    if template is None or not _follows(template.keys, scene):
                        continue
                    runs = template.fill(partial(_single, scene))
                    if runs is not None and (condition, runs) not in use.fills:
                        use.fills.append((condition, runs))
                        changed.add(condition.lookup)
        # Classes that another claim made before do not tell the new values apart.
        for lookup in changed:
            self._domains.pop(lookup, None)
            for condition in self._uses[lookup].conditions:
                self._masks.pop(id(condition), None)

    def domain(self, lookup: str) -> Domain:
        """The classes of a key."""
        found = self._domains.get(lookup)
        if found is None:
            use = self._uses.get(lookup) or KeyUse(lookup, [], [], [])
            found = self._domains[lookup] = make_domain(use)
        return found

    def has(self, lookup: str) -> bool:
        """Whether documents ask for a key."""
        return lookup in self._uses

    @property
    def lookups(self) -> tuple[str, ...]:
        """The keys that documents ask for, in lower case."""
        return tuple(self._uses)

    def literals(self, lookup: str) -> list[str]:
        """What documents compare a key with."""
        return [value for each in self._uses[lookup].conditions for value in each.values]

    def is_past(self, instant: str) -> bool:
        """Whether an instant is before now."""
        return date.less_than(self._now, instant) is True

    def still_to_come(self, lookup: str) -> int:
        """The classes of a key of time that are not past."""
        domain, use = self.domain(lookup), self._uses[lookup]
        return sum(
            1 << index
            for index, value in enumerate(domain.values)
            if value is not None and not use.past(value)
        )

    def masks(
        self, condition: Condition, scene: Scene
    ) -> tuple[str | None, Masks, OpenPoint | None]:
        """What a condition says in a scene.

        Returns:
            The key in lower case, the classes in which the condition may and does hold, and an
            open point met on the way. No key: the scene says the value, and the masks are -1
            (it holds) or 0.
        """
        known, value = scene.known(condition.lookup)
        if known:
            verdict = self._verdict(condition, scene, value)
            point = verdict if isinstance(verdict, OpenPoint) else None
            return None, (0 if verdict is False else -1, -1 if verdict is True else 0), point
        if not condition.templates and id(condition) in self._masks:
            return condition.lookup, self._masks[id(condition)], None
        may = must = 0
        point = None
        for index, each in enumerate(self.domain(condition.lookup).values):
            verdict = self._verdict(condition, scene, each)
            may |= (verdict is not False) << index
            must |= (verdict is True) << index
            if isinstance(verdict, OpenPoint):
                point = verdict
        if not condition.templates and point is None:
            self._masks[id(condition)] = (may, must)
        return condition.lookup, (may, must), point

    def _verdict(self, condition: Condition, scene: Scene, value: Value) -> bool | OpenPoint:
        if value is not None:
            if id(condition) in self._open:
                return OpenPoint(
                    f"{condition.operator.text} on {condition.key} stands beside comparisons of "
                    "another kind, or compares with variables that follow from the same principal"
                )
            if condition.templates:
                keys = [key for each in condition.templates if each for key in each.keys]
                if not _follows(keys, scene):
                    return OpenPoint(
                        f"{condition.operator.text} on {condition.key} compares with "
                        f"{', '.join(condition.values)}, and the request says both"
                    )
        context = scene.situation.context
        given = dict(context.given)
        if value is not None:
            given[condition.lookup] = value
        return holds(condition, Context(given, context.derived))


def _follows(keys: Iterable[str], scene: Scene) -> bool:
    return all(scene.known(key)[0] for key in keys)


def _single(scene: Scene, key: str) -> str | None:
    value = scene.known(key)[1]
    return value if isinstance(value, str) else None
