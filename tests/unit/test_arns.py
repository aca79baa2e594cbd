"""The forms of ARNs, against what AWS itself publishes."""

from __future__ import annotations

import pytest
from botocore.session import Session

from openai_ekm.arns import account_of, is_kms_arn, is_role_arn, region_of

KEY = "arn:aws:kms:{}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ROLE = "arn:aws:iam::111122223333:role/"


def regions(partition: str) -> list[str]:
    """The Regions in which AWS's own table has KMS."""
    return Session().get_available_regions("kms", partition_name=partition)


def test_each_published_region_of_the_partition_aws_is_accepted() -> None:
    """Guards against: a real Region whose keys cannot be registered."""
    found = [name for name in regions("aws") if not name.endswith("-fips")]
    assert len(found) > 25
    assert [name for name in found if not is_kms_arn(KEY.format(name))] == []


@pytest.mark.parametrize(
    "partition", ["aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"]
)
def test_a_region_of_another_partition_is_refused(partition: str) -> None:
    """Guards against: an ARN that names no key at all, since its partition has no such Region."""
    assert [name for name in regions(partition) if is_kms_arn(KEY.format(name))] == []


def test_a_region_that_is_not_known_yet_counts_where_it_is_expected() -> None:
    """Guards against: a plan whose Region is not known called malformed, or a word accepted."""
    arn = KEY.format("not-known")
    assert is_kms_arn(arn, unknown_region="not-known")
    assert not is_kms_arn(arn)
    assert not is_kms_arn(KEY.format("mars"), unknown_region="not-known")


@pytest.mark.parametrize(
    ("name", "accepted"),
    [
        ("a" * 64, True),
        ("a" * 65, False),
        ("team/x/openai-ekm", True),
        ("a+b=c,d.e@f-g_h", True),
        ("", False),
        ("team/", False),
        ("a b", False),
        ("a\n", False),
        ("ä", False),
        (f"{'p' * (2048 - len(ROLE) - 2)}/r", True),
        (f"{'p' * (2048 - len(ROLE) - 1)}/r", False),
    ],
)
def test_a_role_is_of_the_form_that_iam_makes_and_sts_takes(name: str, accepted: bool) -> None:
    """Guards against: a role that cannot exist, or that AssumeRole refuses for its length."""
    assert is_role_arn(f"{ROLE}{name}") is accepted


def test_the_parts_of_an_arn_are_read() -> None:
    """Guards against: a client of another Region, or credentials of another account."""
    assert region_of(KEY.format("eu-west-1")) == "eu-west-1"
    assert account_of(KEY.format("eu-west-1")) == account_of(f"{ROLE}x") == "111122223333"
