"""JSON as documents are written in: nothing after the value, no member twice."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from openai_ekm.policy import MalformedPolicy
from openai_ekm.policy.json_text import RepeatedMember, loads, members


@pytest.mark.parametrize(
    "text", ["{}", ' {"a": [1, {"b": null}]}\n', '{"a": 1}\t\r\n ', "[1]", '"{"']
)
def test_reads_what_json_reads(text: str) -> None:
    """A value is read as another, or white space around it is refused."""
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{} x",
        "{} X",
        "{}{}",
        "{},",
        '{"a": 1} 2',
        "\ufeff{}",
        "{}\x0b",
        "[1] 2",
        "{'a': 1}",
        '{"a": NaN}',
        "Infinity",
    ],
)
def test_refuses_what_is_no_json(text: str) -> None:
    """Text after the value is passed over, or a word that is not JSON is read."""
    with pytest.raises(ValueError):  # noqa: PT011 - the message is json's own
        loads(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "a": 2}', "a"),
        ('{"a": 1, "b": 1, "c": 2, "b": 3, "a": 4}', "b"),
        ('{"b": 1, "a": 1, "a": 2}', "a"),
    ],
)
def test_names_the_member_that_stands_twice(text: str, name: str) -> None:
    """A repeated member is passed over, or another is named for it."""
    read = loads(text)
    assert isinstance(read, RepeatedMember)
    assert read.name == name
    with pytest.raises(MalformedPolicy, match=f"the element '{name}' stands twice"):
        members(read, "an object", "element")


def test_members_are_those_of_an_object() -> None:
    """Something that is no object passes for one, or an object of another type does not."""
    for value in ({}, {"a": 1}, MappingProxyType({"a": 1})):
        assert members(value, "an object", "element") is value
    others: list[Any] = [[], "a", 1, None, [("a", 1)]]
    for value in others:
        with pytest.raises(MalformedPolicy, match="an object"):
            members(value, "an object", "element")


def test_a_fault_is_placed_inside_what_holds_it() -> None:
    """The path to a fault lacks a dot, or has one too many."""
    assert MalformedPolicy("m").inside("a").place == "a"
    assert MalformedPolicy("m", "b").inside("a").place == "a.b"
    assert MalformedPolicy("m", "[1]").inside("a").place == "a[1]"
    assert str(MalformedPolicy("m")) == "m"
    assert str(MalformedPolicy("m", "a.b")) == "a.b: m"
