"""All pages of a list, with the guards that OpenAI's own provider has.

Source: docs/reference/openai-api.md#lists
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.openai_api import constants
from openai_ekm.openai_api.objects import NotAnObject, checked_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["all_items"]


def all_items(fetch: Callable[[str | None], Mapping[str, Any]]) -> list[object]:
    """Return the items of every page.

    Args:
        fetch: Takes the cursor (None for the first page), returns the page.

    Raises:
        NotAnObject: `data` or `has_more` is missing, a cursor is missing, is no id or repeats, or
            there are more than 1000 pages: half a list must not pass for a whole one.
    """
    items: list[object] = []
    cursors: set[str] = set()
    cursor: str | None = None
    for _ in range(constants.MOST_PAGES):
        page = fetch(cursor)
        found, more = page.get("data"), page.get("has_more")
        if not isinstance(found, list) or not isinstance(more, bool):
            raise NotAnObject("the list has no data or no has_more")
        items += found
        if not more:
            return items
        last = page.get("last_id")
        if last is None or last == "":
            raise NotAnObject("the list says that there is more, and not from where")
        cursor = checked_id(last)
        if cursor in cursors:
            raise NotAnObject(f"the list repeats its cursor {cursor}")
        cursors.add(cursor)
    raise NotAnObject(f"the list has more than {constants.MOST_PAGES} pages")
