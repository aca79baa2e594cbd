"""Read the policies of an IAM user: its own, and those of its groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.aws_session import list_items, translated
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["read_user"]


def read_user(
    iam: Any, name: str
) -> tuple[tuple[Any, ...] | EkmError, Mapping[str, Any] | str | None]:
    """Return the documents of a user's policies and its permissions boundary.

    Args:
        iam: A client of IAM.
        name: Of the user.
    """
    try:
        with translated("reading the policies of the user"):
            documents = tuple(_documents(iam, name))
    except EkmError as error:
        return error, None
    try:
        with translated("iam:GetUser"):
            bounded = iam.get_user(UserName=name)["User"].get("PermissionsBoundary")
            if not bounded:
                return documents, None
            return documents, _managed(iam, bounded["PermissionsBoundaryArn"])
    except EkmError:
        return documents, "it was not seen"


def _documents(iam: Any, name: str) -> Iterator[Any]:
    for policy in list_items(iam, "list_user_policies", "PolicyNames", UserName=name):
        yield iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
    attached = "list_attached_user_policies"
    for each in list_items(iam, attached, "AttachedPolicies", UserName=name):
        yield _managed(iam, each["PolicyArn"])
    for group in list_items(iam, "list_groups_for_user", "Groups", UserName=name):
        of = {"GroupName": group["GroupName"]}
        for policy in list_items(iam, "list_group_policies", "PolicyNames", **of):
            yield iam.get_group_policy(**of, PolicyName=policy)["PolicyDocument"]
        for each in list_items(iam, "list_attached_group_policies", "AttachedPolicies", **of):
            yield _managed(iam, each["PolicyArn"])


def _managed(iam: Any, arn: str) -> Any:
    """Return the document of a managed policy's default version."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
