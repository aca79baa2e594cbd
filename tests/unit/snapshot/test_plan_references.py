"""What a value of a plan may be made of, by the references of the plan's configuration."""

from __future__ import annotations

from typing import Any

import pytest

from openai_ekm.snapshot.plan_references import may_come_from

GRANT = "aws_kms_grant.this"


def grant(*references: str, **more: Any) -> dict[str, Any]:
    """A grant whose key is made of these references."""
    expression = {"references": list(references)}
    return {"address": GRANT, "expressions": {"key_id": expression}, **more}


def plan(*resources: dict[str, Any], **calls: Any) -> dict[str, Any]:
    """A plan with these resources and calls of modules in its root."""
    return {"configuration": {"root_module": {"resources": resources, "module_calls": calls}}}


def call(module: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A call of a module."""
    return {"module": module or {}, **more}


def output(*references: str) -> dict[str, Any]:
    """A module whose output `key_id` is made of these references."""
    return {"outputs": {"key_id": {"expression": {"references": list(references)}}}}


THROUGH_A_MODULE = plan(
    grant("module.other.key_id", "module.other"),
    other=call(output("var.key"), expressions={"key": {"references": ["module.ekm.key_id"]}}),
)
CASES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "of the instance": ("module.ekm", plan(grant("module.ekm.key_id", "module.ekm")), True),
    "of any instance": (
        'module.ekm["a.b"]', plan(grant("each.key", "module.ekm"), ekm=call()), True,
    ),
    "of this instance": (
        'module.ekm["a.b"]', plan(grant('module.ekm["a.b"].key_id', 'module.ekm["a.b"]')), True,
    ),
    "of another instance": (
        'module.ekm["a.b"]', plan(grant('module.ekm["b"].key_id', 'module.ekm["b"]')), False,
    ),
    "of another key": ("module.ekm", plan(grant("aws_kms_key.app.arn", "aws_kms_key.app")), False),
    "of a local value": ("module.ekm", plan(grant("local.key")), True),
    "of a data source": ("module.ekm", plan(grant("data.aws_kms_alias.a.target_key_id")), True),
    "of each of a map": (
        "module.ekm",
        plan(grant("each.value", for_each_expression={"references": ["module.ekm.key_id"]})),
        True,
    ),
    "of each of other keys": (
        "module.ekm",
        plan(grant("each.value", for_each_expression={"references": ["aws_kms_key.app"]})),
        False,
    ),
    "through another module": ("module.ekm", THROUGH_A_MODULE, True),
    "of another module's key": (
        "module.ekm",
        plan(grant("module.o.key_id", "module.o"), o=call(output("aws_kms_key.this.id"))),
        False,
    ),
    "through the module around": (
        "module.around.module.ekm",
        plan(grant("module.around.key_id"), around=call(output("module.ekm.key_id"))),
        True,
    ),
    "of nothing that is told": ("module.ekm", plan(grant()), True),
    "without a configuration": ("module.ekm", {}, True),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_value_may_come_from_an_instance_unless_its_references_rule_it_out(name: str) -> None:
    """Guards against: a grant on the key that is taken for another key's, or the other way."""
    instance, body, expected = CASES[name]
    assert may_come_from(instance, body, GRANT, "key_id") is expected


def test_an_argument_inside_a_module_is_followed_to_its_call() -> None:
    """Guards against: a grant that a module of the root makes on the key it is given."""
    inside = {"resources": [grant("var.key")]}
    for reference, expected in (("module.ekm.key_id", True), ("aws_kms_key.app.id", False)):
        given = {"key": {"references": [reference]}}
        body = plan(access=call(inside, expressions=given))
        found = may_come_from("module.ekm", body, f"module.access[0].{GRANT}", "key_id")
        assert found is expected


def test_what_stands_inside_the_instance_is_its_own() -> None:
    """Guards against: a grant that somebody puts into a copy of the module."""
    inside = {"resources": [grant("aws_kms_key.this.id")]}
    body = plan(ekm=call(inside))
    assert may_come_from("module.ekm", body, f"module.ekm.{GRANT}", "key_id")
