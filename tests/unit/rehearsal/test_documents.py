"""Policy documents are read out of a plan, also where an ARN in them is not known yet."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.rehearsal.documents import UNKNOWN, planned_document
from openai_ekm.snapshot.plan_instances import merge_unknown
from tests.support.plans import unknown_leaves

KNOWN = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["kms:Encrypt", "kms:Decrypt"]}],
}
AFTER_UNKNOWN = {"Statement": [{"Action": [False, False], "Resource": True}]}


def plan(
    outputs: dict[str, dict[str, Any]] | None = None,
    inputs: dict[str, Any] | None = None,
    unknown: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Plan JSON with outputs, and with one terraform_data inside a module."""
    return {
        "output_changes": outputs or {},
        "resource_changes": [
            {"type": "aws_kms_key", "change": {"after": {"policy": "{}"}, "after_unknown": {}}},
            {
                "type": "terraform_data",
                "change": {
                    "after": {"input": inputs or {}},
                    "after_unknown": {"id": True, "input": unknown or {}},
                },
            },
        ],
    }


def test_an_unknown_leaf_gets_a_stand_in() -> None:
    """A document with one unknown ARN could not be judged before the apply."""
    found = planned_document(
        plan({"use_policy": {"after": KNOWN, "after_unknown": AFTER_UNKNOWN}}), "use_policy"
    )
    assert found["Statement"][0]["Resource"] == UNKNOWN
    assert found["Statement"][0]["Action"] == ["kms:Encrypt", "kms:Decrypt"]
    assert list(unknown_leaves(found)) == ["Statement[0].Resource"]


def test_the_stand_in_can_be_an_arn() -> None:
    """An evaluator would refuse a document whose ARN is not one."""
    arn = "arn:aws:kms:eu-west-1:111122223333:key/00000000-0000-0000-0000-000000000000"
    changes = {"use_policy": {"after": KNOWN, "after_unknown": AFTER_UNKNOWN}}
    found = planned_document(plan(changes), "use_policy", arn)
    assert found["Statement"][0]["Resource"] == arn


def test_a_document_is_found_inside_the_module() -> None:
    """A user whose root shows no output could not judge the plan at all."""
    found = planned_document(
        plan(inputs={"key_policy": KNOWN}, unknown={"key_policy": AFTER_UNKNOWN}), "key_policy"
    )
    assert found["Statement"][0]["Resource"] == UNKNOWN


def test_a_document_is_found_in_an_output_object() -> None:
    """A root with `output "ekm" { value = module.ekm }` would show nothing."""
    changes = {"ekm": {"after": {"policies": {"trust_policy": KNOWN}}, "after_unknown": {}}}
    assert planned_document(plan(changes), "trust_policy") == KNOWN


def test_json_text_is_parsed_and_an_unknown_text_is_passed_over() -> None:
    """The encoded twin of a document, unknown as a whole, would hide the one with known leaves."""
    text = '{"Version": "2012-10-17"}'
    changes: dict[str, Any] = {"trust_policy_json": {"after": text, "after_unknown": False}}
    assert planned_document(plan(changes), "trust_policy") == {"Version": "2012-10-17"}
    changes["key_policy_json"] = {"after": None, "after_unknown": True}
    inputs = {"key_policy": KNOWN}
    assert planned_document(plan(changes, inputs), "key_policy") == KNOWN


def test_a_name_that_is_not_there_says_what_is() -> None:
    """A mistyped name would read as a document without statements."""
    changes = {"key_policy": {"after": KNOWN, "after_unknown": {}}}
    with pytest.raises(BadInput, match="no trust_polcy") as caught:
        planned_document(plan(changes), "trust_polcy")
    assert caught.value.id == "document_not_in_plan"
    assert "key_policy" in str(caught.value.remedy)


def test_two_documents_of_one_name_are_not_guessed_between() -> None:
    """With two instances of the module the wrong one could be judged."""
    changes = {"key_policy": {"after": KNOWN, "after_unknown": {}}}
    with pytest.raises(BadInput) as caught:
        planned_document(plan(changes, {"key_policy": {"Statement": []}}), "key_policy")
    assert caught.value.id == "document_not_unique"


@pytest.mark.parametrize(
    ("known", "unknown", "expected"),
    [
        (None, True, UNKNOWN),
        ("x", False, "x"),
        ({"a": 1}, None, {"a": 1}),
        ({"a": 1}, {"b": {"c": True}}, {"a": 1, "b": {"c": UNKNOWN}}),
        ({"a": 1}, {"b": {"c": False}}, {"a": 1}),
        (["x"], [False, True], ["x", UNKNOWN]),
        (None, [{"a": True}], [{"a": UNKNOWN}]),
    ],
)
def test_merging(known: Any, unknown: Any, expected: Any) -> None:
    """A leaf would be lost, or one that Terraform knows would be taken for unknown."""
    assert merge_unknown(known, unknown, UNKNOWN) == expected
