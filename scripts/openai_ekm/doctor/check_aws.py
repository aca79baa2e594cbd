"""Checks of the AWS credentials, the account, the Region and the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from openai_ekm.arns import account_of, region_of
from openai_ekm.doctor.checks import Family, Line, State, failed, remedy_of, unseen
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from openai_ekm.doctor.facts import Caller, Credentials, Given, Organization

__all__ = [
    "MOST_SKEW",
    "check_account",
    "check_clock",
    "check_credentials",
    "check_management_account",
    "check_region",
    "is_refused_by_clock",
]

# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
MOST_SKEW: Final = 300.0  # seconds; AWS refuses a request that was signed earlier or later
_NOTED_SKEW: Final = 60.0  # seconds; a clock that nothing sets drifts on
_SOON: Final = timedelta(minutes=15)  # an apply with a registration takes minutes
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html (role chaining)
_ONE_HOUR: Final = 3600
_SOURCES: Final = {
    "env": "variables of the environment",
    "shared-credentials-file": "the shared credentials file",
    "config-file": "the configuration file",
    "assume-role": "a role that the profile assumes",
    "assume-role-with-web-identity": "a role that is assumed with a web identity",
    "sso": "IAM Identity Center",
    "login": "aws login",
    "custom-process": "a credential_process",
    "container-role": "the role of a container",
    "iam-role": "the role of an EC2 instance",
}
_OF_THE_CLOCK: Final = ("SignatureDoesNotMatch", "RequestExpired", "InvalidSignatureException")


def check_credentials(
    credentials: Credentials | EkmError, blocked: str | None, now: datetime
) -> list[Line]:
    """Judge the source of the credentials, their expiry and the limit of role chaining.

    Args:
        credentials: As read.
        blocked: Why they could not be got, where the network is the reason.
        now: The time.
    """
    ids = ("aws_credentials", "aws_expiry", "aws_role_chaining")
    if isinstance(credentials, EkmError):
        why = "There are no credentials (aws_credentials)."
        first = unseen(ids[0], blocked) if blocked else failed(ids[0], credentials)
        return [first, *(unseen(each, why) for each in ids[1:])]
    source = _SOURCES.get(credentials.method, credentials.method)
    found = Line(ids[0], State.OK, f"The credentials come from {source}.")
    return [found, _expiry(credentials, now), _chaining(credentials)]


def _expiry(credentials: Credentials, now: datetime) -> Line:
    check, expires = "aws_expiry", credentials.expires
    if expires is None and not credentials.temporary:
        return Line(check, State.OK, "They are long-lived: an access key without a session token.")
    if expires is None:
        return unseen(
            check,
            "They are temporary, and nothing says when they end.",
            "`aws configure export-credentials --format env` also sets the time of expiry.",
        )
    left = expires - now
    shown = f"{expires:%Y-%m-%d %H:%M} UTC"
    if left <= timedelta(0):
        return Line(
            check, State.FAILURE, f"They ended at {shown}.", "Log in again (aws sso login)."
        )
    minutes = int(left.total_seconds() // 60)
    if left < _SOON:
        return Line(
            check,
            State.WARNING,
            f"They end at {shown}, in {minutes} minutes.",
            "Log in again before an apply: it may take longer than they last.",
        )
    return Line(check, State.OK, f"They end at {shown}, in {minutes} minutes.")


def _chaining(credentials: Credentials) -> Line:
    check = "aws_role_chaining"
    if credentials.chained is None:
        return unseen(check, "How these credentials were got is not known on this machine.")
    if not credentials.chained:
        return Line(check, State.OK, "No role is assumed with the credentials of another role.")
    asked = credentials.duration
    if asked is not None and asked > _ONE_HOUR:
        return Line(
            check,
            State.WARNING,
            f"The profile assumes a role from a role and asks for {asked} seconds; AWS gives such "
            "a session one hour at most and refuses more.",
            "Set duration_seconds = 3600 in the profile.",
        )
    return Line(
        check,
        State.WARNING,
        "The profile assumes a role from a role: AWS ends such a session after one hour.",
        "Let long runs (a fleet, a drill with --hold) use the profile itself and not exported "
        "variables: the SDK renews its session.",
    )


def is_refused_by_clock(answer: Caller | EkmError | None, skew: float | None) -> bool:
    """Return whether AWS refused a signature because this machine's clock is wrong."""
    if not isinstance(answer, EkmError) or skew is None or abs(skew) < MOST_SKEW:
        return False
    return any(code in answer.message for code in _OF_THE_CLOCK)


