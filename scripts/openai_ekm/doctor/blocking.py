"""Why something is not asked: the check that fails before it, in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.arns import account_of
from openai_ekm.doctor.facts import Caller
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from openai_ekm.doctor.facts import Credentials, Given, Network

__all__ = ["Identity", "before_aws", "before_openai"]


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
