"""The classes of values of a condition key, and the classes in which each condition holds.

Two values are in one class if no condition on the key tells them apart. A missing key, an empty
list and an empty text each have their own class. The evaluator alone says whether a condition
holds for a class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import combinations
from typing import TYPE_CHECKING, Any

from openai_ekm.evaluation.conditions import holds
from openai_ekm.evaluation.conditions.date import DAY, YEAR_DIGITS, instant, is_before
from openai_ekm.evaluation.conditions.ip import DEFAULT_PREFIX, MAPPED, network
from openai_ekm.evaluation.conditions.numeric import number
from openai_ekm.evaluation.request import Context
from openai_ekm.policy import Condition, Family, Quantifier
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.value_classes.condition_keys import BOOLEAN, MULTIVALUED, may_be_multivalued
from openai_ekm.value_classes.string_classes import (
    ANY,
    NOT_COLON,
    TextPattern,
    Undecidable,
    arn_pattern,
    class_texts,
    literal,
    many,
    one,
    run_pattern,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.value_classes.string_classes import Run

__all__ = [
    "Domain",
    "KeyUse",
    "Value",
    "addresses",
    "condition_patterns",
    "dates",
    "make_domain",
    "numbers",
    "undecided",
    "verdicts",
]

# Numbers, instants and addresses lie on a line that is cut at every literal. Between two
# neighbouring literals nothing changes, so one value stands for all between them; each literal
# stands for itself, and one value lies before and one after all of them.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _cut(points: Iterable[Fraction], step: int) -> list[Fraction]:
    """Return every point, one between each two, and one on either side."""
    ordered = sorted(set(points))
    if not ordered:
        return [Fraction(0)]
    cut = [ordered[0] - step]
    for low, high in zip(ordered, [*ordered[1:], None], strict=True):
        cut.append(low)
        cut.append(low + step if high is None else (low + high) / 2)
    return cut


def _decimal(value: Fraction) -> str:
    """Return a fraction whose denominator holds only twos and fives, written out."""
    text = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def numbers(literals: Sequence[str]) -> tuple[str, ...]:
    """Return a number for each class.

    Args:
        literals: What policies compare with; those that are no number cut nothing.
    """
    read = [Fraction(found) for text in literals if (found := number(text)) is not None]
    return tuple(_decimal(value) for value in _cut(read, 1))


def dates(literals: Sequence[str], *, plain: bool = False) -> tuple[str, ...]:
    """Return an instant for each class.

    Args:
        literals: What policies compare with; those that are no date cut nothing.
        plain: Whether to write seconds since 1970, which are numbers too.
    """
    read = [found for text in literals if (found := instant(text)) is not None]
    if plain:
        read += [Fraction(second) for text in literals if (second := number(text)) is not None]
    return tuple(_date(value, plain=plain) for value in _cut(read, DAY))


def _date(value: Fraction, *, plain: bool) -> str:
    if not plain and value.denominator == 1:
        try:
            return (EPOCH + timedelta(seconds=int(value))).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
        except (OverflowError, ValueError):
            pass
    text = _decimal(value)
    # Four digits alone could be a year: AWS does not say, so they are not read as seconds.
    return f"{text}.0" if len(text) == YEAR_DIGITS and text.isdigit() else text


def addresses(literals: Sequence[str]) -> tuple[str, ...]:
    """Return an address for each class, of IPv4 and of IPv6.

    Args:
        literals: Addresses and ranges that policies compare with.
    """
    four, six = {0}, {0, int(MAPPED.network_address), int(MAPPED.broadcast_address) + 1}
    for text in literals:
        range_ = network(text)
        if isinstance(range_, IPv4Network):
            four |= _ends(range_)
        elif isinstance(range_, IPv6Network):
            six |= _ends(range_)
            if "/" not in text:
                six |= _ends(range_.supernet(new_prefix=DEFAULT_PREFIX))
    found = [str(IPv4Address(start)) for start in sorted(four) if start < 1 << 32]
    found += [
        str(address)
        for start in sorted(six)
        if start < 1 << 128 and (address := IPv6Address(start)) not in MAPPED
    ]
    return tuple(found)


def _ends(range_: Any) -> set[int]:
    return {int(range_.network_address), int(range_.broadcast_address) + 1}


Value = str | tuple[str, ...] | None

TEXT = frozenset({Family.STRING, Family.ARN})
WORDS = TEXT | {Family.BOOL}
ANYTHING = TextPattern(tuple(many(ANY)))
# What is compared with ARNs at all.
PART = (*many(NOT_COLON), *one(":"))
ARN = TextPattern((*one("arn:"), *PART * 4, *many(ANY)))
MOST_SETS = 4_096


@dataclass(slots=True)
class KeyUse:
    """The use of a key in documents, so far as it bears on its classes.

    Args:
        key: As it is spelt.
        conditions: On the key.
        literals: Texts that matter besides: registered ids, pairs of grants.
        fills: Values of conditions whose variables have been filled, with their condition.
        since: An instant that parts what was from what may still be; None for keys of no time.
        text_patterns: What tells values apart besides.
    """

    key: str
    conditions: list[Condition]
    literals: list[str]
    fills: list[tuple[Condition, tuple[Run, ...]]]
    since: str | None = None
    text_patterns: tuple[TextPattern, ...] = ()

    def past(self, value: Value) -> bool:
        """Return whether a value is an instant before `since`."""
        return self.since is not None and isinstance(value, str) and is_before(value, self.since)


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
        """Return every class, as a set of bits."""
        return (1 << len(self.values)) - 1

    def where(self, wanted: Iterable[Value]) -> int:
        """Return the classes whose value is among some values, as a set of bits."""
        values = set(wanted)
        return sum(1 << index for index, value in enumerate(self.values) if value in values)


def condition_patterns(condition: Condition) -> list[TextPattern]:
    """Return the patterns that a condition of a text family, variables apart, cuts out."""
    return [
        text_pattern
        for value in condition.plain_values
        for text_pattern in _fill(condition, ((value, True),))
    ]


def _fill(condition: Condition, runs: tuple[Run, ...]) -> list[TextPattern]:
    operator = condition.operator
    if operator.family is Family.ARN:
        text_pattern = arn_pattern(runs)
        return [] if text_pattern is None else [text_pattern, ARN]
    if operator.positive == "StringLike":
        return [run_pattern(runs)]
    text = "".join(run for run, _ in runs)
    if operator.positive == "StringEqualsIgnoreCase":
        return [literal(text), literal(text, fold=True)]
    return [literal(text)]


def undecided(conditions: Sequence[Condition]) -> frozenset[int]:
    """Return the undecided conditions on one key by `id`: their kind of value is another's.

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
    """Return the families that are decided together on one key."""
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
    """Return the classes of a key's values.

    Args:
        use: How documents use it.

    Raises:
        Undecidable: There are too many.
    """
    lookup = lower_ascii(use.key)
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
    return Domain(use.key, _merge(tuple(values), use))


