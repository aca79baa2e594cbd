"""The queries in the subset of SQL that means the same in DuckDB and in Athena."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from openai_ekm.usage import athena
from openai_ekm.usage.columns import COLUMNS
from openai_ekm.usage.query_texts import ANSWERS, DEFINITIONS, given, query
from openai_ekm.usage.target import Target
from tests.support.cloudtrail_events import ALIAS_ARN, KEY_ARN, ROLE_ARN
from tests.support.sql_subset import ALLOWED, AVOIDED, MAPPING_ONLY

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = datetime(2026, 12, 1, tzinfo=UTC)
TARGETS = [
    Target(KEY_ARN, ROLE_ARN),
    Target(ALIAS_ARN, ROLE_ARN, SINCE, UNTIL, frozenset({"eu-west-1", "eu-north-1"})),
    Target("arn:aws:kms:eu-west-1:111122223333:key/mrk-" + "0a" * 16, ROLE_ARN, SINCE),
]
WORDS = {word for name in ALLOWED for word in name.split(", ")}
# How sqlglot calls what stands in the text.
FUNCTIONS = {
    "count": "count",
    "sum": "sum",
    "min": "min",
    "max": "max",
    "coalesce": "coalesce",
    "lower": "lower",
    "strposition": "strpos",
    "substring": "substr",
    "rownumber": "row_number",
    "cast": "CAST",
    "case": "CASE",
    "jsonextractscalar": "json_extract_scalar",
    "arraytostring": "array_join",
    "arrayfilter": "filter",
    "fromiso8601timestamp": "from_iso8601_timestamp",
    "at_timezone": "AT TIME ZONE",
}
# Parts of a statement that sqlglot takes for functions, and whose meaning nothing changes.
PARTS = {"and", "or", "if"}


def functions(text: str, dialect: str) -> set[str]:
    """The functions in a text, as the table names them."""
    found = set()
    for node in sqlglot.parse_one(text, dialect=dialect).find_all(exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
        found.add(FUNCTIONS.get(name.lower(), name.lower()))
    return found - PARTS


def rows(text: str) -> list[Any]:
    """What DuckDB answers."""
    with duckdb.connect() as base:
        return base.execute(text).fetchall()


@pytest.mark.parametrize("name", [*DEFINITIONS, *ANSWERS])
@pytest.mark.parametrize("dialect", ["duckdb", "athena"])
def test_a_query_is_in_the_subset(name: str, dialect: str) -> None:
    """Guards against: a function whose meaning differs, and one that the page does not list."""
    parsed = sqlglot.parse_one(query(name), dialect=dialect)
    assert functions(query(name), dialect) <= WORDS
    assert not list(parsed.find_all(exp.Div, exp.RegexpLike, exp.RegexpExtract, exp.Interval))
    for like in parsed.find_all(exp.Like):
        pattern = like.expression
        assert not isinstance(pattern, exp.Literal) or not re.search(r"[_\\]", pattern.name)
    for text in parsed.find_all(exp.Substring):
        assert text.args["start"].name == "1"


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_given_is_in_the_subset(target: Target) -> None:
    """Guards against: a value that is no literal in one of the two."""
    for text in given(target).values():
        assert functions(text, "athena") <= {"CAST", "values"}
        assert rows(text)


@pytest.mark.parametrize("target", TARGETS)
def test_the_text_for_athena_is_of_its_dialect(target: Target) -> None:
    """Guards against: a statement that Athena cannot read, or a column that is not mapped."""
    create = sqlglot.parse_one(
        athena.create_table("s3://my-trail/AWSLogs/", target), dialect="athena"
    )
    assert isinstance(create, exp.Create)
    defined = {column.name for column in create.find_all(exp.ColumnDef)}
    texts = athena.queries(target)
    assert tuple(texts) == ANSWERS
    before = {text.removesuffix(query(name)) for name, text in texts.items()}
    assert len(before) == 1  # each begins with the same definitions: one is parsed for all
    whole = sqlglot.parse_one(texts["others"], dialect="athena")
    assert isinstance(whole, exp.Query)
    assert [each.alias for each in whole.ctes] == ["events", *given(target), *DEFINITIONS]
    events = whole.ctes[0].this
    assert tuple(events.named_selects) == COLUMNS
    read = {column.parts[0].name for column in events.find_all(exp.Column)}
    assert read - {"r", "a"} <= defined
    assert functions(events.sql("athena"), "athena") <= WORDS | MAPPING_ONLY


def test_every_partition_is_projected() -> None:
    """Guards against: a table that lists the whole bucket, or misses a Region that was named."""
    text = athena.create_table("s3://my-trail/AWSLogs/o-abc1234567/", TARGETS[1])
    assert "'projection.account.values' = '111122223333'" in text
    assert "'projection.log_region.values' = 'eu-north-1,eu-west-1'" in text
    assert "'projection.day.range' = '2026/10/31,NOW'" in text
    template = "s3://my-trail/AWSLogs/o-abc1234567/${account}/CloudTrail/${log_region}/${day}"
    assert template in text
    for partition in ("account", "log_region", "day"):
        assert f"'projection.{partition}.type'" in text


HELD: dict[str, tuple[str, Any]] = {
    "count": ("SELECT count(*), count(x) FROM (VALUES (1), (NULL)) AS t (x)", (2, 1)),
    "sum": ("SELECT sum(x), sum(x) * 0 FROM (VALUES (1)) AS t (x) WHERE x > 1", (None, None)),
    "min, max": ("SELECT min(x), max(x) FROM (VALUES ('a'), ('Z'), (NULL)) AS t (x)", ("Z", "a")),
    "coalesce": ("SELECT coalesce(NULL, 'a'), coalesce(NULL, NULL)", ("a", None)),
    "lower": ("SELECT lower('ROLE/Ab'), lower(NULL)", ("role/ab", None)),
    "strpos": ("SELECT strpos('abcb', 'b'), strpos('abc', 'x'), strpos('a', '')", (2, 0, 1)),
    "substr": (
        "SELECT substr('abc', 1, 2), substr('abc', 1, 0), substr('a', 1, 9)",
        ("ab", "", "a"),
    ),
    "row_number": ("SELECT row_number() OVER (PARTITION BY 1 ORDER BY 2)", (1,)),
    "CASE": ("SELECT CASE WHEN NULL THEN 1 END, CASE WHEN 1 = 1 THEN 2 ELSE 3 END", (None, 2)),
    "CAST": (
        "SELECT CAST(CAST('2026-11-29 23:59:59' AS TIMESTAMP) AS DATE)",
        (datetime(2026, 11, 29, tzinfo=UTC).date(),),
    ),
    "LIKE": ("SELECT 'AssumeRoleWithSAML' LIKE 'AssumeRole%', 'a' LIKE 'A%'", (True, False)),
    "||": ("SELECT 'a' || 'b', 'a' || NULL", ("ab", None)),
    "UNION": ("SELECT count(*) FROM (SELECT 1 AS x UNION SELECT 1 AS x) AS t", (1,)),
}
DIFFERENCES: dict[str, tuple[str, Any]] = {
    "`/` of whole numbers": ("SELECT 7 / 2", 3.5),
    "`regexp_extract` without a match": ("SELECT regexp_extract('a', 'b')", ""),
    "`split_part` past the end": ("SELECT split_part('a:b', ':', 3)", ""),
    "`date_diff('day', …)`": (
        "SELECT date_diff('day', TIMESTAMP '2026-11-28 23:00:00', TIMESTAMP '2026-11-29 01:00:00')",
        1,
    ),
    "`concat` with NULL": ("SELECT concat('a', NULL)", "a"),
    "`greatest` with NULL": ("SELECT greatest(1, NULL)", 1),
    "`substr` from 0": ("SELECT substr('abc', 0, 2)", "a"),
}


def test_the_table_of_functions_is_tried_whole() -> None:
    """Guards against: a function that the page lists and no test tries."""
    assert set(HELD) == set(ALLOWED)
    untried = set(AVOIDED) - set(DIFFERENCES)
    assert untried == {"`now()`, TIMESTAMP WITH TIME ZONE"}


@pytest.mark.parametrize("name", HELD)
def test_what_holds_of_a_function_holds_in_duckdb(name: str) -> None:
    """Guards against: a version of DuckDB that answers otherwise than the page says."""
    text, expected = HELD[name]
    assert rows(text) == [expected]
    assert sqlglot.parse_one(text, dialect="athena")


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_is_as_the_page_says(name: str) -> None:
    """Guards against: a difference that is none any more."""
    text, expected = DIFFERENCES[name]
    assert rows(text) == [(expected,)]