def check_account(answer: Caller | EkmError | None, blocked: str | None, given: Given) -> Line:
    """Judge the identity that the credentials are of.

    Args:
        answer: What STS said.
        blocked: Why STS was not asked, or its refusal means something else.
        given: What is named.
    """
    check = "aws_account"
    if blocked or answer is None:
        return unseen(check, blocked or "STS was not asked.")
    if isinstance(answer, EkmError):
        return failed(check, answer)
    shown = f"The caller is {answer.arn}, of account {answer.account}."
    named = {
        name: account_of(arn)
        for name, arn in (("role", given.role_arn), ("key", given.kms_arn))
        if arn is not None
    }
    other = {name: account for name, account in named.items() if account != answer.account}
    if other:
        what = " and ".join(f"the {name} is in {account}" for name, account in other.items())
        return Line(
            check,
            State.FAILURE,
            f"{shown} But {what}.",
            "Use credentials of that account (AWS_PROFILE, --profile).",
        )
    if answer.arn.endswith(":root"):
        return Line(
            check,
            State.WARNING,
            f"{shown} It is the root user.",
            "Work with a role: AWS advises against the root user for everyday work.",
        )
    return Line(check, State.OK, shown)


def check_region(
    region: str | None, accepted: bool | None, blocked: str | None, given: Given
) -> Line:
    """Judge the Region that is set, and whether the account has enabled it.

    An opt-in Region that is not enabled does not accept the account's credentials.

    Args:
        region: That is set for this process.
        accepted: Whether STS there accepts the credentials; None when it was not asked.
        blocked: Why it was not asked.
        given: What is named.

    Source: https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
    """
    check = "aws_region"
    of_key = region_of(given.kms_arn) if given.kms_arn is not None else None
    used = of_key or region
    if used is None:
        return Line(
            check,
            State.FAILURE,
            "No AWS Region is set.",
            "Set AWS_REGION (or --region) to the Region that the key is, or will be, in.",
        )
    if accepted is False:
        return Line(
            check,
            State.FAILURE,
            f"The Region {used} does not accept the credentials, and us-east-1 does: the account "
            "has not enabled it.",
            f"Enable {used} for the account (AWS Account Management), or choose another Region.",
            Family.AWS,
        )
    if region is None:
        return Line(
            check,
            State.WARNING,
            f"No AWS Region is set; the key is in {used}.",
            f"Set AWS_REGION={used}: a record in SSM is looked for in the Region that is set.",
        )
    if of_key is not None and of_key != region:
        return Line(
            check,
            State.WARNING,
            f"The Region that is set is {region}, and the key is in {of_key}.",
            f"Set AWS_REGION={of_key} unless the record is in {region} on purpose.",
        )
    if accepted is None:
        return unseen(
            check, f"The Region is {used}; {_begin_small(blocked or 'STS was not asked.')}"
        )
    return Line(check, State.OK, f"The Region is {used}, and it accepts the credentials.")


def check_management_account(
    organization: Organization | None, caller: Caller | None, blocked: str | None
) -> Line:
    """Judge whether the account is the one that manages its organization."""
    check = "aws_management_account"
    if organization is None or caller is None:
        return unseen(check, blocked or "AWS Organizations was not asked.")
    management = organization.management
    if isinstance(management, EkmError):
        allow = "Allow organizations:DescribeOrganization; every account may be given it."
        return unseen(check, management.message, remedy_of(management, allow))
    if management is None:
        return Line(check, State.OK, "The account is in no organization.")
    if management == caller.account:
        return Line(
            check,
            State.WARNING,
            f"The account {management} is the management account of its organization: no SCP and "
            "no RCP protects a key there.",
            "Keep the key in a member account.",
        )
    return Line(check, State.OK, f"It is a member account; {management} manages the organization.")


def check_clock(skews: dict[str, float]) -> Line:
    """Judge this machine's clock by the dates of answers.

    Args:
        skews: Who answered, and the seconds by which this machine is ahead of them.
    """
    if not skews:
        return unseen("clock", "No answer of AWS or OpenAI had a date to compare with.")
    source, skew = max(skews.items(), key=lambda each: abs(each[1]))
    if abs(skew) < 1:  # a date in an answer has whole seconds
        return Line("clock", State.OK, f"This machine has the time of {' and '.join(skews)}.")
    shown = f"This machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} {source}."
    remedy = "Let the clock be set by NTP (timedatectl set-ntp true, chrony, or the hypervisor)."
    if abs(skew) >= MOST_SKEW:
        words = f"{shown} AWS refuses requests that are signed 5 minutes off."
        return Line("clock", State.FAILURE, words, remedy)
    if abs(skew) >= _NOTED_SKEW:
        return Line("clock", State.WARNING, shown, remedy)
    return Line("clock", State.OK, shown)


def _begin_small(sentence: str) -> str:
    """Return a sentence as the second half of another."""
    return sentence if sentence.startswith(("AWS", "STS")) else sentence[:1].lower() + sentence[1:]
