"""Read every fact and judge it, in the order in which things fail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_ekm.arns import account_of, region_of
from openai_ekm.aws_session import new_session
from openai_ekm.doctor import check_aws, read_aws
from openai_ekm.doctor.alarms import check_alarms, read_rules
from openai_ekm.doctor.checks import CHECKS, unseen
from openai_ekm.doctor.clocks import Clocks
from openai_ekm.doctor.facts import Caller
from openai_ekm.doctor.hiding import hide_secrets, secrets_of
from openai_ekm.doctor.network import check_network, read_network
from openai_ekm.doctor.openai import check_openai, find_admin_key, make_api, read_openai
from openai_ekm.doctor.organization import check_organization
from openai_ekm.doctor.permissions import check_permissions
from openai_ekm.doctor.record import check_record, read_record
from openai_ekm.doctor.trails import check_trails, read_trails
from openai_ekm.doctor.versions import check_named, check_versions, read_machine
from openai_ekm.errors import AwsRefused, BadInput, EkmError, NotReachable
from openai_ekm.openai_api.tls import ClientCertificate, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.doctor.checks import Line
    from openai_ekm.doctor.facts import (
        Credentials,
        Given,
        Network,
        OpenAI,
        Organization,
        Permitted,
        RecordFacts,
        Rule,
        Trail,
    )

__all__ = ["Identity", "before_aws", "before_openai", "examine"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls AWS, and what AWS says to that.

    Args:
        given: What is named.
        credentials: As read.
        region: Of the key; None when no Region is known.
        answer: Of STS; None when it was not asked.
        accepted: Whether the Region accepts the credentials; None when that was not seen.
        reached: Whether AWS's host answers; None when it was not asked.
    """

    given: Given
    credentials: Credentials | EkmError
    region: str | None
    answer: Caller | EkmError | None
    accepted: bool | None
    reached: bool | None

    @property
    def caller(self) -> Caller | None:
        """Return the caller, where STS has told."""
        return self.answer if isinstance(self.answer, Caller) else None

    @property
    def unreached(self) -> str | None:
        """Return that AWS is not reached, where that is so."""
        return "AWS is not reached (network_aws)." if self.reached is False else None

    @property
    def blocked(self) -> str | None:
        """Return why AWS is asked for nothing more; None when it is."""
        named = (self.given.role_arn, self.given.kms_arn)
        accounts = {account_of(arn) for arn in named if arn is not None}
        reasons = (
            ("There are no AWS credentials (aws_credentials).", self._has_no_credentials()),
            (self.unreached or "", self.reached is False),
            ("AWS does not accept the credentials (aws_account).", self.caller is None),
            (
                "The credentials are of another account (aws_account).",
                self.caller is not None and bool(accounts - {self.caller.account}),
            ),
            ("No AWS Region is set (aws_region).", self.region is None),
            ("The account has not enabled the Region (aws_region).", self.accepted is False),
        )
        return next((reason for reason, holds in reasons if holds), None)

    def _has_no_credentials(self) -> bool:
        """Return whether there are none, for another reason than the network."""
        return isinstance(self.credentials, EkmError) and self.reached is not False


def before_aws(*, configured: bool, region: str | None) -> str | None:
    """Return what keeps AWS's host from being asked.

    Args:
        configured: Whether the AWS configuration can be read.
        region: That is known.
    """
    if not configured:
        return "The AWS configuration cannot be used (aws_credentials)."
    return "No AWS Region is set (aws_region)." if region is None else None


def before_openai(given: Given, network: Network, identity: Identity) -> str:
    """Return what keeps OpenAI from being asked.

    Args:
        given: Where the admin key is.
        network: Whether OpenAI's host answers.
        identity: Whether AWS is asked, which may have the admin key.
    """
    if given.admin_key_from is not None and identity.blocked is not None:
        return f"The admin key is in AWS. {identity.blocked}"
    if network.openai is None or isinstance(network.openai, EkmError):
        return "OpenAI is not reached (network_openai)."
    return "OpenAI was not asked."


_HOME = "us-east-1"  # a Region that every account of the partition has


def examine(given: Given, progress: Callable[[str], None]) -> tuple[Line, ...]:
    """Look at everything once; nothing is changed.

    Args:
        given: What is named.
        progress: Takes a line when a call is repeated.

    Returns:
        One line for each check of `CHECKS`, in that order.
    """
    given = _with_usable_certificate(given)
    clocks = Clocks()
    machine = read_machine(given.folder)
    session = _session(clocks)
    configured = not isinstance(session, EkmError)
    set_region = None if isinstance(session, EkmError) else session.region_name
    region = region_of(given.kms_arn) if given.kms_arn is not None else set_region
    network = read_network(given, session, region, clocks)
    identity = _identity(given, session, region, network)
    aws = _read_aws(identity, session)
    answers, key = _openai(given, network, identity, session, progress)
    lines = [
        *check_versions(machine),
        check_named(given),
        *_check_identity(identity, aws, set_region, clocks, configured=configured),
        check_aws.check_clock(clocks.skews),
        *check_network(network, before_aws(configured=configured, region=region)),
        *check_openai(
            answers,
            key if isinstance(key, EkmError) else None,
            before_openai(given, network, identity),
            given,
        ),
        *_check_account(identity, aws),
    ]
    secrets = set() if isinstance(identity.credentials, EkmError) else secrets_of(aws.session)
    found = hide_secrets(lines, secrets | secrets_of(None))
    assert [each.id for each in found] == list(CHECKS)  # nosec B101 # the catalogue has the order
    return found


