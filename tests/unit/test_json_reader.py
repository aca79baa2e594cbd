"""The one strict reader of JSON: what it takes, and that nothing makes it crash."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_ekm.json_reader import (
    DEEPEST,
    LARGEST,
    UnreadableJsonError,
    decode_text,
    find_object,
    read_json,
)

VALUE = {"a": [1, -2.5e3, None, True, "ä鍵🔑\u2028\\ud800"], "b": {}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_what_powershell_writes_is_read(encoding: str) -> None:
    """A file that `>` of PowerShell wrote is called broken."""
    assert read_json(json.dumps(VALUE, ensure_ascii=False).encode(encoding)) == VALUE


def nested(levels: int) -> str:
    """Lists in lists."""
    return "[" * levels + "]" * levels


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ("{} {}", "more after it"),
        ('{"a": 1, "b": 2, "a": 3}', "holds the member 'a' twice"),
        (nested(DEEPEST + 1), "nested deeper"),
        (nested(100_000), "nested deeper"),
        ('{"a":' * 100_000, "nested deeper"),
        ("1" * 5000, "a number of 5000 characters"),
        ("-" + "1" * 301, "a number of 302 characters"),
        ("1e999", "1e999, which is too large"),
        ("1." + "0" * 5000, "too large"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "-Infinity"),
        (r'["\ud800"]', "half of a surrogate pair"),
        (r'{"\udfff": 1}', "half of a surrogate pair"),
        ('["\udc80"]', "half of a surrogate pair"),
        (b'"\xff"', "not UTF-8 at byte 1"),
        ('{"a": "ä"}'.encode("utf-16")[:-1], "not UTF-16 at byte"),
        (b" " * (LARGEST + 1), "longer than"),
    ],
    ids=range(18),
)
def test_what_others_crash_on_is_refused(text: str | bytes, words: str) -> None:
    """Deep nesting, a huge number or half a character ends a run as a defect of ours."""
    with pytest.raises(UnreadableJsonError, match=words):
        read_json(text)


def test_the_limits_are_in_reach() -> None:
    """Guards against: a limit that refuses what Terraform prints."""
    assert read_json(nested(DEEPEST))
    assert read_json("1" * 300) == int("1" * 300)
    assert read_json(r'["\ud83d\udd11"]') == ["🔑"]
    assert read_json('{"a": 1, "a": 2}', pairs=dict) == {"a": 2}


@pytest.mark.exhaustive
@given(st.recursive(st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(), st.lists))
def test_it_reads_what_python_reads(value: object) -> None:
    """A strict reader reads another value."""
    assert read_json(json.dumps(value)) == value


def test_spoilt_text_is_read_or_refused() -> None:
    """Guards against: any other error, from text that is nearly JSON."""
    chance = random.Random(9)
    alphabet = '{}[]":,0123456789.eE+-\\u d8\n\x00\x7f\u2028\udc80äNaIf'
    refused = 0
    for _ in range(4000):
        text = list(json.dumps(VALUE) if chance.random() < 0.7 else "")
        for _ in range(chance.randint(1, 12)):
            text.insert(chance.randint(0, len(text)), chance.choice(alphabet))
        for reader in (read_json, find_object):
            try:
                reader("".join(text))
            except UnreadableJsonError:
                refused += 1
    assert refused > 1000


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ('{"a": 1}', []),
        ('\n  {"a": 1}\n\n', []),
        ('Resolved version : 1.11.4\n{"a": 1}\n', ["Resolved version : 1.11.4"]),
        ('[command]/x -json\r\n{"a": 1}\r\n::debug::{}\n', ["[command]/x -json", "::debug::{}"]),
        ('\x1b[33mnote {"a": 2}\x1b[0m\n{\n"a": 1}', ['\x1b[33mnote {"a": 2}\x1b[0m']),
    ],
)
def test_an_object_among_other_lines_is_found(text: str, others: list[str]) -> None:
    """A line of a version manager makes Terraform's outputs unreadable."""
    assert find_object(text) == ({"a": 1}, others)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ("No outputs.", "not JSON"),
        ("[1]", "is a JSON list, not an object"),
        ("banner\n[1]", "not JSON"),
        ('{"a": 1}\n{"b": 2}', "more than one JSON object"),
        ('{"a": 1} {"b": 2}', "more after it"),
        ('banner\n{"a": 1, "a": 2}', "twice"),
        ('banner\n{"a": ', "not JSON"),
        ("banner\n" + '{"a":' * 100_000, "nested deeper"),
    ],
)
def test_no_object_is_guessed(text: str, words: str) -> None:
    """Half of an answer, or another object, is taken for Terraform's outputs."""
    with pytest.raises(UnreadableJsonError, match=words):
        find_object(text)


def test_a_mark_is_dropped() -> None:
    """Guards against: a byte order mark that becomes a character of the text."""
    assert decode_text(b"\xef\xbb\xbfx") == decode_text("x".encode("utf-16")) == "x"
