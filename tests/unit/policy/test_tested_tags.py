"""The tags and aliases that policies test."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.policy import tested_tags as tags


def conditioned(block: dict[str, Any], resource: str = "*") -> dict[str, Any]:
    """A document with a condition."""
    return {
        "Statement": [
            {"Effect": "Allow", "Action": "kms:*", "Resource": resource, "Condition": block}
        ]
    }


@pytest.mark.parametrize(
    ("document", "names"),
    [
        (conditioned({"StringEquals": {"aws:ResourceTag/Team": "a"}}), {"team"}),
        (conditioned({"StringEquals": {"AWS:principalTAG/Team": "a"}}), {"team"}),
        (conditioned({"StringEquals": {"aws:RequestTag/Team": "a"}}), set()),
        (
            conditioned({"StringLike": {"aws:ResourceTag/a": "${aws:PrincipalTag/B, 'none'}"}}),
            {"a", "b"},
        ),
        (conditioned({}, "arn:aws:s3:::${aws:PrincipalTag/b }/*"), {"b", "b "}),
        (conditioned({"Null": {"aws:ResourceTag/": "true"}}), set()),
        (conditioned({"Null": {f"aws:ResourceTag/{'x' * 128}": "true"}}), {"x" * 128}),
        ("aws:ResourceTag/alone", {"alone"}),
        ([], set()),
    ],
)
def test_tags_are_found_in_names_and_in_variables(document: Any, names: set[str]) -> None:
    """Guards against: a tag that lets somebody in, and is not watched."""
    assert tags.tested_tags([document]) == names


def test_the_tags_of_all_documents_are_found() -> None:
    """Guards against: a search that ends with the first document."""
    texts = ["aws:ResourceTag/one", "aws:PrincipalTag/two"]
    assert tags.tested_tags(texts) == {"one", "two"}
    assert tags.tested_tags([]) == set()


@pytest.mark.parametrize(
    ("text", "tests"),
    [
        ("kms:RequestAlias", True),
        ("KMS:RESOURCEALIASES", True),
        ("kms:ResourceAlias", False),
        ("kms:EncryptionContext:a", False),
    ],
)
def test_a_policy_that_tests_aliases_is_told(text: str, *, tests: bool) -> None:
    """Guards against: a further alias that lets somebody in, and counts for nothing."""
    block = conditioned({"StringEquals": {text: "alias/a"}})
    assert tags.tests_aliases([conditioned({}), block]) is tests
    assert tags.tests_aliases([conditioned({"StringEquals": {"a": text}})]) is tests


def test_every_text_is_found_once_whatever_its_place() -> None:
    """Guards against: a name in a form that is not known."""
    value = {"a": ["b", {"c": "d"}, 1, None], "e": {}}
    assert list(tags.texts_in(value)) == ["a", "e", "b", "c", "d"]
    assert list(tags.texts_in({1: "one"})) == ["one"]


def test_the_search_ends_at_a_depth() -> None:
    """Guards against: a document nested so deep that the search ends with a traceback."""
    deep: Any = "found"
    for _ in range(64):
        deep = [deep]
    assert list(tags.texts_in(deep)) == ["found"]
    assert list(tags.texts_in([deep])) == []
    for _ in range(100_000):
        deep = [deep]
    assert list(tags.texts_in(deep)) == []
