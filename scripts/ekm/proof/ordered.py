"""Values that lie on a line, cut at every literal: numbers, instants, addresses.

Between two neighbouring literals nothing changes, so one value stands for all between them; each
literal stands for itself, and one value lies before and one after all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Any

from ekm.evaluation.conditions.date import instant
from ekm.evaluation.conditions.ip import DEFAULT_PREFIX, network
from ekm.evaluation.conditions.numeric import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["addresses", "dates", "numbers"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400
YEAR_DIGITS = 4
MAPPED = IPv6Network("::ffff:0:0/96")


def _cut(points: Iterable[Fraction], step: int) -> list[Fraction]:
    """Every point, one between each two, and one on either side."""
    ordered = sorted(set(points))
    if not ordered:
        return [Fraction(0)]
    cut = [ordered[0] - step]
    for low, high in zip(ordered, [*ordered[1:], None], strict=True):
        cut.append(low)
        cut.append(low + step if high is None else (low + high) / 2)
    return cut


def _decimal(value: Fraction) -> str:
    """A fraction whose denominator holds only twos and fives, written out."""
    text = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def numbers(literals: Sequence[str]) -> tuple[str, ...]:
    """A number for each class.

    Args:
        literals: What policies compare with; those that are no number cut nothing.
    """
    read = [Fraction(found) for text in literals if (found := number(text)) is not None]
    return tuple(_decimal(value) for value in _cut(read, 1))


def dates(literals: Sequence[str], *, plain: bool = False) -> tuple[str, ...]:
    """An instant for each class.

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
    """An address for each class, of IPv4 and of IPv6.

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
