"""What a statement lets somebody do, as the page reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_ekm.evidence.page.statements import By, permissions
from tests.support.healthy import KEY, OPENAI, ROLE, healthy, put


def of_key(statement: dict[str, Any]) -> tuple[Any, ...]:
    """What one more statement of the key policy adds."""
    body = healthy()
    before = len(permissions(body, ROLE))
    body["keys"][0]["policy"]["Statement"].append(statement)
    return permissions(body, ROLE)[before:]


def test_the_modules_policies_are_read() -> None:
    """Guards against: a way of the picture without its statement."""
    found = permissions(healthy(), ROLE)
    assert [(each.who, each.target, each.by.sid) for each in found] == [
        (OPENAI, "role", "AllowAssumeRoleByOpenAI"),
        (ROLE, "key", "AllowEncryptDecrypt"),
        (f"{ROLE.rsplit(':', 1)[0]}:root", "key", "AllowAdministration"),
        (ROLE, "key", "AllowUseByRole"),
    ]
    assert found[0].only_if == ("sts:ExternalId StringEquals org-abc",)
    assert found[2].changes == ("kms:DisableKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion")
    assert (found[2].uses, found[3].uses) == ((), ("kms:Decrypt", "kms:Encrypt"))


@pytest.mark.parametrize(
    ("action", "uses", "changes"),
    [
        ("kms:decrypt", ("kms:decrypt",), ()),
        ("kms:*", ("kms:*",), ("kms:*",)),
        ("*", ("*",), ("*",)),
        (["kms:Put*", "kms:ReEncrypt*"], ("kms:ReEncrypt*",), ("kms:Put*",)),
        ("kms:DescribeKey", (), ()),
    ],
)
def test_actions_are_sorted_into_use_and_change(
    action: object, uses: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    """Guards against: a wildcard that is in neither."""
    (found,) = of_key({"Effect": "Allow", "Principal": {"AWS": "a"}, "Action": action})
    assert (found.uses, found.changes) == (uses, changes)


def test_everything_but_is_read_from_its_exceptions() -> None:
    """Guards against: a NotAction that looks like no permission."""
    statement = {"Effect": "Allow", "Principal": "*", "NotAction": "kms:PutKeyPolicy"}
    (found,) = of_key(statement)
    assert found.who == "*"
    assert "kms:Decrypt" in found.uses
    assert "kms:PutKeyPolicy" not in found.changes
    assert found.actions == ("everything but kms:PutKeyPolicy",)


def test_a_deny_lets_nobody_do_anything() -> None:
    """Guards against: a Deny drawn as a way."""
    assert of_key({"Effect": "Deny", "Principal": "*", "Action": "kms:*"}) == ()


def test_a_grant_is_a_way_too() -> None:
    """Guards against: a grantee whom the picture leaves out."""
    grant = {
        "grantee_principal": "arn:aws:iam::111122223333:role/x",
        "key_arn": KEY,
        "operations": ["Decrypt"],
        "name": "g",
    }
    found = permissions(put(healthy(), "grants", [grant]), ROLE)[-1]
    assert (found.who, found.uses, found.by) == (
        grant["grantee_principal"],
        ("kms:Decrypt",),
        By("grants[0]", 0, "g"),
    )


def test_a_policy_in_text_is_read() -> None:
    """Guards against: a snapshot that holds its policies as AWS sends them."""
    body = healthy()
    as_text = put(body, "keys/0/policy", json.dumps(body["keys"][0]["policy"]))
    assert permissions(as_text, ROLE) == permissions(body, ROLE)


@pytest.mark.parametrize(
    "policy",
    ["{", "[" * 5000, None, 7, [], {"Statement": "x"}, {"Statement": [None, {"Effect": "Allow"}]}],
)
def test_a_malformed_policy_ends_nothing(policy: object) -> None:
    """Guards against: a document from outside that stops the page."""
    permissions(put(healthy(), "keys/0/policy", policy), ROLE)
    permissions(put(healthy(), "role/trust_policy", policy), ROLE)
