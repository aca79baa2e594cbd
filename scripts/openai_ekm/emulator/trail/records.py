"""CloudTrail's records of calls in AWS, by OpenAI and by others, as values: no I/O.

The members and their order are those of AWS's examples. `additionalEventData` and `tlsDetails` are
left out: the emulator's AWS has neither key material ids nor TLS.

Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
https://docs.aws.amazon.com/kms/latest/developerguide/ct-disablekey.html,
https://docs.aws.amazon.com/kms/latest/developerguide/ct-put-key-policy.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_SESSION_NAME
from openai_ekm.openai_calls.requests import ENCRYPTION_ALGORITHM

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai_ekm.diagnosis import AwsError

__all__ = [
    "Assumption",
    "KeyChange",
    "KeyUse",
    "Origin",
    "Record",
    "RoleSession",
    "new_id",
    "record_of",
]

Record = dict[str, Any]

_VERSION: Final = "1.11"
# The unique id of OpenAI's role is not public: an assumption, in the form of AWS's.
_OPENAI_PRINCIPAL_ID: Final = f"AROAOPENAIEKMEXAMPLE2:{OPENAI_SESSION_NAME}"
# The token itself stays out of files: this is what AWS's examples have in its place.
_BLOB: Final = "<encoded session token blob>"


def new_id() -> str:
    """Return a fresh id of an event or a request."""
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The origin of a call, which every record has.

    Args:
        at: Unix seconds.
        region: Of the endpoint that was called.
        request_id: AWS's id of the request.
        source_ip: Where the call came from.
        user_agent: The program that made it.
    """

    at: float
    region: str
    request_id: str
    source_ip: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """A session in the customer's role.

    Args:
        role_arn: The role.
        arn: The session's ARN.
        principal_id: The role's unique id, a colon, and the session's name.
        access_key_id: Of its credentials.
        began: Unix seconds.
    """

    role_arn: str
    arn: str
    principal_id: str
    access_key_id: str
    began: float

    @property
    def account(self) -> str:
        """Return the account of the role."""
        return account_of(self.role_arn)

    @property
    def identity(self) -> Record:
        """Return the session as `userIdentity` of what it calls."""
        return {
            "type": "AssumedRole",
            "principalId": self.principal_id,
            "arn": self.arn,
            "accountId": self.account,
            "accessKeyId": self.access_key_id,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": self.principal_id.partition(":")[0],
                    "arn": self.role_arn,
                    "accountId": self.account,
                    "userName": self.role_arn.rpartition("/")[2],
                },
                "attributes": {"creationDate": _time(self.began), "mfaAuthenticated": "false"},
            },
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """An AssumeRole by OpenAI that STS answered with a session.

    One that STS refuses has no record here: AWS logs a refusal across accounts in the caller's
    account alone.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html

    Args:
        origin: When, where and how.
        session: What came of it.
        external_id: The one that was sent, if any.
        duration_seconds: How long the session was asked for.
        ends: Unix seconds.
    """

    origin: Origin
    session: RoleSession
    external_id: str | None
    duration_seconds: int
    ends: float

    def records(self, new_id: Callable[[], str] = new_id) -> tuple[Record, ...]:
        """Return the record of the customer's account.

        The other one, in OpenAI's account, is not the customer's to see.

        Args:
            new_id: Returns an id of an event.
        """
        session, origin = self.session, self.origin
        name = session.arn.rpartition("/")[2]
        sent = {"roleArn": session.role_arn, "roleSessionName": name}
        if self.external_id is not None:
            sent["externalId"] = self.external_id
        record = record_of(
            origin,
            who={
                "type": "AWSAccount",
                "principalId": _OPENAI_PRINCIPAL_ID,
                "accountId": OPENAI_ACCOUNT,
            },
            service="sts",
            name="AssumeRole",
            sent={**sent, "durationSeconds": self.duration_seconds},
            answered={
                "credentials": {
                    "accessKeyId": session.access_key_id,
                    "sessionToken": _BLOB,
                    "expiration": _long_time(self.ends),
                },
                "assumedRoleUser": {"assumedRoleId": session.principal_id, "arn": session.arn},
            },
            resources=[
                {"ARN": session.role_arn, "accountId": session.account, "type": "AWS::IAM::Role"}
            ],
            event_id=new_id(),
            recipient=session.account,
            shared_event_id=new_id(),
        )
        return (record,)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """An Encrypt or Decrypt by a session in the customer's role.

    Sources: https://docs.aws.amazon.com/kms/latest/developerguide/ct-encrypt.html,
    https://docs.aws.amazon.com/kms/latest/developerguide/ct-decrypt.html,
    https://docs.aws.amazon.com/kms/latest/developerguide/logging-using-cloudtrail.html (accounts),
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-ct.html (a key named by its alias)

    Args:
        origin: When, where and how.
        session: Who.
        operation: `Encrypt` or `Decrypt`.
        kms_arn: The key or alias as the call names it.
        key_arn: The key, where there is one.
        encryption_context: As it was sent.
        error: What KMS answered, if not what was asked for.
        denial_names_key: Whether the record of a denial names the key outside of its message.
    """

    origin: Origin
    session: RoleSession
    operation: str
    kms_arn: str
    key_arn: str | None
    encryption_context: Mapping[str, str]
    error: AwsError | None = None
    denial_names_key: bool = False

    def records(self, new_id: Callable[[], str] = new_id) -> tuple[Record, ...]:
        """Return the record of the role's account, and that of the key's where it is another.

        Args:
            new_id: Returns an id of an event.
        """
        caller, owner = self.session.account, account_of(self.kms_arn)
        if caller == owner:
            return (self._record(self.session.identity, caller, new_id(), None),)
        shared = new_id()
        records = [self._record(self.session.identity, caller, new_id(), shared)]
        if not self._is_denied:
            stranger = {
                "type": "AWSAccount",
                "principalId": self.session.principal_id,
                "accountId": caller,
            }
            records.append(self._record(stranger, owner, new_id(), shared))
        return tuple(records)

    @property
    def _is_denied(self) -> bool:
        return self.error is not None and self.error.code.startswith("AccessDenied")

    def _record(
        self, who: Record, recipient: str, event_id: str, shared_event_id: str | None
    ) -> Record:
        names_key = self.denial_names_key or not self._is_denied
        key = self.key_arn if names_key else None
        return record_of(
            self.origin,
            who=who,
            service="kms",
            name=self.operation,
            error=self._error(),
            sent=self._sent() if names_key else None,
            resources=key and [{"accountId": account_of(key), "type": "AWS::KMS::Key", "ARN": key}],
            event_id=event_id,
            recipient=recipient,
            shared_event_id=shared_event_id,
        )

    def _sent(self) -> Record:
        context = dict(self.encryption_context)
        sent: Record = {
            "encryptionAlgorithm": ENCRYPTION_ALGORITHM,
            "keyId": self.kms_arn,
            "encryptionContext": context,
        }
        if not context:
            del sent["encryptionContext"]
        return dict(reversed(sent.items())) if self.operation == "Encrypt" else sent

    def _error(self) -> Record:
        if self.error is None:
            return {}
        # A caller reads AccessDeniedException where CloudTrail writes AccessDenied: seen by others.
        code = "AccessDenied" if self._is_denied else self.error.code
        return {"errorCode": code, "errorMessage": self.error.message}


