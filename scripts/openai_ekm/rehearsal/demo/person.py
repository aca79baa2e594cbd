"""A person of the customer's account, whose calls to KMS are recorded.

LocalStack makes the calls, and has no CloudTrail. So what CloudTrail would record of each goes to
the trail of the rehearsal: the same folder and bus as the emulator's.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis import AwsError
from openai_ekm.emulator.trail import KeyChange, KeyUse, Origin, RoleSession, Trail
from openai_ekm.emulator.trail.delivery import EventBus, TrailFolder
from openai_ekm.rehearsal.localstack import CUSTOMER_ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openai_ekm.rehearsal.localstack import LocalStack

__all__ = ["Person", "open_trail"]

_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{CUSTOMER_ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_USES: Final = frozenset({"Encrypt", "Decrypt"})
_CHANGES: Final = frozenset({"DisableKey", "EnableKey", "PutKeyPolicy"})
_SOURCE_IP: Final = "192.0.2.1"  # of an address range for documentation
_SENT: Final = "ekm_sent"


def open_trail(aws: LocalStack, folder: Path) -> Trail:
    """Return a trail into a folder and onto the event buses of a LocalStack.

    Args:
        aws: Where the account is.
        folder: Takes the log files.
    """

    def client(account: str, service: str, region: str | None) -> Any:
        return aws.client(service, account, region or REGION)

    return Trail(time.time, folder=TrailFolder(folder), bus=EventBus(client))


class Person:
    """A role of the account, and KMS as a session in it calls it.

    Attributes:
        role_arn: The role.
        kms: A client of KMS. Each use of a key by it is recorded, and each change that it makes.
    """

    def __init__(self, aws: LocalStack, trail: Trail, name: str) -> None:
        """Make the role and assume it.

        Args:
            aws: Where the account is.
            trail: Takes the records.
            name: Of the role.
        """
        role = aws.client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps(_TRUST)
        )["Role"]
        self.role_arn = str(role["Arn"])
        answer = aws.client("sts").assume_role(RoleArn=self.role_arn, RoleSessionName="demo")
        credentials = answer["Credentials"]
        self._trail = trail
        self._session = RoleSession(
            role_arn=self.role_arn,
            arn=answer["AssumedRoleUser"]["Arn"],
            principal_id=answer["AssumedRoleUser"]["AssumedRoleId"],
            access_key_id=credentials["AccessKeyId"],
            began=time.time(),
        )
        make: Callable[..., Any] = aws.session().client
        self.kms = make(
            "kms",
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        self.kms.meta.events.register("provide-client-params.kms", self._remember)
        self.kms.meta.events.register("after-call.kms", self._record)

    def _remember(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context[_SENT] = dict(params)

    def _record(
        self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        # The demo needs no record of a read, nor of a change that AWS refused.
        changes = model.name in _CHANGES and "Error" not in parsed
        if not changes and model.name not in _USES:
            return
        sent = context[_SENT]
        origin = Origin(
            at=time.time(),
            region=REGION,
            request_id=parsed["ResponseMetadata"]["RequestId"],
            source_ip=_SOURCE_IP,
            user_agent="aws-cli",
        )
        if changes:
            change = KeyChange(
                origin=origin,
                session=self._session,
                operation=model.name,
                key_arn=sent["KeyId"],
                sent=sent,
            )
            self._trail.deliver([change])
            return
        error = parsed.get("Error")
        use = KeyUse(
            origin=origin,
            session=self._session,
            operation=model.name,
            kms_arn=sent["KeyId"],
            key_arn=sent["KeyId"],
            encryption_context=sent.get("EncryptionContext", {}),
            error=error and AwsError(model.name, error["Code"], error["Message"]),
        )
        self._trail.deliver([use])
