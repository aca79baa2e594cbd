"""Records of CloudTrail about one key and one role, and log files of them."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

from tests.support.cloudtrail_events import (
    ACCOUNT,
    ADMINISTRATOR,
    FOREIGN,
    KEY_ARN,
    OPENAI_CALLER,
    OTHER_KEY,
    REGION,
    ROLE_ARN,
    ROOT,
    SERVICE,
    USER,
    of_key,
    refused,
    session_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "GOLDEN",
    "ROLE_ID",
    "Record",
    "assumed",
    "changed_role",
    "log_file",
    "record",
    "session",
    "used",
    "write_log",
]

Record = dict[str, Any]
ROLE_ID: Final = "AROAEXAMPLEROLEID0000"


def record(
    number: int, when: str, service: str, name: str, who: dict[str, Any], **more: Any
) -> Record:
    """A record.

    Args:
        number: Makes its id.
        when: Time, `2026-11-28T08:00:00Z`.
        service: As in `kms`.
        name: The call.
        who: `userIdentity`.
        more: Further members, and those that differ.
    """
    return {
        "eventVersion": "1.11",
        "userIdentity": who,
        "eventTime": when,
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "awsRegion": "us-east-1" if service == "iam" else REGION,
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "a program",
        "requestParameters": None,
        "responseElements": None,
        "eventID": f"{number:08d}-0000-4000-8000-000000000000",
        "recipientAccountId": ACCOUNT,
        **more,
    }


def session(key_id: str, role_arn: str = ROLE_ARN) -> dict[str, Any]:
    """The identity of a session of the role.

    Args:
        key_id: Its access key id.
        role_arn: Another role.
    """
    found = session_of(role_arn)
    found["sessionContext"]["sessionIssuer"]["principalId"] = ROLE_ID
    return {**found, "accessKeyId": key_id, "principalId": f"{ROLE_ID}:session"}


def assumed(
    number: int, when: str, key_id: str, who: dict[str, Any] = OPENAI_CALLER, **more: Any
) -> Record:
    """An AssumeRole of the role, which gave credentials with this access key id."""
    answered = {
        "credentials": {"accessKeyId": key_id},
        "assumedRoleUser": {"assumedRoleId": f"{ROLE_ID}:session", "arn": "unused"},
    }
    given: Record = {
        "requestParameters": {"roleArn": ROLE_ARN, "externalId": "org-abc123"},
        "responseElements": answered,
        **more,
    }
    return record(number, when, "sts", "AssumeRole", who, **given)


def used(number: int, when: str, name: str, who: dict[str, Any], **more: Any) -> Record:
    """A call that uses the key."""
    return record(number, when, "kms", name, who, **{**of_key(KEY_ARN), **more})


def changed_role(number: int, when: str, name: str, who: dict[str, Any], **more: Any) -> Record:
    """A call that changes the role."""
    sent = {"roleName": ROLE_ARN.rpartition("/")[2]}
    return record(number, when, "iam", name, who, requestParameters=sent, **more)


def log_file(records: Sequence[Any], *, packed: bool = True) -> bytes:
    """A log file."""
    text = json.dumps({"Records": list(records)}).encode()
    return gzip.compress(text, mtime=0) if packed else text


def write_log(
    folder: Path, records: Sequence[Any], *, day: str = "2026/11/28", unique: str = "A" * 16
) -> Path:
    """Write a log file where a trail would; return it."""
    stamp = day.replace("/", "") + "T1000Z"
    name = f"{ACCOUNT}_CloudTrail_{REGION}_{stamp}_{unique}.json.gz"
    place = folder / "AWSLogs" / ACCOUNT / "CloudTrail" / REGION / day / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(log_file(records))
    return place


_ARN: Final = "arn:aws:sts::111122223333:assumed-role/openai-ekm/session"
_REST: Final = "because no resource-based policy allows the kms:Decrypt action"
_ON_THIS: Final = {
    "errorCode": "AccessDenied",
    "errorMessage": f"User: {_ARN} is not authorized to perform: kms:Decrypt on this resource",
    "resources": None,
    "requestParameters": None,
}
_UNNAMED: Final = {"resources": None, "requestParameters": None}

# Two days at one key. What they answer was worked out by hand: tests/unit/usage/test_golden.py.
GOLDEN: Final[tuple[Record, ...]] = (
    assumed(1, "2026-11-28T08:00:00Z", "ASIAFIRST"),
    used(2, "2026-11-28T08:00:01Z", "Encrypt", session("ASIAFIRST")),
    used(3, "2026-11-28T08:00:02Z", "Decrypt", session("ASIAFIRST")),
    used(2, "2026-11-28T08:00:01Z", "Encrypt", session("ASIAFIRST")),  # a copy of another trail
    used(4, "2026-11-28T09:00:00Z", "PutKeyPolicy", ADMINISTRATOR),
    used(
        5,
        "2026-11-28T09:10:00Z",
        "Decrypt",
        session("ASIAFIRST"),
        **{**_UNNAMED, **refused(_ARN, "kms:Decrypt", KEY_ARN)},
    ),
    used(6, "2026-11-28T09:11:00Z", "Decrypt", session("ASIAFIRST"), **_ON_THIS),
    assumed(7, "2026-11-29T10:00:00Z", "ASIASECOND", awsRegion="us-east-1"),
    used(8, "2026-11-29T10:00:05Z", "Decrypt", session("ASIASECOND")),
    used(9, "2026-11-29T11:00:00Z", "Decrypt", USER),
    used(
        10,
        "2026-11-29T11:01:00Z",
        "GenerateDataKeyWithoutPlaintext",
        USER,
        **{**_UNNAMED, **refused(USER["arn"], "kms:GenerateDataKey", KEY_ARN)},
    ),
    assumed(11, "2026-11-29T11:02:00Z", "ASIATHIRD", ADMINISTRATOR),
    used(12, "2026-11-29T11:03:00Z", "Decrypt", session("ASIATHIRD")),
    used(13, "2026-11-29T11:04:00Z", "Decrypt", session("ASIANOBODYKNOWS")),
    used(14, "2026-11-29T11:05:00Z", "Decrypt", USER, **of_key(OTHER_KEY)),
    used(15, "2026-11-29T11:06:00Z", "DescribeKey", USER),
    record(16, "2026-11-29T11:07:00Z", "s3", "ListBuckets", session("ASIASECOND")),
    used(17, "2026-11-29T11:08:00Z", "Encrypt", ROOT),
    used(18, "2026-11-29T11:09:00Z", "Decrypt", SERVICE),
    used(19, "2026-11-29T11:10:00Z", "Decrypt", FOREIGN),
    used(
        20,
        "2026-11-29T11:11:00Z",
        "DisableKey",
        USER,
        **{**_UNNAMED, **refused(USER["arn"], "kms:DisableKey", KEY_ARN)},
    ),
    changed_role(21, "2026-11-29T11:12:00Z", "UpdateAssumeRolePolicy", ADMINISTRATOR),
    record(22, "2026-11-29T11:13:00Z", "cloudtrail", "StopLogging", ADMINISTRATOR),
)
