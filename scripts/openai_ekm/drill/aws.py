"""The calls of a drill to AWS: reads, the cut, and the restore. They decide nothing.

Source: https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html
(GetKeyPolicy, PutKeyPolicy, DisableKey, EnableKey, DescribeKey)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import region_of
from openai_ekm.aws_session import client, translated
from openai_ekm.drill.preflight import AwsView
from openai_ekm.evaluation.request import parse_caller
from openai_ekm.snapshot import UNSEEN, Registration, Role, UnseenType
from openai_ekm.snapshot.aws import collect

if TYPE_CHECKING:
    import boto3

    from openai_ekm.registration.intent import Intent

__all__ = ["Aws"]

_POLICY: Final = "default"  # KMS wants the one name there is


class Aws:
    """The account that the key is in.

    Args:
        session: The credentials of who rehearses.
    """

    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}

    def look(self, intent: Intent) -> AwsView:
        """Read role, key, policies and who is asking."""
        with translated("sts:GetCallerIdentity"):
            caller = str(client(self._session, "sts").get_caller_identity()["Arn"])
        snapshot = collect(intent, lambda _account: self._session)
        return AwsView(snapshot.at(datetime.now(UTC)), caller, self._role_of(caller))

    def policy(self, key_arn: str) -> str:
        """Return the key policy to the letter."""
        with translated(f"kms:GetKeyPolicy {key_arn}"):
            found = self._kms(key_arn).get_key_policy(KeyId=key_arn, PolicyName=_POLICY)
        return str(found["Policy"])

    def put_policy(self, key_arn: str, text: str) -> None:
        """Replace the key policy; AWS refuses one that would lock this caller out."""
        with translated(f"kms:PutKeyPolicy {key_arn}"):
            self._kms(key_arn).put_key_policy(
                KeyId=key_arn,
                PolicyName=_POLICY,
                Policy=text,
                BypassPolicyLockoutSafetyCheck=False,
            )

    def state(self, key_arn: str) -> str:
        """Return KMS's word for the key's state."""
        with translated(f"kms:DescribeKey {key_arn}"):
            found = self._kms(key_arn).describe_key(KeyId=key_arn)
        return str(found["KeyMetadata"]["KeyState"])

    def disable(self, key_arn: str) -> None:
        """Disable the key."""
        with translated(f"kms:DisableKey {key_arn}"):
            self._kms(key_arn).disable_key(KeyId=key_arn)

    def enable(self, key_arn: str) -> None:
        """Enable the key; nothing happens to one that is enabled."""
        with translated(f"kms:EnableKey {key_arn}"):
            self._kms(key_arn).enable_key(KeyId=key_arn)

    def _kms(self, key_arn: str) -> Any:
        region = region_of(key_arn)
        if region not in self._clients:
            self._clients[region] = client(self._session, "kms", region)
        return self._clients[region]

    def _role_of(self, caller: str) -> Role | UnseenType | None:
        """Return the role behind a session, with its policies, where they may be read."""
        found = parse_caller(caller)
        if found is None or not found.role_arn:
            return UNSEEN
        return collect(Registration(found.role_arn, "", ""), lambda _account: self._session).role
