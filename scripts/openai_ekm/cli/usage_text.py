"""The document of `ekm usage` as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.cli.render import Styled
from openai_ekm.usage.answers import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_ekm.cli.render import Line

__all__ = ["lines"]

SHOWN: Final = 10  # rows of a table, events of a list
_WIDEST: Final = 72  # characters of a cell
_TABLES: Final = (
    ("by_day", "day", ("day",)),
    ("by_operation", "operation", ("operation",)),
    ("by_principal", "principal", ("principal", "kind", "who")),
    ("by_session", "session", ("session", "who")),
    ("by_region", "Region", ("region",)),
)
_FREQUENT: Final = "role-used-otherwise"  # a watch; a session can make any number of calls
_COUNTS: Final = ("calls", "failed")
_SEVERITY: Final = {"critical": "red", "warning": "yellow", "info": "cyan"}
_SIDES: Final = {
    "us": "it is yours to remedy",
    "them": "it is OpenAI's to remedy",
    "aws": "it is AWS's to remedy",
    "unknown": "nothing says whose it is to remedy",
}


def lines(found: dict[str, Any]) -> Iterator[Line]:
    """Yield the lines.

    Args:
        found: The document.
    """
    yield from _head(found)
    yield from _failures(found["failures"])
    for name, title, columns in _TABLES:
        rows = found[name]
        if rows:
            yield ""
            yield f"Calls by {title}:"
            yield from _table(rows, (*columns, *_COUNTS), newest=name == "by_day")
    yield from _events("Somebody else", found["others"])
    yield from _events("Undecided", found["undecided"])
    yield from _events("Refused, naming no key and no role", found["unattributed"])
    yield from _changes(found["changes"])
    yield from _sources(found)
    yield ""
    yield _verdict(found)


def _head(found: dict[str, Any]) -> Iterator[Line]:
    openai = found["openai"]
    colour = "green" if openai["state"] == "using" else "yellow"
    yield Styled(openai["state"], colour), f"  {openai['sentence']}"
    if openai["first_use"] is not None:
        yield f"  first use {openai['first_use']}, last use {openai['last_use']}"
    if openai["side"] is not None:
        yield f"  {_SIDES[openai['side']]}"
    for each in openai["assumptions"]["regions"]:
        yield f"  assumes the role in {each['region']}: {counted(each['calls'], 'time')}"


def _failures(failures: Sequence[dict[str, Any]]) -> Iterator[Line]:
    if not failures:
        return
    yield ""
    yield "Failed calls:"
    for each in failures[:SHOWN]:
        who, whose = each["who"], _SIDES[each["side"]]
        if who == "openai":
            who = "OpenAI"
        elif each["side"] == "them":
            whose = "it is the caller's to remedy"
        yield (
            f"  {each['operation']} {each['code']}: {each['calls']} by {who}, "
            f"{each['first']} to {each['last']}: {whose}"
        )
        yield f"    {each['diagnosis']}"
        yield f"    remedy: {each['remedy']}"
    yield from _rest(len(failures))


def _table(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], *, newest: bool
) -> Iterator[Line]:
    """Yield rows in columns: the newest days, or the most calls."""
    if newest:
        chosen = list(rows[-SHOWN:])
    else:
        chosen = sorted(rows, key=lambda row: -int(row["calls"]))[:SHOWN]
    cells = [tuple(_cell(row[column]) for column in columns) for row in chosen]
    widths = [max(len(line[at]) for line in [columns, *cells]) for at in range(len(columns))]
    for line in [columns, *cells]:
        shown = "  ".join(
            cell.rjust(width) if column in _COUNTS else cell.ljust(width)
            for cell, width, column in zip(line, widths, columns, strict=True)
        )
        yield f"  {shown.rstrip()}"
    yield from _rest(len(rows))


def _events(title: str, told: dict[str, Any]) -> Iterator[Line]:
    if not told["calls"]:
        return
    yield ""
    yield f"{title}: {counted(told['calls'], 'call')}:"
    for each in told["events"][:SHOWN]:
        yield f"  {_line_of(each)}"
        yield f"    {each['reason']}"
    yield from _rest(told["calls"], len(told["events"]))


def _changes(told: dict[str, Any]) -> Iterator[Line]:
    if not told["calls"]:
        return
    yield ""
    yield f"Changes of key and role: {told['calls']}:"
    # What a session did otherwise has one row at least, and fills those that nothing else needs.
    frequent = [each for each in told["events"] if each["watch"] == _FREQUENT]
    rare = [each for each in told["events"] if each["watch"] != _FREQUENT]
    rare = rare[-(SHOWN - 1 if frequent else SHOWN) :]
    for each in (*rare, *frequent[: SHOWN - len(rare)]):
        yield (
            "  ",
            Styled(each["severity"], _SEVERITY.get(each["severity"], "cyan")),
            f"  {each['watch']}  {_line_of(each)}",
        )
    yield from _rest(told["calls"], len(told["events"]))


def _line_of(event: dict[str, Any]) -> str:
    failed = "" if event["error_code"] is None else f", AWS refused: {event['error_code']}"
    return (
        f"{event['time']}  {event['operation']}  {_cell(event['principal'])} from "
        f"{event['source_ip'] or 'an unknown address'}{failed}  (event {event['event_id']})"
    )


def _sources(found: dict[str, Any]) -> Iterator[Line]:
    yield ""
    for each in found["sources"]:
        calls = f", {counted(each['aws_calls'], 'AWS call')}" if each["aws_calls"] else ""
        copies = each["duplicates"]
        yield (
            f"Read {each['place']}: {counted(each['files'], 'file')}, "
            f"{counted(each['records'], 'record')}, {each['kept']} kept, "
            f"{copies} of these {'is a copy' if copies == 1 else 'are copies'}{calls}."
        )
    covered = found["covered"]
    if covered["first"] is not None:
        yield f"Records from {covered['first']} to {covered['last']}."
    unread = found["unread"]
    if unread["count"]:
        yield f"Not read, or not to the end: {unread['count']}:"
        for each in unread["files"][:SHOWN]:
            yield f"  {each['state']}: {each['file']} {each['reason']}"
        yield from _rest(unread["count"], len(unread["files"]))


def _verdict(found: dict[str, Any]) -> Line:
    others = found["others"]["succeeded"]
    if others:
        return Styled(
            "no", "red"
        ), f"  Somebody other than OpenAI used key or role: {counted(others, 'call')}."
    if found["holds"]:
        return Styled(
            "yes", "green"
        ), "  Nobody other than OpenAI used key or role in what was read."
    return (
        Styled("undecided", "yellow"),
        "  Nobody other than OpenAI is seen, and something was not seen that could show it.",
    )


def _rest(count: int, listed: int | None = None) -> Iterator[str]:
    """Yield how many rows are not shown.

    Args:
        count: The number of rows.
        listed: How many of them the JSON has; None for all.
    """
    if count > SHOWN:
        has = "has them" if listed is None or listed >= count else f"lists {listed} in all"
        yield f"  … and {count - SHOWN} more: --json {has}"


def _cell(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
