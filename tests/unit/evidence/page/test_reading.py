"""Members that somebody gave as files: whatever is in them, the page is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm import schemas
from openai_ekm.evidence.page import reading, write_page
from openai_ekm.evidence.page.reading import readable
from tests.support.evidence_page_packs import bad_day, empty, good_day

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBERS = ("validation", "usage", "drift", "rotation", "audit_events")
# Names that the page reads, so that values of another type stand where it reads them.
NAMES = st.sampled_from(
    [
        *("openai", "by_day", "day", "calls", "failed", "others", "events", "covered", "sentence"),
        *("failures", "code", "unread", "count", "checks", "differences", "requests", "request"),
        *("context", "accepted", "answer", "keys", "rotations", "at", "seconds", "type", "status"),
        *("effective_at", "statements", "statement", "title", "state", "principal", "notes"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=8),
    max_leaves=25,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=10)


@settings(max_examples=25)
@given(st.fixed_dictionaries({name: st.none() | OBJECTS for name in MEMBERS}), st.lists(OBJECTS))
def test_whatever_was_given_the_page_is_written(
    members: dict[str, Any], drills: list[dict[str, Any]]
) -> None:
    """Guards against: a file from outside whose shape ends the run."""
    page = write_page(replace(empty(), **members, drills=tuple(drills)))
    assert page.endswith("</html>\n")


@pytest.mark.parametrize("pack", [good_day, bad_day, empty])
def test_what_is_well_formed_is_read_as_it_is(pack: Any) -> None:
    """Guards against: a number or a name of a sound report that the page does not show."""
    whole, read = pack(), readable(pack())
    for name in (*MEMBERS, "drills"):
        assert within(getattr(read, name), getattr(whole, name)), name


def within(part: Any, whole: Any) -> bool:
    """Whether a value is part of another: no member of it differs, and no row is missing."""
    if isinstance(part, dict):
        return all(within(value, whole.get(name)) for name, value in part.items())
    if isinstance(part, list | tuple):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


@pytest.mark.parametrize(
    ("given_value", "read"),
    [(3, 3), (-3, 0), (True, 0), ("3", 0), (None, 0), (2.5, 0), (10**400, 10**15)],
)
def test_a_count_is_a_count(given_value: object, read: int) -> None:
    """Guards against: a number that no plot can draw."""
    usage = {"openai": {}, "others": {}, "by_day": [{"day": "2026-11-29", "calls": given_value}]}
    found = readable(replace(empty(), usage=usage)).usage
    assert found is not None
    assert found["by_day"][0]["calls"] == read


def test_a_drill_without_its_times_says_so() -> None:
    """Guards against: `0 s`, where nobody measured."""
    page = write_page(replace(empty(), drills=({"seconds": {"interrupted": float("nan")}},)))
    assert page.count("<dd>not seen</dd>") == 3


SHAPES = {"usage": reading._USAGE, "ekm-drift": reading._DRIFT, "ekm-drill": reading._DRILL}


@pytest.mark.parametrize("name", sorted(SHAPES.keys() & set(schemas.names())))
def test_the_page_reads_what_the_verbs_print(name: str) -> None:
    """Guards against: a member of a report under another name, which the page would not know."""
    root = schemas.read(name)
    assert list(unknown(SHAPES[name], root, root)) == []


def unknown(shape: Any, node: Any, root: dict[str, Any], path: str = "") -> Iterator[str]:
    """The members of a shape that a schema does not have."""
    node = resolved(node, root)
    if isinstance(shape, reading.Nullable):
        yield from unknown(shape.shape, node, root, path)
    elif isinstance(shape, list):
        yield from unknown(shape[0], node.get("items", {}), root, f"{path}[]")
    elif isinstance(shape, dict):
        properties = node.get("properties", {})
        for member, each in shape.items():
            if member in properties:
                yield from unknown(each, properties[member], root, f"{path}.{member}")
            elif not (member in {"severity", "summary", "reason"} and "events" in path):
                yield f"{path}.{member}"  # an event has them in some lists only


def resolved(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A schema after its references, an object or a list before null."""
    if "$ref" in node:
        document, _, name = node["$ref"].partition("#/$defs/")
        holder = schemas.read(document.rpartition(":")[2]) if document else root
        return resolved(holder["$defs"][name], holder)
    for each in node.get("anyOf", ()):
        found = resolved(each, root)
        if found.get("type") in {"object", "array"}:
            return found
    return node
