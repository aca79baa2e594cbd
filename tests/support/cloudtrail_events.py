"""Events as CloudTrail and KMS send them to EventBridge, about one key and one role."""

from __future__ import annotations

from typing import Any, Final

from openai_ekm.emulator.trail.delivery import entry_of
from openai_ekm.emulator.trail.records import Origin, RoleSession, record_of

__all__ = [
    "ACCOUNT",
    "ADMINISTRATOR",
    "ALIAS",
    "ALIAS_ARN",
    "DEPLOYER",
    "FOREIGN",
    "KEY_ARN",
    "KEY_ID",
    "MAINTAINERS",
    "MAINTENANCE",
    "MANAGED_POLICY",
    "NAMESAKE",
    "NAMESAKES",
    "OPENAI_CALLER",
    "OPENAI_SESSION",
    "OPERATOR",
    "OTHER_KEY",
    "REGION",
    "ROLE_ARN",
    "ROOT",
    "SERVICE",
    "TOPIC",
    "TOPIC_KEY",
    "USER",
    "api_event",
    "of_key",
    "refused",
    "service_event",
    "session_of",
]

ACCOUNT: Final = "111122223333"
AT: Final = 1_795_946_400.0  # 2026-11-29T10:00:00Z
REGION: Final = "eu-west-1"
KEY_ID: Final = "11111111-2222-4333-8444-555555555555"
KEY_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY_ID}"
OTHER_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/99999999-2222-4333-8444-555555555555"
ALIAS: Final = "alias/openai-ekm"
ALIAS_ARN: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:{ALIAS}"
ROLE_ARN: Final = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
DEPLOYER: Final = f"arn:aws:iam::{ACCOUNT}:role/deployer"
OPERATOR: Final = f"arn:aws:iam::{ACCOUNT}:user/operator"
MANAGED_POLICY: Final = f"arn:aws:iam::{ACCOUNT}:policy/use-of-the-key"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:openai-ekm-critical"
# Tests write it where the module makes a key.
TOPIC_KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/77777777-2222-4333-8444-555555555555"
OPENAI: Final = "790389265272"

USER: Final = {
    "type": "IAMUser",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/eve",
    "accountId": ACCOUNT,
    "userName": "eve",
}
ROOT: Final = {"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}
SERVICE: Final = {"type": "AWSService", "invokedBy": "s3.amazonaws.com"}
FOREIGN: Final = {"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "999988887777"}
OPENAI_CALLER: Final = {
    "type": "AWSAccount",
    "principalId": "AROAEXAMPLE:OpenAI",
    "accountId": OPENAI,
}


def session_of(role_arn: str) -> dict[str, Any]:
    """The identity of a session of a role."""
    name, account = role_arn.rpartition("/")[2], role_arn.split(":")[4]
    return RoleSession(
        role_arn=role_arn,
        arn=f"arn:aws:sts::{account}:assumed-role/{name}/session",
        principal_id="AROAEXAMPLE:session",
        access_key_id="ASIAEXAMPLE",
        began=AT,
    ).identity


OPENAI_SESSION: Final = session_of(ROLE_ARN)
ADMINISTRATOR: Final = session_of(f"arn:aws:iam::{ACCOUNT}:role/administrator")
MAINTENANCE: Final = (
    session_of(DEPLOYER),
    {"type": "IAMUser", "arn": OPERATOR, "accountId": ACCOUNT, "userName": "operator"},
)
# And a session of a maintenance role whose own ARN the record leaves out.
MAINTAINERS: Final = (
    *MAINTENANCE,
    {name: value for name, value in MAINTENANCE[0].items() if name != "arn"},
)
NAMESAKE: Final = session_of(f"{ROLE_ARN}-2")
# Their names begin as those of OpenAI's role and of those who maintain.
NAMESAKES: Final = (
    NAMESAKE,
    session_of(f"{DEPLOYER}-2"),
    {"type": "IAMUser", "arn": f"{OPERATOR}-2", "accountId": ACCOUNT, "userName": "operator-2"},
)


def api_event(service: str, name: str, who: dict[str, Any] = USER, **detail: Any) -> dict[str, Any]:
    """An event of one call, as the emulator writes it.

    Args:
        service: Of EventBridge's source: `kms` of `aws.kms`.
        name: The call.
        who: `userIdentity`.
        detail: Further members of CloudTrail's record, or others instead.
    """
    record = record_of(
        Origin(
            at=AT,
            region="us-east-1" if service == "iam" else REGION,
            request_id="22222222-1111-4111-8111-111111111111",
            source_ip="192.0.2.0",
            user_agent="aws-cli",
        ),
        who=who,
        service=service,
        name=name,
        sent=None,
        resources=None,
        event_id="11111111-1111-4111-8111-111111111111",
        recipient=ACCOUNT,
        read_only=False,
    )
    whole = record | detail
    entry = entry_of(whole)
    return {
        "version": "0",
        "id": whole["eventID"],
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": whole["recipientAccountId"],
        "time": entry["Time"],
        "region": whole["awsRegion"],
        "resources": entry["Resources"],
        "detail": whole,
    }


def service_event(kind: str, key: str = KEY_ARN) -> dict[str, Any]:
    """An event that KMS itself sends."""
    event = api_event("kms", "none")
    detail = {"key-id": key.rpartition("/")[2]}
    return {**event, "detail-type": kind, "resources": [key], "detail": detail}


def of_key(key: str) -> dict[str, Any]:
    """The members by which KMS's records name a key."""
    resources = [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key}]
    return {"resources": resources, "requestParameters": {"keyId": key}}


def refused(who: str, action: str, resource: str) -> dict[str, Any]:
    """A refusal that names the resource in its message alone."""
    text = f"User: {who} is not authorized to perform: {action} on resource: {resource} because no"
    return {
        "errorCode": "AccessDenied",
        "errorMessage": f"{text} identity-based policy allows the {action} action",
        "requestParameters": None,
    }
