"""The classes of values of a condition key, and what each condition says to each class.

Two values are in one class when no condition on the key tells them apart; a key that is missing
is a class of its own, and so are an empty list and an empty text. What a condition says to a class
is asked of the evaluator, never worked out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from ekm.evaluation.conditions import date, holds
from ekm.evaluation.request import Context
from ekm.policy import Condition, Family, Quantifier
from ekm.proof.keys import BOOLEAN, MULTIVALUED, may_be_multivalued
from ekm.proof.ordered import addresses, dates, numbers
from ekm.proof.shapes import ANY, Shape, arn_shape, literal, many, run_shape
from ekm.proof.texts import class_texts
from ekm.proof.undecidable import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ekm.proof.shapes import Run

__all__ = ["Domain", "KeyUse", "Value", "condition_shapes", "make_domain", "undecided"]

Value = str | tuple[str, ...] | None
Verdict = "bool | OpenPoint"

TEXT = frozenset({Family.STRING, Family.ARN})
WORDS = TEXT | {Family.BOOL}
ANYTHING = Shape(tuple(many(ANY)))
MOST_SETS = 4_096


@dataclass(slots=True)
class KeyUse:
    """How documents use a key, so far as it bears on its classes.

    Args:
        key: As it is spelt.
        conditions: On the key.
        literals: Texts that matter besides: registered ids, pairs of grants.
        fills: Values of conditions whose variables have been filled, with their condition.
        since: An instant that parts what was from what may still be; None for keys of no time.
        shapes: What tells values apart besides.
    """

    key: str
    conditions: list[Condition]
    literals: list[str]
    fills: list[tuple[Condition, tuple[Run, ...]]]
    since: str | None = None
    shapes: tuple[Shape, ...] = ()

    def past(self, value: Value) -> bool:
        """Whether a value is an instant before `since`."""
        if self.since is None or not isinstance(value, str):
            return False
        return date.less_than(self.since, value) is True


@dataclass(frozen=True, slots=True)
class Domain:
    """The classes of a key.

    Args:
        key: As it is spelt.
        values: One value a class; None when the key is missing.
    """

    key: str
    values: tuple[Value, ...]

    @property
    def all(self) -> int:
        """Every class, as a set of bits."""
        return (1 << len(self.values)) - 1

    def where(self, wanted: Iterable[Value]) -> int:
        """The classes whose value is among some values, as a set of bits."""
        values = set(wanted)
        return sum(1 << index for index, value in enumerate(self.values) if value in values)


def condition_shapes(condition: Condition) -> list[Shape]:
    """The shapes that a condition of a text family, variables apart, cuts out."""
    found: list[Shape] = []
    for index, value in enumerate(condition.values):
        if condition.templates and condition.templates[index] is not None:
            continue
        found += _filled(condition, ((value, True),))
    return found


def _filled(condition: Condition, runs: tuple[Run, ...]) -> list[Shape]:
    operator = condition.operator
    if operator.family is Family.ARN:
        shape = arn_shape(runs)
        return [] if shape is None else [shape]
    if operator.positive == "StringLike":
        return [run_shape(runs)]
    text = "".join(run for run, _ in runs)
    if operator.positive == "StringEqualsIgnoreCase":
        return [literal(text), literal(text, fold=True)]
    return [literal(text)]


def undecided(conditions: Sequence[Condition]) -> frozenset[int]:
    """The conditions on one key that are not decided, by `id`: their kind of value is another's.

    A key holds one kind of value. Where documents compare it as text and as a number, say, the
    classes of one do not tell the other apart, so that the other is left open.
    """
    kept = _family(conditions)
    return frozenset(
        id(each)
        for each in conditions
        if each.operator.family not in kept and each.operator.family is not Family.NULL
    )


def _family(conditions: Sequence[Condition]) -> frozenset[Family]:
    """The families that are decided together on one key."""
    found = {each.operator.family for each in conditions} - {Family.NULL}
    if Family.BOOL in found or any(each.lookup in BOOLEAN for each in conditions):
        return frozenset({*TEXT, Family.BOOL})
    if found <= TEXT:
        return TEXT
    if found <= {Family.DATE, Family.NUMERIC}:
        return frozenset({Family.DATE, Family.NUMERIC})
    for family in (Family.IP, Family.BINARY, Family.DATE, Family.NUMERIC):
        if family in found:
            return frozenset({family})
    return TEXT


def make_domain(use: KeyUse) -> Domain:
    """The classes of a key's values.

    Args:
        use: How documents use it.

    Raises:
        Undecidable: There are too many.
    """
    lookup = use.key.lower()
    singles = _singles(use)
    quantified = [each for each in use.conditions if each.operator.quantifier is not Quantifier.ONE]
    several = lookup in MULTIVALUED or (bool(quantified) and may_be_multivalued(lookup))
    values: list[Value] = [None, *singles]
    if several:
        values = [
            None,
            *(() if lookup in MULTIVALUED else singles),
            *_sets(singles, len(quantified)),
        ]
    return Domain(use.key, _merged(tuple(values), use))


def _sets(singles: Sequence[str], conditions: int) -> list[tuple[str, ...]]:
    """Lists of values: a set operator is settled by one member, so few members are enough."""
    largest = min(len(singles), max(conditions, 1))
    found: list[tuple[str, ...]] = []
    for size in range(largest + 1):
        for chosen in combinations(singles, size):
            found.append(chosen)
            if len(found) > MOST_SETS:
                raise Undecidable(f"more than {MOST_SETS} sets of values of one key")
    return found


def _singles(use: KeyUse) -> tuple[str, ...]:
    """One value a class, of keys with a single one; literals of another kind stand beside."""
    kept = _family(use.conditions)
    if use.key.lower() in BOOLEAN:
        return ("true", "false")
    found = _of_kind(use, kept)
    return found if kept <= WORDS else tuple(dict.fromkeys((*found, *use.literals)))


def _of_kind(use: KeyUse, kept: frozenset[Family]) -> tuple[str, ...]:
    literals = [
        value for each in use.conditions if each.operator.family in kept for value in each.values
    ] + use.literals
    literals += [] if use.since is None else [use.since]
    if kept == {Family.DATE, Family.NUMERIC}:
        found = {each.operator.family for each in use.conditions} & kept
        if found == {Family.NUMERIC} and use.since is None:
            return numbers(literals)
        return dates(literals, plain=Family.NUMERIC in found)
    if kept == {Family.IP}:
        return addresses(literals)
    if kept == {Family.BINARY}:
        return tuple(dict.fromkeys([*literals, "AA==", *(f"AAA{c}" for c in "ABCDEFGH")]))
    shapes = [shape for each in use.conditions for shape in condition_shapes(each)]
    shapes += [shape for condition, runs in use.fills for shape in _filled(condition, runs)]
    shapes += [*(literal(text) for text in use.literals), *use.shapes]
    if Family.BOOL in kept:
        # A tag, say: `true` in any case is only one of the texts that it may be.
        shapes += [literal(text, fold=True) for text in ("true", "false")]
    return class_texts([ANYTHING], _distinct(shapes))


def _distinct(shapes: Iterable[Shape]) -> list[Shape]:
    return list(dict.fromkeys(shapes))


def _merged(values: tuple[Value, ...], use: KeyUse) -> tuple[Value, ...]:
    """Leave one value of each class; conditions with variables depend on more than the key."""
    if use.shapes or any(each.templates for each in use.conditions):
        return values
    leaving_open = undecided(use.conditions)
    asked = [each for each in use.conditions if id(each) not in leaving_open]
    literals = set(use.literals)
    kept: dict[object, Value] = {}
    for value in values:
        context = Context({} if value is None else {use.key.lower(): value}, {})
        verdicts = tuple(
            verdict if isinstance(verdict := holds(each, context), bool) else "open"
            for each in asked
        )
        exact = value if isinstance(value, str) and value in literals else None
        signature = (verdicts, exact, value is None, use.past(value))
        # The empty text stands for no class that has another: some keys are never empty.
        if signature not in kept or kept[signature] == "":
            kept[signature] = value
    return tuple(kept.values())
