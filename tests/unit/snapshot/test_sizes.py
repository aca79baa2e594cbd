"""Which quota a policy is held to, by what kind of policy it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.constants import ACCOUNT
from tests.support.diagnosed import diagnosed
from tests.support.judged import good, judged, put

AWSS_OWN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
CUSTOMERS = f"arn:aws:iam::{ACCOUNT}:policy/mine"


def padded(length: int) -> dict[str, Any]:
    """A harmless document of about so many characters."""
    actions = [f"ec2:Describe{number:032}" for number in range(length // 47)]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def with_policies(*policies: dict[str, Any]) -> dict[str, Any]:
    """The good snapshot with more permission policies."""
    snapshot = good()
    named = [{"name": f"p{index}", **each} for index, each in enumerate(policies)]
    snapshot["role"]["permission_policies"] += named
    return snapshot


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("policies", "too_large"),
    [
        # AWS publishes managed policies of more than 150,000 characters.
        ([{"document": padded(155_000), "type": "managed", "arn": AWSS_OWN}], None),
        ([{"document": padded(155_000), "type": "managed"}], None),
        ([{"document": padded(155_000)}], None),
        ([{"document": padded(6_000), "type": "managed", "arn": CUSTOMERS}], None),
        (
            [{"document": padded(6_300), "type": "managed", "arn": CUSTOMERS}],
            ("permission_policies[1]", "The document has 6"),
        ),
        ([{"document": padded(10_000), "type": "inline"}], None),
        (
            [{"document": padded(10_400), "type": "inline"}],
            ("permission_policies[1]", "together 10"),
        ),
        # The inline policies of a role share one quota.
        (
            [{"document": padded(5_200), "type": "inline"}] * 2,
            ("permission_policies[2]", "together 10"),
        ),
        ([{"document": padded(5_200), "type": "managed", "arn": CUSTOMERS}] * 9, None),
    ],
)
def test_a_policy_is_held_to_the_quota_of_its_kind(
    policies: list[dict[str, Any]], too_large: tuple[str, str] | None
) -> None:
    """A policy that AWS holds is called malformed, or one that AWS refuses passes."""
    found = diagnosed(with_policies(*policies))
    assert found.outcome == ("ok" if too_large is None else "policy_malformed")
    large = [each for each in found.faults if each.id == "policy_too_large"]
    assert [each.document for each in large] == [] if too_large is None else [too_large[0]]
    if too_large is not None:
        assert too_large[1] in large[0].message


@pytest.mark.parametrize(
    ("arn", "outcome"), [(AWSS_OWN, "ok"), (None, "ok"), (CUSTOMERS, "policy_malformed")]
)
def test_a_boundary_is_a_managed_policy(arn: str | None, outcome: str) -> None:
    """A boundary of AWS's own is called malformed."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    boundary = padded(155_000)
    boundary["Statement"].append(everything)
    changes = [put("role.permissions_boundary", boundary)]
    changes += [] if arn is None else [put("role.permissions_boundary_arn", arn)]
    assert judged(*changes).outcome == outcome