def _with_usable_certificate(given: Given) -> Given:
    """Return what is named, with the error in place of a client certificate that is none."""
    if isinstance(given.certificate, ClientCertificate):
        try:
            tls_context(given.certificate)
        except BadInput as error:
            if error.id == "client_certificate_unusable":
                return replace(given, certificate=error)
    return given


def _session(clocks: Clocks) -> boto3.Session | EkmError:
    try:
        session = new_session()
    except EkmError as error:
        return error
    read_aws.note_dates(session, clocks)
    return session


@dataclass(frozen=True, slots=True)
class _Aws:
    """Facts about the account; None where AWS was not asked."""

    session: boto3.Session | None = None
    organization: Organization | None = None
    permitted: Permitted | None = None
    trails: tuple[Trail, ...] | EkmError | None = None
    rules: tuple[Rule, ...] | EkmError | None = None
    record: RecordFacts | EkmError | None = None


def _identity(
    given: Given, session: boto3.Session | EkmError, region: str | None, network: Network
) -> Identity:
    """Ask STS who the credentials are of, in the Region of the key and else in us-east-1."""
    reached = None if network.aws is None else not isinstance(network.aws, EkmError)
    if isinstance(session, EkmError):
        return Identity(given, session, region, None, None, reached)
    credentials = read_aws.read_credentials(session)
    if isinstance(credentials, EkmError) or reached is False:
        return Identity(given, credentials, region, None, None, reached)
    answer = read_aws.read_caller(session, region or _HOME)
    accepted = True if isinstance(answer, Caller) else None
    if isinstance(answer, AwsRefused) and region not in {None, _HOME}:
        elsewhere = read_aws.read_caller(session, _HOME)
        if isinstance(elsewhere, Caller):
            answer, accepted = elsewhere, False
    return Identity(given, credentials, region, answer, accepted, reached)


def _read_aws(identity: Identity, session: boto3.Session | EkmError) -> _Aws:
    """Read the account, as far as it may be asked."""
    given, caller = identity.given, identity.caller
    record_alone = _Aws(record=read_record(given, None))
    if isinstance(session, EkmError) or caller is None:
        known = None if isinstance(session, EkmError) else session
        return replace(record_alone, session=known)
    organization = read_aws.read_organization(session, caller.account)
    if identity.blocked is not None or identity.region is None:
        return replace(record_alone, session=session, organization=organization)
    return _Aws(
        session,
        organization,
        read_aws.read_permitted(session, caller, given.kms_arn),
        read_trails(session, identity.region),
        read_rules(session, identity.region, given.kms_arn),
        read_record(given, session),
    )


def _openai(
    given: Given,
    network: Network,
    identity: Identity,
    session: boto3.Session | EkmError,
    progress: Callable[[str], None],
) -> tuple[OpenAI | None, object]:
    """Ask OpenAI where it is reached and there is an admin key."""
    key = find_admin_key(given, session if identity.blocked is None else None)
    if key is None or isinstance(key, EkmError) or not isinstance(network.openai, str):
        return None, key
    try:
        return read_openai(make_api(given, key, progress), given.external_id), key
    except BadInput as error:
        return None, error


def _check_identity(
    identity: Identity, aws: _Aws, set_region: str | None, clocks: Clocks, *, configured: bool
) -> list[Line]:
    """Judge credentials, account, Region and organization."""
    given, blocked = identity.given, identity.blocked
    why = blocked if identity.answer is None else None
    if check_aws.is_refused_by_clock(identity.answer, clocks.skews.get("AWS")):
        why = "AWS refuses the signature because of this machine's clock (clock)."
    away = identity.unreached if isinstance(identity.credentials, NotReachable) else None
    return [
        *check_aws.check_credentials(identity.credentials, away, datetime.now(UTC)),
        check_aws.check_account(identity.answer, why, given),
        check_aws.check_region(set_region, identity.accepted, blocked, given)
        if configured
        else unseen("aws_region", "The AWS configuration cannot be used (aws_credentials)."),
        check_aws.check_management_account(aws.organization, identity.caller, blocked),
    ]


def _check_account(identity: Identity, aws: _Aws) -> list[Line]:
    """Judge permissions, organization, trails, alarms and the record."""
    given, caller, blocked = identity.given, identity.caller, identity.blocked
    region = identity.region or _HOME
    is_in_ssm = given.record is not None and given.record[0] == "ssm"
    return [
        *check_permissions(
            caller,
            aws.permitted,
            aws.organization,
            given,
            region=region,
            time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            blocked=blocked,
        ),
        *check_organization(aws.organization, caller, given, region=region, blocked=blocked),
        *check_trails(aws.trails, identity.region, blocked),
        check_alarms(aws.rules, given.kms_arn, blocked),
        *check_record(aws.record, blocked if is_in_ssm else None),
    ]
