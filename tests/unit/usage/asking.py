"""Asks the queries about records, as the verb does, without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.usage.answers import document
from openai_ekm.usage.loading import Loader
from openai_ekm.usage.table import EventTable
from openai_ekm.usage.target import Target
from tests.support.cloudtrail_events import KEY_ARN, ROLE_ARN

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TARGET", "about", "about_places", "counts", "numbers"]

TARGET = Target(KEY_ARN, ROLE_ARN)


def about(records: Iterable[Any], target: Target = TARGET) -> dict[str, Any]:
    """The document about records."""
    with EventTable() as table:
        loader = Loader(table, target)
        loader.read_records(loader.add_source("file", "records"), "records", records)
        return _asked(loader)


def about_places(*places: object, target: Target = TARGET) -> dict[str, Any]:
    """The document about files and folders."""
    with EventTable() as table:
        loader = Loader(table, target)
        for place in places:
            loader.read_place(str(place))
        return _asked(loader)


def _asked(loader: Loader) -> dict[str, Any]:
    loader.table.define(loader.target)
    loader.finish()
    covered = (loader.first, loader.last)
    return document(loader.target, loader.table.answer, loader.sources, loader.unread, covered)


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    """Calls, failed ones, and whose they are."""
    return tuple(row[name] for name in ("calls", "failed", "openai", "others", "undecided"))


def numbers(events: Iterable[dict[str, Any]]) -> list[int]:
    """The numbers that events were made with."""
    return [int(event["event_id"][:8]) for event in events]
