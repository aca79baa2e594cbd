"""Read of AWS: credentials, caller, organization, the caller's policies. It changes nothing."""

from __future__ import annotations

import os
import time
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore import exceptions as botocore

from openai_ekm import aws_selection
from openai_ekm.arns import region_of
from openai_ekm.aws_session import client, list_items, translated
from openai_ekm.doctor.facts import Caller, Credentials, Organization, Permitted
from openai_ekm.errors import AwsRefused, EkmError
from openai_ekm.evaluation.request import CallerForm, parse_caller
from openai_ekm.policy import ALLOW_ALL
from openai_ekm.snapshot import UNSEEN, Registration, Role
from openai_ekm.snapshot.aws import collect
from openai_ekm.snapshot.organization import read_organization as read_levels
from openai_ekm.snapshot.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import boto3

    from openai_ekm.doctor.clocks import Clocks

__all__ = ["note_dates", "read_caller", "read_credentials", "read_organization", "read_permitted"]

_ALONE: Final = "AWSOrganizationsNotInUseException"
_ROLE_SOURCES: Final = ("role_arn", "credential_source", "sso_session", "sso_start_url")


def note_dates(session: boto3.Session, clocks: Clocks) -> None:
    """Let each answer of AWS tell its date from now on."""

    def begin(context: dict[str, Any], **_: Any) -> None:
        context["ekm.sent"] = time.time()

    def end(http_response: Any, context: dict[str, Any], **_: Any) -> None:
        now = time.time()
        clocks.note("AWS", http_response.headers.get("date"), context.get("ekm.sent", now), now)

    session.events.register("before-call", begin)
    session.events.register("after-call", end)


def read_credentials(session: boto3.Session) -> Credentials | EkmError:
    """Read where the credentials come from and when they end; a profile may assume a role here."""
    try:
        with translated("reading the AWS credentials"):
            found = session.get_credentials()
            if found is None:
                raise botocore.NoCredentialsError
            frozen = found.get_frozen_credentials()
    except EkmError as error:
        return error
    expires = getattr(found, "_expiry_time", None)  # botocore has no other name for it
    chained, duration = _chaining(str(found.method), temporary=bool(frozen.token))
    return Credentials(
        method=str(found.method),
        temporary=bool(frozen.token),
        expires=None if expires is None else expires.astimezone(UTC),
        chained=chained,
        duration=duration,
    )


