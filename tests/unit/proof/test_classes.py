"""The classes that patterns, numbers, dates and addresses make, against brute force."""

from __future__ import annotations

import json
from itertools import product
from random import Random

from hypothesis import given
from hypothesis import strategies as st

import openai_ekm.proof.actions
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.proof.actions import future, known
from openai_ekm.proof.boxes import intersect, subtract
from openai_ekm.value_classes.domains import addresses, dates, numbers
from openai_ekm.value_classes.string_classes import ANY, TextPattern, class_texts, many, wildcard
from tests.unit.proof.generate_actions import actions

ANYTHING = TextPattern(tuple(many(ANY)))
TEXTS = ["".join(each) for size in range(6) for each in product("abc", repeat=size)]


def test_every_class_of_patterns_is_found_and_no_other() -> None:
    """A set of requests that wildcards cut out is never looked at."""
    random = Random(7)
    for _ in range(60):
        patterns = [
            "".join(random.choice("ab*?") for _ in range(random.randint(1, 3)))
            for _ in range(random.randint(1, 3))
        ]
        compiled = [compile_pattern(each) for each in patterns]
        found = class_texts([ANYTHING], [wildcard(each) for each in patterns])
        cut = {tuple(each.matches(text) for each in compiled) for text in found}
        assert cut == {tuple(each.matches(text) for each in compiled) for text in TEXTS}
        assert len(found) - len(cut) in {0, 1}  # the empty text stands for itself


def test_numbers_dates_and_addresses_are_cut_at_every_literal() -> None:
    """A request between two literals, or beyond them, is never looked at."""
    assert numbers(["1", "3"]) == ("0", "1", "2", "3", "4")
    assert dates(["2030-01-01T00:00:00Z"]) == (
        "2029-12-31T00:00:00Z",
        "2030-01-01T00:00:00Z",
        "2030-01-02T00:00:00Z",
    )
    found = addresses(["10.0.0.0/8", "2001:db8::/32"])
    assert {"0.0.0.0", "10.0.0.0", "11.0.0.0", "2001:db8::", "2001:db9::"} <= set(found)


@given(st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), min_size=2, max_size=4))
def test_boxes_subtract_as_sets_do(pairs: list[tuple[int, int]]) -> None:
    """A Deny takes away more than it denies, or less."""
    full = {"x": 7, "y": 7}
    boxes = [{"x": x, "y": y} for x, y in pairs]

    def points(box: dict[str, int]) -> set[tuple[int, int]]:
        return {(i, j) for i in range(3) for j in range(3) if box["x"] >> i & box["y"] >> j & 1}

    left = subtract(boxes[:1], boxes[1:], full)
    expected = points(boxes[0]).difference(*map(points, boxes[1:]))
    assert set().union(*map(points, left)) == expected
    assert all(intersect(a, b) is None for a, b in product(left, left) if a is not b)


def test_the_list_of_actions_is_aws_s_own() -> None:
    """An operation that AWS added is in no proof."""
    assert known() == {service: tuple(names) for service, names in actions().items()}
    assert json.dumps(known())
    assert set(openai_ekm.proof.actions.USING) < set(known()["kms"])


def test_actions_to_come_are_classes() -> None:
    """A wildcard that covers tomorrow's action is taken for its literals."""
    patterns = ["kms:Encrypt", "kms:Decrypt*", "s3:*"]
    assert any(each.name.startswith("kms:decrypt") for each in future("kms", patterns))
    assert all(
        each.lookup not in {"kms:encrypt", "kms:decrypt"} for each in future("kms", patterns)
    )
