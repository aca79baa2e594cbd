"""Records come out of a log file one after the other, and a broken file says how it is broken."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from typing import Any

import pytest

from openai_ekm.usage.record_stream import CHUNK, UnreadableLogError, records
from tests.support.trail_logs import GOLDEN, log_file

WHOLE = list(GOLDEN)


def read(content: bytes, **limits: int) -> list[Any]:
    """The records of a file."""
    return list(records(io.BytesIO(content), **limits))


def fault(content: bytes, **limits: int) -> tuple[str, str, int]:
    """How a file is broken, and how many records came before."""
    found: list[Any] = []
    with pytest.raises(UnreadableLogError) as raised:
        found.extend(records(io.BytesIO(content), **limits))
    return raised.value.state, raised.value.reason, len(found)


@pytest.mark.parametrize(
    "content",
    [
        log_file(WHOLE),
        log_file(WHOLE, packed=False),
        b"\xef\xbb\xbf" + log_file(WHOLE, packed=False),
        json.dumps({"Version": 1, "More": [{}], "Records": WHOLE, "Last": 2}, indent=3).encode(),
        gzip.compress(log_file(WHOLE, packed=False)[:4000], mtime=0)
        + gzip.compress(log_file(WHOLE, packed=False)[4000:], mtime=0),
        json.dumps({"Events": [{"CloudTrailEvent": json.dumps(each)} for each in WHOLE]}).encode(),
    ],
    ids=["packed", "plain", "marked", "members around", "two parts", "of lookup-events"],
)
def test_every_form_gives_every_record(content: bytes) -> None:
    """Guards against: a record that is lost or changed by the way its file is written."""
    assert read(content) == WHOLE


@pytest.mark.parametrize("size", range(1, 40))
def test_a_record_may_end_anywhere_in_what_is_read_at_once(size: int) -> None:
    """Guards against: a record that is cut where one piece of the file ends."""
    padded = [{"pad": "é" * (CHUNK // 2 - 20 * size)}, *WHOLE]
    content = json.dumps({"Records": padded}, ensure_ascii=False).encode()
    assert read(content) == padded


def test_no_records_are_none() -> None:
    """Guards against: an empty log that counts as broken."""
    assert read(b'{"Records": []}') == []


@pytest.mark.parametrize(
    ("content", "state", "count"),
    [
        pytest.param(b"", "truncated", 0, id="empty"),
        pytest.param(b"   ", "truncated", 0, id="blank"),
        pytest.param(b"[]", "broken", 0, id="a list"),
        pytest.param(b'[{"eventVersion": "1.11"}]', "broken", 0, id="a list of records"),
        pytest.param(
            b'{"eventVersion": "1.11", "eventID": "x"}\n{"eventVersion": "1.11"}',
            "broken",
            0,
            id="a record a line",
        ),
        pytest.param(
            b'{"Records": [{"a": 1}]}{"Records": [{"b": 2}]}', "broken", 1, id="two documents"
        ),
        pytest.param(
            b'{"Records": [{"a": 1}]}\n{"Records": [{"b": 2}]}\n',
            "broken",
            1,
            id="two documents on two lines",
        ),
        pytest.param(
            gzip.compress(b'{"Records": [{"a": 1}]}', mtime=0) * 2,
            "broken",
            1,
            id="two packed documents",
        ),
        pytest.param(
            b'{"Records": [{"a": 1}], "Records": [{"b": 2}]}', "broken", 1, id="records twice"
        ),
        pytest.param(
            b'{"Records": [{"a": 1}], "Events": []}', "broken", 1, id="records and events"
        ),
        pytest.param(
            b'{"Records": [{"a": 1}]} no JSON }', "broken", 1, id="text behind the document"
        ),
        pytest.param(b'{"Records": [{"a": 1}] "b": 2}', "broken", 1, id="no comma between members"),
        pytest.param(b'{"Records": [{"a": 1}], 3: 2}', "broken", 1, id="a name that is a number"),
        pytest.param(b'{"Records": [{"a": 1}], "b": 2', "truncated", 1, id="ends behind a member"),
        pytest.param(b"{}", "foreign", 0, id="no members"),
        pytest.param(b'{"configurationItems": []}', "foreign", 0, id="another service's file"),
        pytest.param(b'{"Records": 3}', "foreign", 0, id="records that are a number"),
        pytest.param(b'{"Records": [{"a": 1}', "truncated", 1, id="ends behind a record"),
        pytest.param(b'{"Records": [{"a": 1}]', "truncated", 1, id="ends behind the records"),
        pytest.param(b'{"Records": [{"a": 1},', "truncated", 1, id="ends behind a comma"),
        pytest.param(b'{"Records": [{"a": "b', "truncated", 0, id="ends in a text"),
        pytest.param(
            b'{"Records": [{"a": 1} {"b": 2}]}', "broken", 1, id="no comma between records"
        ),
        pytest.param(
            b'{"Records": [{"a": 1}, {"b": nothing}]}', "broken", 1, id="a word that is no JSON"
        ),
        pytest.param(b'{"Records": [{"a": "\xff"}]}', "broken", 0, id="no UTF-8"),
        pytest.param(
            log_file(WHOLE)[:-9], "truncated", len(WHOLE), id="packed, without its last bytes"
        ),
        pytest.param(
            log_file(WHOLE)[: len(log_file(WHOLE)) // 2],
            "truncated",
            None,
            id="packed, without its second half",
        ),
        pytest.param(b"\x1f\x8bno gzip at all", "broken", 0, id="the first bytes of gzip alone"),
        pytest.param(
            log_file(WHOLE)[:60] + b"\0" * 40 + log_file(WHOLE)[100:],
            "broken",
            None,
            id="packed, with bytes overwritten",
        ),
        pytest.param(b'{"Records": [' + b"[" * 100_000, "broken", 0, id="lists without an end"),
        pytest.param(
            b'{"Records": [{"a": ' + b"9" * 5000 + b"}]}", "broken", 0, id="a number without an end"
        ),
    ],
)
def test_a_broken_file_is_told_from_a_truncated_and_a_foreign_one(
    content: bytes, state: str, count: int | None
) -> None:
    """Guards against: an exception of a library, and a file that ends early and counts as whole."""
    found, reason, before = fault(content)
    assert found == state, reason
    assert count is None or before == count


def test_a_bomb_ends_at_a_limit() -> None:
    """Guards against: a small file that unpacks without an end."""
    bomb = gzip.compress(b'{"Records": [' + b" " * 5_000_000)
    assert len(bomb) < 10_000
    assert fault(bomb, largest=1_000_000)[0] == "too_large"
    endless = gzip.compress(b'{"Records": [{"a": "' + b"x" * 3_000_000)
    assert fault(endless, longest=1_000_000)[0] == "broken"
    trailing = gzip.compress(b'{"Records": []' + b" " * 3_000_000 + b"}")
    assert fault(trailing, largest=1_000_000)[0] == "too_large"


def test_memory_does_not_follow_the_file() -> None:
    """Guards against: a file that is held as a whole."""

    def peak(times: int) -> int:
        content = log_file(WHOLE * times)
        tracemalloc.start()
        try:
            count = sum(1 for _ in records(io.BytesIO(content)))
            assert count == len(WHOLE) * times
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(160) < 1.5 * peak(40)
