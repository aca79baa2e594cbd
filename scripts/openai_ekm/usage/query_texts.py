"""The queries as text, in the order in which each may use those before it.

Each is held to the subset of SQL in docs/operate/usage.md, which means the same in DuckDB and in
Athena.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.usage.target import EARLIEST, time_text
from openai_ekm.usage.watched import uses, watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.usage.target import Target

__all__ = ["ANSWERS", "DEFINITIONS", "given", "literal", "query"]

# Tables that the answers use. `events` comes before them.
DEFINITIONS: Final = ("records", "texts", "assumptions", "calls", "changes", "refused_unnamed")
ANSWERS: Final = (
    "keys",
    "openai",
    "assumptions_by_region",
    "by_day",
    "by_operation",
    "by_principal",
    "by_session",
    "by_region",
    "failures",
    "others",
    "others_count",
    "undecided",
    "undecided_count",
    "unattributed",
    "unattributed_count",
    "changes_listed",
    "changes_count",
)

_SEPARATOR: Final = ",\n  "  # between two columns
# What the lists of events show of each: `{event}` in their files.
_EVENT: Final = (
    "event_id",
    "event_time",
    "event_source",
    "event_name",
    "principal",
    "kind",
    "identity_account",
    "identity_arn",
    "region",
    "source_ip",
    "user_agent",
    "error_code",
    "error_message",
)
# Answers that differ in nothing but their columns before the sums, and the order of these.
_BY: Final = {
    "by_operation": (("event_name AS operation",), "event_name"),
    "by_principal": (
        ("principal", "kind", "coalesce(identity_account, '') AS account", "who"),
        "principal, who, kind, coalesce(identity_account, '')",
    ),
    "by_session": (
        ("coalesce(identity_arn, principal) AS session", "principal", "who"),
        "coalesce(identity_arn, principal), principal, who",
    ),
    "by_region": (("coalesce(region, 'unknown') AS region",), "coalesce(region, 'unknown')"),
}


@cache
def query(name: str) -> str:
    """Return the text of a table or an answer, without a semicolon."""
    folder = "tables" if name in DEFINITIONS else "answers"
    file = resources.files(__package__).joinpath(
        "queries", folder, "by.sql" if name in _BY else f"{name}.sql"
    )
    columns, order = _BY.get(name, ((), ""))
    return (
        file.read_text(encoding="utf-8")
        .strip()
        .format(
            event=_SEPARATOR.join(_EVENT),
            columns=_SEPARATOR.join(columns),
            group=", ".join(column.partition(" AS ")[0] for column in columns),
            order=order,
        )
    )


def literal(value: str | int) -> str:
    """Return a value as both dialects write it."""
    if isinstance(value, int):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def given(target: Target) -> dict[str, str]:
    """Return the tables of what is asked about, by name."""
    settings: dict[str, str | int] = {
        "role_arn": target.role_arn,
        "role_name": target.role_name,
        "role_account": target.role_account,
        "key_account": target.key_account,
        "key_region": target.key_region,
        "openai_account": OPENAI_ACCOUNT,
    }
    since = time_text(target.since or EARLIEST).replace("T", " ").rstrip("Z")
    columns = ", ".join(f"{literal(value)} AS {name}" for name, value in settings.items())
    rows = [
        (watch.id, watch.source, event, int(watch.refused), watch.subject)
        for watch in watched()
        for event in watch.events
    ]
    return {
        "settings": f"SELECT {columns}, CAST({literal(since)} AS TIMESTAMP) AS since",
        "named": _values(("kind", "text"), target.texts()),
        "uses": _values(("pattern",), tuple((each,) for each in uses())),
        "watched": _values(("watch", "event_source", "event_name", "refused", "subject"), rows),
    }


def _values(columns: tuple[str, ...], rows: Sequence[tuple[str | int, ...]]) -> str:
    shown = ",\n  ".join(f"({', '.join(map(literal, row))})" for row in rows)
    table = f"(VALUES\n  {shown}\n) AS rows_given ({', '.join(columns)})"
    return "\n".join(("SELECT *", f"FROM {table}"))
