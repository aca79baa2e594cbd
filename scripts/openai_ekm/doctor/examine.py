"""Read every fact and judge it, in the order in which things fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from openai_ekm.arns import region_of
from openai_ekm.aws_session import new_session
from openai_ekm.doctor import check_aws, read_aws
from openai_ekm.doctor.catalogue import CHECKS
from openai_ekm.doctor.check_network import check_network
from openai_ekm.doctor.check_openai import check_openai
from openai_ekm.doctor.check_organization import check_organization
from openai_ekm.doctor.check_permissions import check_permissions
from openai_ekm.doctor.check_record import check_record
from openai_ekm.doctor.check_trail import check_alarms, check_trails
from openai_ekm.doctor.check_versions import check_named, check_versions
from openai_ekm.doctor.clocks import Clocks
from openai_ekm.doctor.facts import Caller, Credentials, OpenAI
from openai_ekm.doctor.hiding import hide_secrets, secrets_of
from openai_ekm.doctor.read_machine import read_machine
from openai_ekm.doctor.read_network import read_network
from openai_ekm.doctor.read_openai import find_admin_key, make_api, read_openai
from openai_ekm.doctor.read_record import read_record
from openai_ekm.doctor.read_trail import read_rules, read_trails
from openai_ekm.errors import AwsRefused, BadInput, EkmError, NotReachable
from openai_ekm.openai_api.tls import ClientCertificate, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.doctor.facts import Given, Network
    from openai_ekm.doctor.line import Line

__all__ = ["examine"]

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
    set_region = None if isinstance(session, EkmError) else session.region_name
    region = region_of(given.kms_arn) if given.kms_arn is not None else set_region
    network = read_network(given, session, region, clocks)
    aws = _Aws(given, session, region, network)
    openai, key = _openai(given, network, aws, progress)
    skew = clocks.skews.get("AWS")
    now = datetime.now(UTC)
    lines = [*check_versions(machine), check_named(given)]
    lines += aws.lines(set_region, skew, now)
    lines += [check_aws.check_clock(clocks.skews)]
    lines += check_network(network, _before_aws(session, region))
    key_error = key if isinstance(key, EkmError) else None
    lines += check_openai(openai, key_error, _before_openai(given, network, aws), given)
    lines += aws.lines_of_account(now)
    session_used = None if isinstance(aws.credentials, EkmError) else aws.session
    found = hide_secrets(lines, secrets_of(session_used))
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


def _before_aws(session: boto3.Session | EkmError, region: str | None) -> str | None:
    """Return what kept AWS's host from being asked."""
    if isinstance(session, EkmError):
        return "The AWS configuration cannot be used (aws_credentials)."
    return "No AWS Region is set (aws_region)." if region is None else None


def _before_openai(given: Given, network: Network, aws: _Aws) -> str:
    """Return what kept OpenAI from being asked."""
    if given.admin_key_from is not None and aws.blocked is not None:
        return f"The admin key is in AWS. {aws.blocked}"
    if network.openai is None or isinstance(network.openai, EkmError):
        return "OpenAI is not reached (network_openai)."
    return "OpenAI was not asked."


class _Aws:
    """Everything that AWS is asked, and why it is not.

    Args:
        given: What is named.
        session: The configuration, or why it cannot be read.
        region: Of the key; None when no Region is known.
        network: Whether AWS's host answers.
    """

    def __init__(
        self,
        given: Given,
        session: boto3.Session | EkmError,
        region: str | None,
        network: Network,
    ) -> None:
        self._given = given
        self._network = network
        self.region = region
        self.session = None if isinstance(session, EkmError) else session
        self.credentials: Credentials | EkmError = (
            session if isinstance(session, EkmError) else read_aws.read_credentials(session)
        )
        self.unreached = (
            "AWS is not reached (network_aws)." if isinstance(network.aws, EkmError) else None
        )
        self.answer: Caller | EkmError | None = None
        self.accepted: bool | None = None
        self.caller: Caller | None = None
        self._ask_caller()
        self.blocked = self._blocked()

    def _ask_caller(self) -> None:
        if self.session is None or isinstance(self.credentials, EkmError) or self.unreached:
            return
        self.answer = read_aws.read_caller(self.session, self.region or _HOME)
        self.accepted = True if isinstance(self.answer, Caller) else None
        refused = isinstance(self.answer, AwsRefused)
        if refused and self.region not in {None, _HOME}:
            elsewhere = read_aws.read_caller(self.session, _HOME)
            if isinstance(elsewhere, Caller):
                self.answer, self.accepted = elsewhere, False
        self.caller = self.answer if isinstance(self.answer, Caller) else None

    def _blocked(self) -> str | None:
        """Return why AWS is not asked for more."""
        if isinstance(self.credentials, EkmError):
            return "There are no AWS credentials (aws_credentials)."
        if self.unreached:
            return self.unreached
        if self.caller is None:
            return "AWS does not accept the credentials (aws_account)."
        if self.region is None:
            return "No AWS Region is set (aws_region)."
        if self.accepted is False:
            return "The account has not enabled the Region (aws_region)."
        return None

    def lines(self, set_region: str | None, skew: float | None, now: datetime) -> list[Line]:
        """Judge credentials, account, Region and organization.

        Args:
            set_region: For this process.
            skew: Seconds by which this machine is ahead of AWS.
            now: The time.
        """
        unreached = None
        if isinstance(self.credentials, NotReachable):
            unreached = "AWS is not reached, which gives the credentials (network_aws)."
        why = self.blocked if self.answer is None else None
        if check_aws.is_refused_by_clock(self.answer, skew):
            why = "AWS refuses the signature because of this machine's clock (clock)."
        self._organization = (
            read_aws.read_organization(self.session, self.caller.account)
            if self.session is not None and self.caller is not None
            else None
        )
        return [
            *check_aws.check_credentials(self.credentials, unreached, now),
            check_aws.check_account(self.answer, why, self._given),
            check_aws.check_region(set_region, self.accepted, self.blocked, self._given),
            check_aws.check_management_account(self._organization, self.caller, self.blocked),
        ]

    def lines_of_account(self, now: datetime) -> list[Line]:
        """Judge permissions, organization, trails, alarms and the record.

        Args:
            now: The time.
        """
        session, caller, given = self.session, self.caller, self._given
        permitted = trails = rules = None
        if session is not None and caller is not None and self.blocked is None and self.region:
            permitted = read_aws.read_permitted(session, caller, given.kms_arn)
            trails = read_trails(session, self.region)
            rules = read_rules(session, self.region)
        region, blocked = self.region or _HOME, self.blocked
        usable = session if self.blocked is None else None
        is_file = given.record is not None and given.record[0] == "file"
        why = None if is_file or given.record is None else self.blocked
        time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return [
            *check_permissions(
                caller,
                permitted,
                self._organization,
                given,
                region=region,
                time=time,
                blocked=blocked,
            ),
            *check_organization(self._organization, caller, given, region=region, blocked=blocked),
            *check_trails(trails, self.region, blocked),
            check_alarms(rules, given.kms_arn, blocked),
            *check_record(read_record(given, usable), why),
        ]


def _openai(
    given: Given, network: Network, aws: _Aws, progress: Callable[[str], None]
) -> tuple[OpenAI | None, object]:
    """Ask OpenAI where it is reached and there is an admin key."""
    key = find_admin_key(given, aws.session if aws.blocked is None else None)
    if key is None or isinstance(key, EkmError) or not isinstance(network.openai, str):
        return None, key
    try:
        return read_openai(make_api(given, key, progress), given.external_id), key
    except BadInput as error:
        return None, error