def _chaining(method: str, *, temporary: bool) -> tuple[bool | None, int | None]:
    """Return whether a role was assumed from a role, and for how long the profile asks."""
    if method == "assume-role":
        import botocore.session as core  # noqa: PLC0415 - imported only where AWS is called

        profiles = core.Session().full_config.get("profiles", {})
        named = (os.environ.get(each) for each in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"))
        name = aws_selection.current().profile or next(filter(None, named), "default")
        profile = profiles.get(name, {})
        source = profiles.get(profile.get("source_profile", ""), {})
        chained = "credential_source" in profile or (
            profile.get("source_profile") != name and any(each in source for each in _ROLE_SOURCES)
        )
        return chained, _seconds(profile.get("duration_seconds"))
    if not temporary or method in {"sso", "login", "assume-role-with-web-identity"}:
        return False, None
    return None, None


def _seconds(text: object) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def read_caller(session: boto3.Session, region: str) -> Caller | EkmError:
    """Ask STS of a Region who the credentials are."""
    try:
        with translated("sts:GetCallerIdentity"):
            answer = client(session, "sts", region, attempts=2).get_caller_identity()
            return Caller(str(answer["Arn"]), str(answer["Account"]))
    except EkmError as error:
        return error


def read_organization(session: boto3.Session, account: str) -> Organization:
    """Read the organization of an account, and its SCPs and RCPs.

    Args:
        session: The credentials.
        account: Twelve digits.
    """
    management = _management(session)
    if management is None:
        return Organization(None)
    if isinstance(management, EkmError):
        why = "AWS Organizations did not answer (aws_management_account)"
        return Organization(management, why, why)
    refusals = Refusals()
    try:
        with translated("reading the policies of the organization"):
            found = read_levels(
                lambda: client(session, "organizations", "us-east-1", attempts=2),
                account,
                account,
                refusals,
            )
    except EkmError as error:
        return Organization(management, error.message, error.message)
    levels = {
        name: refusals.reasons.get(name, "they were not seen")
        if getattr(found, name) is UNSEEN
        else getattr(found, name)
        for name in ("scps", "rcps")
    }
    return Organization(management, **levels)


def _management(session: boto3.Session) -> str | EkmError | None:
    try:
        with translated("organizations:DescribeOrganization"):
            organizations = client(session, "organizations", "us-east-1", attempts=2)
            try:
                found = organizations.describe_organization()["Organization"]
            except botocore.ClientError as refusal:
                if refusal.response.get("Error", {}).get("Code") == _ALONE:
                    return None
                raise
            return str(found["MasterAccountId"])
    except EkmError as error:
        return error


def read_permitted(session: boto3.Session, caller: Caller, kms_arn: str | None) -> Permitted:
    """Read the policies of the caller, and the policy of the key.

    Args:
        session: The credentials.
        caller: Who they are of.
        kms_arn: The key that is named; None before there is one.
    """
    who = parse_caller(caller.arn)
    key_policy = None if kms_arn is None else _key_policy(session, kms_arn)
    if who is not None and who.form is CallerForm.ROOT:
        return Permitted((ALLOW_ALL,), key_policy=key_policy)
    if who is not None and who.form is CallerForm.USER:
        identity, boundary = _read_user(client(session, "iam", attempts=2), who.name)
        return Permitted(identity, boundary, caller.arn, key_policy)
    if who is None or not who.role_arn:
        return Permitted(_unread("the caller is neither a user nor a role"), key_policy=key_policy)
    try:
        with translated("reading the policies of the role"):
            role = collect(Registration(who.role_arn, "", ""), lambda _account: session).role
    except EkmError as error:
        return Permitted(error, key_policy=key_policy)
    if not isinstance(role, Role) or role.permission_policies is UNSEEN:
        return Permitted(_unread("IAM does not show the role to it"), key_policy=key_policy)
    bounded: Mapping[str, Any] | str | None = "it was not seen"
    if role.permissions_boundary is not UNSEEN:
        bounded = role.permissions_boundary
    documents = tuple(each.document for each in role.permission_policies)
    return Permitted(documents, bounded, role.arn, key_policy)


def _unread(why: str) -> AwsRefused:
    return AwsRefused("aws_refused", f"{why}.", remedy="docs/permissions.md lists what it needs.")


def _key_policy(session: boto3.Session, kms_arn: str) -> str | None:
    """Return the key policy, None where there is none to be had: an alias, a refusal."""
    if ":key/" not in kms_arn:
        return None
    try:
        with translated("kms:GetKeyPolicy"):
            kms = client(session, "kms", region_of(kms_arn), attempts=2)
            return str(kms.get_key_policy(KeyId=kms_arn, PolicyName="default")["Policy"])
    except EkmError:
        return None


def _read_user(
    iam: Any, name: str
) -> tuple[tuple[Any, ...] | EkmError, Mapping[str, Any] | str | None]:
    """Return the documents of a user's policies and its permissions boundary.

    Args:
        iam: A client of IAM.
        name: Of the user.
    """
    try:
        with translated("reading the policies of the user"):
            documents = tuple(_user_documents(iam, name))
    except EkmError as error:
        return error, None
    try:
        with translated("iam:GetUser"):
            bounded = iam.get_user(UserName=name)["User"].get("PermissionsBoundary")
            if not bounded:
                return documents, None
            return documents, _managed_document(iam, bounded["PermissionsBoundaryArn"])
    except EkmError:
        return documents, "it was not seen"


def _user_documents(iam: Any, name: str) -> Iterator[Any]:
    for policy in list_items(iam, "list_user_policies", "PolicyNames", UserName=name):
        yield iam.get_user_policy(UserName=name, PolicyName=policy)["PolicyDocument"]
    attached = "list_attached_user_policies"
    for each in list_items(iam, attached, "AttachedPolicies", UserName=name):
        yield _managed_document(iam, each["PolicyArn"])
    for group in list_items(iam, "list_groups_for_user", "Groups", UserName=name):
        of = {"GroupName": group["GroupName"]}
        for policy in list_items(iam, "list_group_policies", "PolicyNames", **of):
            yield iam.get_group_policy(**of, PolicyName=policy)["PolicyDocument"]
        for each in list_items(iam, "list_attached_group_policies", "AttachedPolicies", **of):
            yield _managed_document(iam, each["PolicyArn"])


def _managed_document(iam: Any, arn: str) -> Any:
    """Return the document of a managed policy's default version."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
