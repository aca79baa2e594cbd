"""One record of CloudTrail as a row: the columns that the queries ask for, and no others.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from openai_ekm.usage.target import FIRST_YEAR, LAST_YEAR

__all__ = [
    "COLUMNS",
    "IN_ATHENA",
    "LONGEST_TEXT",
    "MalformedRecordError",
    "Row",
    "row_of",
    "time_of",
]

_SENT: Final = "json_extract_scalar(requestparameters, '$.{}')"
_ANSWERED: Final = "json_extract_scalar(responseelements, '$.{}')"
# Each column, in the order of a row, and how Athena reads its value. All are text but event_time.
IN_ATHENA: Final = {
    "source": "'0'",
    "event_id": "eventid",
    "event_time": "CAST(from_iso8601_timestamp(eventtime) AT TIME ZONE 'UTC' AS TIMESTAMP)",
    "event_source": "eventsource",
    "event_name": "eventname",
    "region": "awsregion",
    "source_ip": "sourceipaddress",
    "user_agent": "useragent",
    "error_code": "errorcode",
    "error_message": "errormessage",
    "recipient_account": "recipientaccountid",
    "shared_event_id": "sharedeventid",
    "identity_type": "useridentity.type",
    "identity_arn": "useridentity.arn",
    "identity_account": "useridentity.accountid",
    "identity_id": "useridentity.principalid",
    "access_key_id": "useridentity.accesskeyid",
    "invoked_by": "useridentity.invokedby",
    "issuer_arn": "useridentity.sessioncontext.sessionissuer.arn",
    "issuer_id": "useridentity.sessioncontext.sessionissuer.principalid",
    "key_arns": (
        "nullif(array_join(filter(transform(resources, r -> r.arn), "
        "a -> a LIKE '%:kms:%:key/%'), ' '), '')"
    ),
    "named_key": (
        f"coalesce({_SENT.format('keyId')}, {_SENT.format('sourceKeyId')}, "
        f"{_SENT.format('destinationKeyId')})"
    ),
    "target_key": _SENT.format("targetKeyId"),
    "alias_name": _SENT.format("aliasName"),
    "role_arn": _SENT.format("roleArn"),
    "role_name": _SENT.format("roleName"),
    "session_key_id": _ANSWERED.format("credentials.accessKeyId"),
    "session_id": _ANSWERED.format("assumedRoleUser.assumedRoleId"),
}
COLUMNS: Final = tuple(IN_ATHENA)
LONGEST_TEXT: Final = 4096  # characters kept of one value; AWS's own are shorter

Row = tuple[str | None, ...]

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


class MalformedRecordError(ValueError):
    """A record has no id, no time, no source or no name."""


def time_of(record: Any) -> str:
    """Return the time of a record, as it stands there.

    Raises:
        MalformedRecordError: It has none, or is no record.
    """
    when = record.get("eventTime") if isinstance(record, dict) else None
    if not isinstance(when, str) or not _TIME.fullmatch(when):
        raise MalformedRecordError("has no eventTime")
    try:
        is_usual = FIRST_YEAR <= datetime.fromisoformat(when).year <= LAST_YEAR
    except ValueError:
        is_usual = False
    if not is_usual:
        raise MalformedRecordError("has an eventTime that is no time")
    return when


def row_of(record: dict[str, Any], source: str) -> Row:
    """Return the row of a record whose time is one.

    Args:
        record: Decoded.
        source: What it was read from, as a number.

    Raises:
        MalformedRecordError: It has no id.
    """
    event_id = _text(record.get("eventID"))
    if event_id is None:
        raise MalformedRecordError("has no eventID")
    identity = _object(record.get("userIdentity"))
    issuer = _object(_object(identity.get("sessionContext")).get("sessionIssuer"))
    sent = _object(record.get("requestParameters"))
    answered = _object(record.get("responseElements"))
    named = sent.get("keyId") or sent.get("sourceKeyId") or sent.get("destinationKeyId")
    return (
        source,
        event_id,
        str(record["eventTime"]),
        _text(record.get("eventSource")),
        _text(record.get("eventName")),
        _text(record.get("awsRegion")),
        _text(record.get("sourceIPAddress")),
        _text(record.get("userAgent")),
        _text(record.get("errorCode")),
        _text(record.get("errorMessage")),
        _text(record.get("recipientAccountId")),
        _text(record.get("sharedEventID")),
        _text(identity.get("type")),
        _text(identity.get("arn")),
        _text(identity.get("accountId")),
        _text(identity.get("principalId")),
        _text(identity.get("accessKeyId")),
        _text(identity.get("invokedBy")),
        _text(issuer.get("arn")),
        _text(issuer.get("principalId")),
        _key_arns(record.get("resources")),
        _text(named),
        _text(sent.get("targetKeyId")),
        _text(sent.get("aliasName")),
        _text(sent.get("roleArn")),
        _text(sent.get("roleName")),
        _text(_object(answered.get("credentials")).get("accessKeyId")),
        _text(_object(answered.get("assumedRoleUser")).get("assumedRoleId")),
    )


def _key_arns(resources: Any) -> str | None:
    """Return the ARNs of KMS keys, with a blank between two."""
    if not isinstance(resources, list):
        return None
    found = [
        arn
        for each in resources
        if isinstance(each, dict)
        and isinstance(arn := each.get("ARN"), str)
        and ":kms:" in arn
        and ":key/" in arn
    ]
    return _text(" ".join(found))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """Return a text that a table takes; None for an empty one and for what is no text."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) <= LONGEST_TEXT and "\0" not in value:
        return value
    return value[:LONGEST_TEXT].replace("\0", "\\u0000")
