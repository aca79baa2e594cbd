"""The module's own documents, in every mode, proven over all requests.

One apply of tests/terraform/modes by pytest-terraform; its outputs are the documents.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from openai_ekm.proof import Proof, prove
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT
from openai_ekm.snapshot import Snapshot

pytest_plugins = ["tests.support.applied_modes"]  # the fixture `modes`
pytestmark = [pytest.mark.terraform, pytest.mark.usefixtures("ekm_environment")]

NOW = datetime(2027, 1, 1, tzinfo=UTC)
HOLDING = ["default", "unprotected", "administrators", "multi-region"]


def snapshot_of(root: Any, name: str, **members: Any) -> dict[str, Any]:
    """A snapshot of one mode, from the outputs of the applied root."""
    told = root.outputs["modes"]["value"][name]
    policy = told["key_policy_json"]
    trust = json.loads(told["trust_policy_json"])
    ids = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"]
    return {
        "schema": "ekm-snapshot/1",
        "registration": {
            "role_arn": told["role_arn"],
            "kms_arn": told["key_arn"],
            "external_id": ids[0],
            "external_ids": ids,
        },
        "role": {
            "arn": told["role_arn"],
            "trust_policy": trust,
            "permission_policies": [
                {"name": "use", "document": json.loads(told["permission_policy_json"])}
            ],
            "permissions_boundary": None,
        },
        "keys": [
            {
                "arn": told["key_arn"],
                "state": "Enabled",
                "spec": "SYMMETRIC_DEFAULT",
                "usage": "ENCRYPT_DECRYPT",
                "related": [],
                "policy": None if policy is None else json.loads(policy),
            }
        ],
        "grants": [],
        "scps": [],
        "rcps": [],
        "customer": {"account": CUSTOMER_ACCOUNT},
        **members,
    }


def proven(found: dict[str, Any]) -> Proof:
    """The proof of a snapshot at a fixed time."""
    return prove(Snapshot.from_json(found), now=NOW)


def failing(found: dict[str, Any]) -> set[str]:
    """The claims that do not hold."""
    return {claim.id for claim in proven(found).claims if not claim.holds}


@pytest.mark.parametrize("name", HOLDING)
def test_every_claim_holds_of_a_mode_of_least_privilege(modes: Any, name: str) -> None:
    """The module makes a key that somebody else can use, or that nobody can administer."""
    proof = proven(snapshot_of(modes, name))
    assert [claim.message for claim in proof.claims if not claim.holds] == []
    assert all(claim.classes for claim in proof.claims)


def test_an_expiry_holds_before_it_and_breaks_what_openai_can_do_after_it(modes: Any) -> None:
    """Data become unreadable on a date, and the proof does not say so."""
    calls = {"time": "2029-06-01T00:00:00Z"}
    assert failing(snapshot_of(modes, "narrowed", calls=calls)) == set()
    assert failing(snapshot_of(modes, "narrowed")) == {"d"}


def test_root_delegation_fails_as_its_description_warns(modes: Any) -> None:
    """The mode is taken for as safe as the default: every IAM administrator reads the data."""
    proof = proven(snapshot_of(modes, "root-delegation"))
    (claim,) = [claim for claim in proof.claims if not claim.holds]
    assert claim.id == "c"
    assert claim.counterexample is not None
    assert [each.sid for each in claim.counterexample.statements] == ["DelegateToAccount"]


def test_an_existing_key_holds_with_the_statement_that_its_owner_is_told_to_add(modes: Any) -> None:
    """The statement that the module hands out lets somebody else in, or does not suffice."""
    told = modes.outputs["modes"]["value"]["existing"]
    found = snapshot_of(modes, "existing")
    administer = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER_ACCOUNT}:root"},
        "Action": ["kms:DescribeKey", "kms:PutKeyPolicy"],
        "Resource": "*",
    }
    found["keys"][0]["policy"] = {
        "Version": "2012-10-17",
        "Statement": [administer, told["key_policy_statement"]],
    }
    assert failing(found) == set()
