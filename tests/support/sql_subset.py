"""The SQL that means the same in DuckDB and in Athena: what the queries may use, and why not more.

`make docs` writes both tables into docs/operate/usage.md.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALLOWED", "AVOIDED", "MAPPING_ONLY"]

# Each function and operator with what must hold in both; tests/unit/usage/test_subset.py tries it.
ALLOWED: Final = {
    "count": "`count(*)` counts rows, `count(x)` those that are not NULL.",
    "sum": "Of whole numbers; NULL where there is no row.",
    "min, max": "Of times, and of texts by code point; NULLs are left out.",
    "coalesce": "The first that is not NULL.",
    "lower": "Of ASCII letters: ARNs and names of roles.",
    "strpos": "The place of a text in another, from 1; 0 where it is missing.",
    "substr": "From 1, and of a length that is not negative.",
    "row_number": "With an order in which no two rows are equal.",
    "CASE": "Without ELSE: NULL.",
    "CAST": "A time in the form `YYYY-MM-DD hh:mm:ss` to TIMESTAMP, a TIMESTAMP to DATE.",
    "LIKE": "With `%` alone; no escape.",
    "||": "NULL where one side is NULL.",
    "UNION": "Without copies; `UNION ALL` with them.",
}
# What differs: how DuckDB answers is tried; how Athena does is from its documentation.
AVOIDED: Final = {
    "`/` of whole numbers": ("`7 / 2` is 3.5", "it is 3", "sums and counts alone"),
    "`regexp_extract` without a match": ("an empty text", "NULL", "`strpos`, `LIKE`"),
    "`split_part` past the end": ("an empty text", "NULL", "`substr` and `strpos`"),
    "`date_diff('day', …)`": (
        "counts midnights between the two",
        "counts whole days",
        "`CAST(… AS DATE)`",
    ),
    "`concat` with NULL": ("leaves it out", "NULL", "`||` and `coalesce`"),
    "`greatest` with NULL": ("leaves it out", "NULL", "`CASE`"),
    "`now()`, TIMESTAMP WITH TIME ZONE": (
        "in the session's zone",
        "in the session's zone",
        "times that were given, in UTC, without a zone",
    ),
    "`substr` from 0": ("shortens the text by one", "an empty text", "places from 1"),
}
# What reads Athena's columns in `columns.IN_ATHENA`, and stands in no query.
MAPPING_ONLY: Final = frozenset(
    {
        "AT TIME ZONE",
        "array_join",
        "filter",
        "from_iso8601_timestamp",
        "json_extract_scalar",
        "nullif",
        "transform",
    }
)