def _sets(singles: Sequence[str], conditions: int) -> list[tuple[str, ...]]:
    """Return lists of values: one member settles a set operator, so few members are enough."""
    largest = min(len(singles), max(conditions, 1))
    found: list[tuple[str, ...]] = []
    for size in range(largest + 1):
        for chosen in combinations(singles, size):
            found.append(chosen)
            if len(found) > MOST_SETS:
                raise Undecidable(f"more than {MOST_SETS} sets of values of one key")
    return found


def _singles(use: KeyUse) -> tuple[str, ...]:
    """Return one value a class of a single-valued key; literals of another kind stand beside."""
    kept = _family(use.conditions)
    if lower_ascii(use.key) in BOOLEAN:
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
    text_patterns = [
        text_pattern for each in use.conditions for text_pattern in condition_patterns(each)
    ]
    text_patterns += [
        text_pattern for condition, runs in use.fills for text_pattern in _fill(condition, runs)
    ]
    text_patterns += [*(literal(text) for text in use.literals), *use.text_patterns]
    if Family.BOOL in kept:
        # A tag, say: `true` in any case is only one of the texts that it may be.
        text_patterns += [literal(text, fold=True) for text in ("true", "false")]
    return class_texts([ANYTHING], list(dict.fromkeys(text_patterns)))


def verdicts(conditions: Iterable[Condition], context: Context) -> tuple[bool | str, ...]:
    """Return what each condition says of a request: whether it holds, or `open`."""
    found = (holds(each, context) for each in conditions)
    return tuple(each if isinstance(each, bool) else "open" for each in found)


def _merge(values: tuple[Value, ...], use: KeyUse) -> tuple[Value, ...]:
    """Leave one value of each class; conditions with variables depend on more than the key."""
    if use.text_patterns or any(each.templates for each in use.conditions):
        return values
    leaving_open = undecided(use.conditions)
    asked = [each for each in use.conditions if id(each) not in leaving_open]
    literals = set(use.literals)
    kept: dict[object, Value] = {}
    for value in values:
        context = Context({} if value is None else {lower_ascii(use.key): value}, {})
        exact = value if isinstance(value, str) and value in literals else None
        signature = (verdicts(asked, context), exact, value is None, use.past(value))
        # The empty text stands for no class that has another: some keys are never empty.
        if signature not in kept or kept[signature] == "":
            kept[signature] = value
    return tuple(kept.values())