def record_of(
    origin: Origin,
    *,
    who: Record,
    service: str,
    name: str,
    sent: Record | None,
    answered: Record | None = None,
    error: Record | None = None,
    resources: Any,
    event_id: str,
    recipient: str,
    shared_event_id: str | None = None,
    read_only: bool = True,
) -> Record:
    """Return the record of one call, its members in AWS's order.

    Args:
        origin: When, where and how.
        who: `userIdentity`.
        service: That was called, such as `kms`.
        name: The call.
        sent: `requestParameters`.
        answered: `responseElements`.
        error: `errorCode` and `errorMessage`, if it was refused.
        resources: What it was about, if the record says so.
        event_id: The record's own.
        recipient: The account whose record it is.
        shared_event_id: The same in each account's record of one call.
        read_only: Whether CloudTrail counts the call as one that only reads.
    """
    return {
        "eventVersion": _VERSION,
        "userIdentity": who,
        "eventTime": _time(origin.at),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": origin.region,
        "sourceIPAddress": origin.source_ip,
        "userAgent": origin.user_agent,
        **(error or {}),
        "requestParameters": sent,
        "responseElements": answered,
        "requestID": origin.request_id,
        "eventID": event_id,
        "readOnly": read_only,
        **({"resources": resources} if resources else {}),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": recipient,
        **({"sharedEventID": shared_event_id} if shared_event_id else {}),
        "eventCategory": "Management",
    }


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _long_time(at: float) -> str:
    """Return a time as AWS's examples write the end of a session: `Jul 18, 2014 4:07:39 PM`."""
    when = datetime.fromtimestamp(at, UTC)
    hour, half = when.hour % 12 or 12, "AM" if when.hour < 12 else "PM"  # noqa: PLR2004 - noon
    return f"{when:%b} {when.day}, {when.year} {hour}:{when:%M:%S} {half}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """A call of KMS, by a session of the key's account, that changes a key.

    Args:
        origin: When, where and how.
        session: Who.
        operation: Such as `DisableKey`.
        key_arn: The key.
        sent: What was sent, with AWS's names: `{"KeyId": …}`.
    """

    origin: Origin
    session: RoleSession
    operation: str
    key_arn: str
    sent: Mapping[str, Any]

    def records(self, new_id: Callable[[], str] = new_id) -> tuple[Record, ...]:
        """Return the record of the account.

        Args:
            new_id: Returns an id of an event.
        """
        account = account_of(self.key_arn)
        record = record_of(
            self.origin,
            who=self.session.identity,
            service="kms",
            name=self.operation,
            sent={f"{name[0].lower()}{name[1:]}": value for name, value in self.sent.items()},
            resources=[{"accountId": account, "type": "AWS::KMS::Key", "ARN": self.key_arn}],
            event_id=new_id(),
            recipient=account,
            read_only=False,
        )
        return (record,)
