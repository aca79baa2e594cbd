"""Wildcards, ARNs and variables, against regular expressions where they are easy to trust."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_ekm.policy import MalformedPolicy, parse_arn
from openai_ekm.policy.pattern import compile_pattern, pattern_of
from openai_ekm.policy.statement import (
    arn_pattern,
    parse_action,
    parse_resource,
    parse_resources,
    split_arn_pattern,
)
from openai_ekm.policy.variables import Variable, parse_template

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"


def _regular(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)


@settings(max_examples=400, deadline=None, database=None)
@given(st.text("ab*?", max_size=8), st.text("ab*?\n", max_size=10))
def test_wildcards_match_as_their_regular_expression_does(pattern: str, text: str) -> None:
    """A pattern matches more or less than it should."""
    expected = re.fullmatch(_regular(pattern), text, re.DOTALL) is not None
    assert expected == compile_pattern(pattern).matches(text)


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.lists(st.tuples(st.text("ab*?:", max_size=4), st.booleans()), max_size=4), st.text("ab*?:")
)
def test_text_that_is_only_text_has_no_wildcards(runs: list[tuple[str, bool]], text: str) -> None:
    """A star that came from a variable's value became a wildcard."""
    regular = "".join(_regular(run) if wild else re.escape(run) for run, wild in runs)
    expected = re.fullmatch(regular, text, re.DOTALL) is not None
    assert expected == pattern_of(tuple(runs)).matches(text)


@settings(max_examples=200, deadline=None, database=None)
@given(st.text("ab*:", max_size=9), st.text("ab*:", max_size=9))
def test_an_arn_is_compared_segment_by_segment(pattern: str, text: str) -> None:
    """A wildcard crosses a colon, or a segment is left out."""
    ours, theirs = f"arn:{pattern}".split(":", 5), f"arn:{text}".split(":", 5)
    compiled = arn_pattern(f"arn:{pattern}")
    if len(ours) < 6:
        assert compiled is None
        return
    assert compiled is not None
    expected = len(theirs) == 6 and all(
        re.fullmatch(_regular(a), b) for a, b in zip(ours, theirs, strict=True)
    )
    assert expected == compiled.matches(tuple(theirs))


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*a*a*", "a", False),
        ("*a*a*", "ba-a", True),
        ("*?a*a", "aa", False),
        ("*?a*a", "baa", True),
        ("a*a", "a", False),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
    ],
)
def test_no_character_is_used_twice(pattern: str, text: str, matches: bool) -> None:
    """Two parts of a pattern are found in the same place of the text."""
    assert compile_pattern(pattern).matches(text) is matches


def test_matching_a_hostile_pattern_takes_bounded_time() -> None:
    """A pattern of many stars makes matching take for ever, as backtracking would."""
    assert not compile_pattern("a*" * 500 + "b").matches("a" * 5000)
    assert not compile_pattern("*?a" * 100 + "b").matches("a" * 2000)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "arn",
        "arn:aws:kms:eu-west-1:111122223333",
        "aws:arn:kms:::x",
        "arn::kms:::x",
        "arn:aws:::x:",
    ],
)
def test_what_is_no_arn_is_none(text: str) -> None:
    """Something that is not an ARN passes for one."""
    assert parse_arn(text) is None


def test_an_arn_keeps_the_colons_of_its_resource() -> None:
    """The resource of an ARN is cut short."""
    arn = parse_arn("arn:aws:sns:eu-west-1:111122223333:topic:sub:1")
    assert arn is not None
    assert arn.resource == "topic:sub:1"
    assert str(arn) == "arn:aws:sns:eu-west-1:111122223333:topic:sub:1"


def test_a_template_knows_its_variables() -> None:
    """A variable, its default or an escape is read wrongly."""
    template = parse_template("a${aws:X, 'd}f'}b${*}c${s3:y}")
    assert template is not None
    assert template.parts == (
        ("a", True),
        Variable("aws:x", "d}f"),
        ("b", True),
        ("*", False),
        ("c", True),
        Variable("s3:y"),
    )
    assert template.keys == ("aws:x", "s3:y")
    assert template.fill({"s3:y": "v"}.get) == (
        ("a", True),
        ("d}f", False),
        ("b", True),
        ("*", False),
        ("c", True),
        ("v", False),
    )
    assert template.fill({"aws:x": "v"}.get) is None


def test_a_dollar_alone_is_text() -> None:
    """A dollar sign that begins no variable is taken for one."""
    assert parse_template("a$b{c}") is None


@pytest.mark.parametrize(
    "text", ["${", "${a", "${}", "${ a}", "${a b}", "${a,b}", "${a, 'b}", "${a, 'b'", "${a${b}}"]
)
def test_a_broken_variable_is_refused(text: str) -> None:
    """A variable that AWS refuses is read as something."""
    with pytest.raises(MalformedPolicy):
        parse_template(text)


@pytest.mark.parametrize("text", ["kms", "kms:", ":Encrypt", "kms:En crypt", "kms:Ä", "a:b:c", ""])
def test_what_is_no_action_is_refused(text: str) -> None:
    """A text that is not an action passes for one."""
    with pytest.raises(MalformedPolicy):
        parse_action(text)


def test_a_resource_is_an_arn_or_a_star() -> None:
    """A resource is compiled wrongly, or one that AWS refuses is compiled at all."""
    assert parse_resource("*", variables=True).everything
    assert parse_resource(KEY, variables=True).matches(tuple(KEY.split(":", 5)))
    assert not parse_resource(KEY, variables=True).matches(("arn", "aws"))
    for text in ("key/1", "arn:aws:kms", "arn:aws:k*:::x", "arn:aws::::", "ARN:aws:kms:::x"):
        with pytest.raises(MalformedPolicy):
            parse_resource(text, variables=True)


def test_a_value_with_colons_fills_segments() -> None:
    """A variable that stands for a whole ARN is not cut into its segments."""
    pattern = split_arn_pattern(((KEY, False),), "${aws:x}")
    assert pattern is not None
    assert pattern.matches(tuple(KEY.split(":", 5)))
    assert split_arn_pattern((("arn:aws", False),), "") is None


def test_resources_are_sorted_by_how_they_are_compared() -> None:
    """A resource is passed over, or one with a wildcard or a variable is taken at its letter."""
    wild, filled = "arn:aws:kms:*:*:key/1", "arn:aws:kms:::key/${aws:x}"
    read = parse_resources((KEY, wild, filled), variables=True)
    assert [each.text for each in read] == [KEY, wild, filled]
    assert (read.everything, read.literals) == (False, frozenset({KEY}))
    assert [each.text for each in read.others] == [wild, filled]
    assert parse_resources((filled,), variables=False).literals == {filled}
    everything = parse_resources((KEY, "*"), variables=True)
    assert (everything.everything, everything.others) == (True, ())
    assert not parse_resources((), variables=True)
