"""A list is whole, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.openai_api.client import all_items
from openai_ekm.openai_api.objects import ExternalKey, NotAnObject, Project


def pages(*given: dict[str, Any]) -> tuple[list[object], list[str | None]]:
    """Read the pages; return items and the cursors asked for."""
    asked: list[str | None] = []

    def fetch(cursor: str | None) -> dict[str, Any]:
        asked.append(cursor)
        return given[len(asked) - 1]

    return all_items(fetch), asked


def test_follows_the_cursor_to_the_end() -> None:
    """Only the first page is seen, and a registration on the second is made twice."""
    items, asked = pages(
        {"data": [1, 2], "has_more": True, "last_id": "b"},
        {"data": [], "has_more": True, "last_id": "c"},
        {"data": [3], "has_more": False, "last_id": None},
    )
    assert (items, asked) == ([1, 2, 3], [None, "b", "c"])


@pytest.mark.parametrize(
    "page",
    [
        {"has_more": False},
        {"data": []},
        {"data": None, "has_more": False},
        {"data": [], "has_more": "false"},
        {"data": [1], "has_more": True},
        {"data": [1], "has_more": True, "last_id": None},
        {"data": [1], "has_more": True, "last_id": ""},
        {"data": [1], "has_more": True, "last_id": 3},
    ],
)
def test_half_a_list_is_no_list(page: dict[str, Any]) -> None:
    """A page without its members passes for the whole list."""
    with pytest.raises(NotAnObject):
        pages(page)


def test_cursor_that_repeats_ends_the_list() -> None:
    """A server that repeats a page is asked for ever."""
    page = {"data": [1], "has_more": True, "last_id": "a"}
    with pytest.raises(NotAnObject, match="repeats"):
        pages(page, page, page)


def test_no_more_than_a_thousand_pages() -> None:
    """A server that invents cursors is asked for ever."""
    numbers = iter(range(5000))
    with pytest.raises(NotAnObject, match="1000 pages"):
        all_items(lambda _cursor: {"data": [], "has_more": True, "last_id": str(next(numbers))})


def test_key_tolerates_what_may_be_absent() -> None:
    """An answer in one of the published forms cannot be read."""
    key = ExternalKey.parse({"id": "extkey_1", "unknown": 1, "workspace_id": None})
    assert key == ExternalKey(id="extkey_1")


def test_projects_of_a_key_have_one_order() -> None:
    """Two reads of the same registration seem to differ."""
    key = ExternalKey.parse({"id": "k", "api_project_ids": ["b", "a", 3]})
    assert key.api_project_ids == ("a", "b")


@pytest.mark.parametrize("value", [None, [], {}, {"id": ""}, {"id": 3}, "extkey"])
def test_object_without_an_id_is_none(value: object) -> None:
    """An answer without an id is recorded as a registration."""
    for kind in (ExternalKey, Project):
        with pytest.raises(NotAnObject):
            kind.parse(value)


@pytest.mark.parametrize(
    ("value", "project"),
    [
        ({"id": "p", "name": "n"}, Project("p", "n")),
        ({"id": "p", "title": "n", "external_key_id": "k"}, Project("p", "n", "k")),
        ({"id": "p", "status": "archived"}, Project("p", archived=True)),
        ({"id": "p", "archived_at": 1}, Project("p", archived=True)),
        ({"id": "p", "archived_at": None, "status": "active"}, Project("p")),
    ],
)
def test_project_is_read_in_both_published_forms(value: object, project: Project) -> None:
    """An archived project counts as active, or a name is missed."""
    assert Project.parse(value) == project
