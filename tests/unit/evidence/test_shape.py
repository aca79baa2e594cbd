"""Files that are given for a pack are held to their schema, as a library of schemas would."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm import schemas
from openai_ekm.evidence.shape import fault_of
from tests.support.evidence_pack import filled
from tests.support.schemas import open_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("usage", "ekm-drift", "ekm-drill")
# In place of a member; the first takes it away.
OTHERS: tuple[Any, ...] = (..., None, 1, -1, "x", [], {}, True)


def spoilt(value: Any) -> Iterator[Any]:
    """Every document that differs by one member: gone, or of another type."""
    for name in value if isinstance(value, dict) else range(len(value)):
        for other in OTHERS:
            changed = copy.copy(value)
            if other is ...:
                del changed[name]
            else:
                changed[name] = other
            yield changed
        if isinstance(value[name], dict | list):
            for inner in spoilt(value[name]):
                changed = copy.copy(value)
                changed[name] = inner
                yield changed


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_a_fault_where_a_library_of_schemas_does(name: str) -> None:
    """Guards against: a file that the page cannot show, or a good one that is refused."""
    validator, schema = open_validator(name), schemas.read(name)
    judged = set()
    for document in (filled(name), *spoilt(filled(name))):
        fault = fault_of(schema, document)
        assert (fault is None) == validator.is_valid(document), (fault, document)
        judged.add(fault is None)
    assert judged == {True, False}


def test_it_names_the_place() -> None:
    """Guards against: a refusal that helps nobody to find the member."""
    document = {**filled("usage"), "by_day": [{"day": 3}]}
    assert str(fault_of(schemas.read("usage"), document)).startswith("it.by_day[0]")
