"""The ways to put one statement right: the repairs of its elements, combined."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.near_misses import failing_conditions, unmet
from openai_ekm.diagnosis.repairs import action, condition, principal, resource, version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from openai_ekm.diagnosis.repairs.repair import Repair, Site

__all__ = ["repair_ways", "ways_as_written"]

_MOST_WAYS: Final = 12  # of putting the elements of one statement right, together
_REPAIRS: Final[Mapping[str, Callable[[Site], Iterator[Repair]]]] = {
    "Action": action.repairs,
    "NotAction": action.repairs,
    "Resource": resource.repairs,
    "NotResource": resource.repairs,
    "Principal": principal.repairs,
    "NotPrincipal": principal.repairs,
}


def repair_ways(site: Site) -> list[tuple[Repair, ...]]:
    """Return the ways to put a statement right, by the newer Version where that settles more.

    Args:
        site: The statement, and the call to which it does not apply.

    Returns:
        Each way as the repairs that are made together; empty when an element has none.
    """
    renewed = version.renewed(site)
    if renewed is None or len(unmet(renewed)) >= len(unmet(site)):
        return ways_as_written(site)
    first = version.repair(site)
    return [(first, *way) for way in (ways_as_written(renewed) if unmet(renewed) else [()])]


def ways_as_written(site: Site) -> list[tuple[Repair, ...]]:
    """Return every way to put right what keeps a statement from applying, element by element.

    Args:
        site: The statement, read by the Version that its document has.
    """
    choices: list[list[Repair]] = []
    choices += [list(_REPAIRS[each](site)) for each in unmet(site) if each in _REPAIRS]
    choices += [list(condition.repairs(site, each)) for each in failing_conditions(site)]
    if not choices or any(not choice for choice in choices):
        return []
    ways = itertools.islice(itertools.product(*choices), _MOST_WAYS)
    return [_together(site, way) for way in ways]


def _together(site: Site, way: tuple[Repair, ...]) -> tuple[Repair, ...]:
    """Make the patches of one statement's repairs suppose each other.

    Repairs that rewrite or remove conditions are each made from the statement as it was; the
    later ones are made anew from the statement as the earlier ones leave it.
    """
    if sum(_touches_conditions(repair) for repair in way) <= 1:
        return way
    return _restate(site, way)


def _touches_conditions(repair: Repair) -> bool:
    return any("Condition" in change.path for change in repair.changes)


def _restate(site: Site, way: tuple[Repair, ...]) -> tuple[Repair, ...]:
    """Turn each repair of conditions into the removal or rewriting of what is then there."""
    block = site.raw.get("Condition", {})
    now = {name: dict(keys) for name, keys in block.items()}
    done: list[Repair] = []
    depth = len(site.pointer)
    for repair in way:
        if not _touches_conditions(repair):
            done.append(repair)
            continue
        wanted = {"Condition": {name: dict(keys) for name, keys in block.items()}}
        for change in repair.changes:
            patch.apply_to(wanted, replace(change, path=change.path[depth:]))
        after = wanted.get("Condition", {})
        merged = _merge(block, after, now)
        change = (
            site.change("replace", "Condition", value=merged)
            if merged
            else site.change("remove", "Condition")
        )
        now = merged
        done.append(replace(repair, changes=(change,)))
    return tuple(done)


def _merge(before: Any, after: Any, now: Any) -> dict[str, Any]:
    """Return what `now` becomes when the step from `before` to `after` is made on it."""
    flat = {(op, key): value for op, keys in now.items() for key, value in keys.items()}
    old = {(op, key): value for op, keys in before.items() for key, value in keys.items()}
    new = {(op, key): value for op, keys in after.items() for key, value in keys.items()}
    for name in old.keys() - new.keys():
        flat.pop(name, None)
    flat |= {name: value for name, value in new.items() if old.get(name) != value}
    merged: dict[str, Any] = {}
    for (operator, key), value in flat.items():
        merged.setdefault(operator, {})[key] = value
    return merged
