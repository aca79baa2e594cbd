"""One condition against one context: missing keys, several values, set operators, negation."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.evaluation.conditions import holds
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import Context
from openai_ekm.policy.conditions import conditions

OPEN = "open"


def _verdict(operator: str, wanted: Any, found: Any, **context: Any) -> bool | str:
    (condition,) = conditions({operator: {"aws:x": wanted}}, variables=True)
    given = {f"aws:{key}": value for key, value in context.items()}
    if found is not None:
        given["aws:x"] = tuple(found) if isinstance(found, list) else found
    verdict = holds(condition, Context(given, {"aws:derived": "d"}))
    if isinstance(verdict, OpenPoint):
        return OPEN
    assert verdict is True or verdict is False
    return verdict


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "verdict"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "a", "b", False),
        ("StringEquals", "a", None, False),
        ("StringEquals", "a", [], False),
        ("StringEquals", "a", ["a"], True),
        ("StringEquals", "a", ["a", "b"], OPEN),
        ("StringEquals", ["b", "a"], "a", True),
        ("StringEquals", [], "a", OPEN),
        ("StringEquals", [], None, OPEN),
        ("StringNotEquals", [], None, OPEN),
        ("StringEqualsIfExists", [], None, True),
        ("StringEqualsIfExists", [], "", OPEN),
        ("StringNotEqualsIfExists", [], "a", False),
        ("ForAnyValue:StringNotEquals", [], ["a"], False),
        ("ForAnyValue:StringNotEquals", [], None, False),
        ("ForAnyValue:StringEqualsIfExists", [], None, OPEN),
        ("ForAnyValue:StringEqualsIfExists", "a", [], OPEN),
        ("ForAllValues:StringNotEquals", [], ["a"], False),
        ("ForAllValues:StringNotEquals", [], [""], OPEN),
        ("ForAllValues:StringNotEquals", [], [], True),
        ("ForAllValues:StringNotEqualsIfExists", [], None, True),
        ("StringEqualsIfExists", "a", None, True),
        ("StringEqualsIfExists", "a", [], True),
        ("StringEqualsIfExists", "a", "b", False),
        ("StringNotEquals", "a", None, True),
        ("StringNotEquals", "a", "a", False),
        ("StringNotEquals", "a", "b", True),
        ("StringNotEquals", ["a", "b"], "b", False),
        ("StringNotEquals", [], "b", OPEN),
        ("StringNotEquals", "a", ["b", "c"], OPEN),
        ("StringNotEqualsIfExists", "a", None, True),
        ("ForAnyValue:StringEquals", "a", None, False),
        ("ForAnyValue:StringEqualsIfExists", "a", None, True),
        ("ForAnyValue:StringEquals", "a", [], False),
        ("ForAnyValue:StringEquals", "a", ["b", "a"], True),
        ("ForAnyValue:StringEquals", "a", ["b", "c"], False),
        ("ForAnyValue:StringEquals", "a", "a", True),
        ("ForAnyValue:StringEquals", [], ["a"], False),
        ("ForAnyValue:StringNotEquals", "a", ["a", "b"], True),
        ("ForAnyValue:StringNotEquals", "a", ["a"], False),
        ("ForAnyValue:StringNotEquals", "a", None, False),
        ("ForAllValues:StringEquals", "a", None, True),
        ("ForAllValues:StringEquals", "a", [], True),
        ("ForAllValues:StringEquals", "a", ["a", "a"], True),
        ("ForAllValues:StringEquals", "a", ["a", "b"], False),
        ("ForAllValues:StringEquals", "a", "b", False),
        ("ForAllValues:StringEquals", [], ["a"], False),
        ("ForAllValues:StringNotEquals", "a", ["b", "c"], True),
        ("ForAllValues:StringNotEquals", "a", ["b", "a"], False),
        ("ForAnyValue:StringEquals", "a", [""], False),
        ("ForAnyValue:StringEquals", "", [""], OPEN),
        ("ForAnyValue:StringNotEquals", "a", "", OPEN),
        ("ForAllValues:StringEquals", "a", [""], OPEN),
        ("ForAllValues:StringEquals", "", [""], True),
        ("ForAllValues:StringEquals", "a", ["", "a"], False),
        ("ForAnyValue:NumericEquals", "1", ["x", "1"], True),
        ("ForAnyValue:NumericEquals", "1", ["1", "x"], True),
        ("ForAnyValue:NumericEquals", "1", ["x", "2"], OPEN),
        ("ForAnyValue:NumericEquals", "1", ["2", "x"], OPEN),
        ("ForAllValues:NumericEquals", "1", ["x", "2"], False),
        ("ForAllValues:NumericEquals", "1", ["x", "1"], OPEN),
        ("ForAllValues:NumericEquals", "1", ["1", "x"], OPEN),
        ("NumericEquals", ["x", "1"], "1", True),
        ("NumericEquals", ["1", "x"], "1", True),
        ("NumericEquals", ["x", "2"], "1", OPEN),
        ("NumericEquals", ["2", "x"], "1", OPEN),
        ("NumericNotEquals", ["x", "1"], "1", False),
        ("NumericNotEquals", ["x", "2"], "1", OPEN),
        ("Null", "true", None, True),
        ("Null", "false", None, False),
        ("Null", "true", "a", False),
        ("Null", "false", "a", True),
        ("Null", ["true", "false"], "a", True),
        ("Null", ["x", "false"], "a", True),
        ("Null", ["x", "true"], "a", OPEN),
        ("Null", ["true", "x"], "a", OPEN),
        ("Null", [], "a", OPEN),
        ("Null", "true", "", OPEN),
        ("ForAnyValue:Null", "true", None, OPEN),
        ("ArnEquals", "arn:aws:x:::*", "arn:aws:x:::y", True),
        ("ArnLike", "arn:aws:x:::*", "arn:aws:x::z:y", False),
        ("ArnLike", "arn:aws:x:::y", "arn:aws:x:::y", True),
        ("ArnLike", "x", "arn:aws:x:::y", OPEN),
        ("ArnNotLike", "arn:aws:x:::*", "arn:aws:x:::y", False),
        ("ArnNotLike", "x", "y", OPEN),
        ("ArnLike", "arn:aws:x:::*", "x", OPEN),
        ("ArnNotLike", "arn:aws:x:::*", "x", OPEN),
        ("ArnNotLike", "arn:aws:x:::y", "a:b:c:d:e:f", OPEN),
        ("ArnNotLike", "arn:aws:x:::*", "arn:aws:y:::", True),
        ("ArnLike", "arn:aws:x:::y", "arn:aws:x:::z", False),
    ],
)
def test_a_condition_holds(operator: str, wanted: Any, found: Any, verdict: bool | str) -> None:
    """A condition holds, fails or stays open where AWS says otherwise."""
    assert _verdict(operator, wanted, found) == verdict


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "verdict"),
    [
        ("StringEquals", "${aws:one}", "1", True),
        ("StringEquals", "${aws:one}", "2", False),
        ("StringEquals", "${aws:derived}", "d", True),
        ("StringEquals", "x${aws:one}y", "x1y", True),
        ("StringEquals", "${aws:star}", "a", False),
        ("StringEquals", "${aws:none}", "", False),
        ("StringEquals", "${aws:none, 'a'}", "a", True),
        ("StringEquals", "${aws:two, 'a'}", "a", OPEN),
        ("StringEquals", ["${aws:two}", "a"], "a", True),
        ("StringEquals", ["a", "${aws:two}"], "b", OPEN),
        ("StringEquals", ["${aws:two}", "b"], "a", OPEN),
        ("StringEquals", ["${aws:none}", "${aws:one}"], "1", True),
        ("StringNotEquals", "${aws:none}", "a", True),
        ("StringNotEquals", "${aws:one}", "1", False),
        ("StringNotEquals", "${aws:two}", "1", OPEN),
        ("StringEqualsIgnoreCase", "A${aws:one}", "a1", True),
        ("StringEqualsIgnoreCase", "\u00c4${aws:one}", "\u00e41", OPEN),
        ("StringLike", "${aws:one}*", "12", True),
        ("StringLike", "${aws:star}", "a", False),
        ("StringLike", "${aws:star}", "*", True),
        ("StringLike", "${*}", "a", False),
        ("StringLike", "${aws:none, 'a*'}", "ab", OPEN),
        ("StringLike", "${aws:none, 'a*'}", "a*", OPEN),
        ("StringLike", ["${aws:none, 'a*'}", "a*"], "ab", True),
        ("ArnLike", "arn:aws:x:::${aws:one}*", "arn:aws:x:::12", True),
        ("ArnLike", "arn:aws:x:::${aws:star}", "arn:aws:x:::a", False),
        ("ArnLike", "${aws:one}", "1", OPEN),
        ("ArnEquals", "arn:aws:x:::${aws:none}", "arn:aws:x:::", False),
        ("Bool", "${aws:one}", "true", OPEN),
        ("ForAnyValue:StringEquals", "${aws:one}", ["2", "1"], True),
        ("ForAllValues:StringEquals", "${aws:two}", ["2"], OPEN),
    ],
)
def test_a_condition_with_variables_holds(
    operator: str, wanted: Any, found: Any, verdict: bool | str
) -> None:
    """A variable is filled with something else, becomes a wildcard, or is guessed at."""
    context = {"one": "1", "two": ("1", "2"), "star": "*"}
    assert _verdict(operator, wanted, found, **context) == verdict
