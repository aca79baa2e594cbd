"""What the organization imposes: level by level, or unseen with AWS's reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.snapshot import UNSEEN
from openai_ekm.snapshot.organization import Organization, read_organization
from openai_ekm.snapshot.refusals import Refusals
from tests.constants import ACCOUNT
from tests.doubles.organizations import Organizations, served

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def aws() -> Iterator[Organizations]:
    """AWS Organizations, over real HTTP."""
    yield from served()


def read(aws: Organizations, key_account: str = ACCOUNT) -> tuple[Organization, dict[str, str]]:
    """What is read, and the reasons for what is not."""
    refusals = Refusals()
    return read_organization(aws.client, ACCOUNT, key_account, refusals), refusals.reasons


def ids(levels: Any) -> list[list[str]]:
    """The policies of each level by their Id."""
    return [[json.loads(each)["Id"] for each in level] for level in levels]


def test_policies_are_read_level_by_level_from_the_root(aws: Organizations) -> None:
    """A level would be left out or two be mixed, and every level has to allow."""
    found, reasons = read(aws)
    assert (found.id, reasons) == ("o-mine", {})
    for kind, levels in (("S", found.scps), ("R", found.rcps)):
        assert ids(levels) == [
            [f"p-{kind}-r-ab12", "p-FullAWSAccess"],
            [f"p-{kind}-ou-ab12-unit", "p-FullAWSAccess"],
            [f"p-{kind}-{ACCOUNT}", "p-FullAWSAccess"],
        ]


def test_an_account_in_no_organization_has_nothing_above_it(aws: Organizations) -> None:
    """Its policies would be called unseen, although there are none."""
    aws.errors["DescribeOrganization"] = "AWSOrganizationsNotInUseException"
    assert read(aws) == (Organization(None, (), ()), {})


@pytest.mark.parametrize(
    "members", [{"MasterAccountId": ACCOUNT}, {"FeatureSet": "CONSOLIDATED_BILLING"}]
)
def test_neither_the_management_account_nor_mere_billing_is_bound(
    aws: Organizations, members: dict[str, str]
) -> None:
    """Policies would be judged that AWS does not apply."""
    aws.described |= members
    assert read(aws) == (Organization("o-mine", (), ()), {})
    assert aws.asked == ["DescribeOrganization"]


def test_a_type_of_policy_that_is_off_has_no_effect(aws: Organizations) -> None:
    """Attached policies of a type that was switched off would be judged."""
    aws.enabled.remove("SERVICE_CONTROL_POLICY")
    found, _ = read(aws)
    assert found.scps == ()
    assert len(ids(found.rcps)) == 3


@pytest.mark.parametrize("operation", ["ListRoots", "ListParents"])
def test_a_member_account_sees_its_organization_and_no_policies(
    aws: Organizations, operation: str
) -> None:
    """The organization's id would be lost with the policies, or policies be taken for none."""
    aws.errors[operation] = "AccessDeniedException"
    found, reasons = read(aws)
    assert found == Organization("o-mine", UNSEEN, UNSEEN)
    why = (
        f"{operation}: AccessDeniedException; only the management account or a delegated "
        "administrator may ask"
    )
    assert reasons == {"scps": why, "rcps": why}


@pytest.mark.parametrize("operation", ["ListPoliciesForTarget", "DescribePolicy"])
def test_one_level_that_cannot_be_read_leaves_all_of_them_unseen(
    aws: Organizations, operation: str
) -> None:
    """A policy that nobody read would count as one that is not there."""
    aws.errors[operation] = "TooManyRequestsException"
    found, reasons = read(aws)
    assert (found.scps, found.rcps) == (UNSEEN, UNSEEN)
    assert reasons == dict.fromkeys(("scps", "rcps"), f"{operation}: TooManyRequestsException")


def test_credentials_that_may_not_ask_leave_all_of_it_unseen(aws: Organizations) -> None:
    """A refusal would read as: in no organization."""
    aws.errors["DescribeOrganization"] = "AccessDeniedException"
    found, reasons = read(aws)
    assert found == Organization()
    assert reasons == dict.fromkeys(
        ("customer.organization", "scps", "rcps"), "DescribeOrganization: AccessDeniedException"
    )


def test_a_network_without_a_way_to_the_service_stops_nothing_else(aws: Organizations) -> None:
    """A runner behind endpoints for IAM and KMS alone would get no snapshot at all."""
    aws.url = "http://127.0.0.1:9"
    found, reasons = read(aws)
    assert found == Organization()
    assert reasons["scps"] == "DescribeOrganization: EndpointConnectionError"


def test_the_rcps_of_a_key_in_another_account_are_not_those_of_the_role(
    aws: Organizations,
) -> None:
    """The key would be judged by policies that do not bear on it."""
    found, reasons = read(aws, "444455556666")
    assert found.rcps is UNSEEN
    assert len(ids(found.scps)) == 3
    assert "two accounts" in reasons["rcps"]
