"""Read from AWS what is to be compared. It decides nothing and changes nothing.

The snapshot's own calls answer more than a snapshot holds: GetRole tells the role's unique id,
DescribeKey the deletion date. The answers are kept as they come, so that nothing is asked twice.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
https://docs.aws.amazon.com/boto3/latest/guide/events.html
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError

from openai_ekm.aws_errors import explain_failure
from openai_ekm.aws_session import client
from openai_ekm.drift.observed import Observed
from openai_ekm.policy import parse_arn
from openai_ekm.registration.record import timestamp
from openai_ekm.snapshot import UNSEEN, Registration
from openai_ekm.snapshot.aws import collect
from openai_ekm.snapshot.refusals import Refusals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

    from openai_ekm.drift.intended import Intended
    from openai_ekm.snapshot import Snapshot
    from openai_ekm.snapshot.members import UnseenType

__all__ = ["read_aws"]

# A key that waits for its deletion has no rotation to ask for.
_ROTATES: Final = frozenset({"Enabled", "Disabled"})


@dataclass(slots=True)
class _Answers:
    """The answers of GetRole and DescribeKey, by the ARN that they tell."""

    roles: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    keys: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def listen(self, session: boto3.Session) -> None:
        """Keep the answers of every client that the session makes from now on."""
        session.events.register("after-call.iam.GetRole", self._keep_role)
        session.events.register("after-call.kms.DescribeKey", self._keep_key)

    def _keep_role(self, parsed: Mapping[str, Any], **_event: Any) -> None:
        found = parsed.get("Role") or {}
        self.roles[str(found.get("Arn"))] = found

    def _keep_key(self, parsed: Mapping[str, Any], **_event: Any) -> None:
        found = parsed.get("KeyMetadata") or {}
        self.keys[str(found.get("Arn"))] = found


def read_aws(session: boto3.Session, meant: Intended) -> Observed:
    """Read role, key, policies, aliases, grants, tags and rotation.

    SCPs and RCPs are not read: the module makes none.

    Args:
        session: The customer's credentials.
        meant: Which role and key, and which aliases lead to the key.

    Raises:
        BadInput: There are no credentials, or the AWS configuration is wrong.
        NotReachable: AWS gave no answer.
    """
    answers = _Answers()
    answers.listen(session)
    intent = Registration(meant.role_arn, meant.key_arn, meant.snapshot.registration.external_id)
    snapshot = collect(intent, lambda _account: session)
    role = next(iter(answers.roles.values()), {})
    key = answers.keys.get(meant.key_arn, {})
    refusals = Refusals()
    try:
        rotation, days = _rotation(session, meant, snapshot, refusals)
        targets = _alias_targets(session, meant, snapshot, refusals)
    except BotoCoreError as failure:
        raise explain_failure("reading AWS", failure) from failure
    return Observed(
        snapshot=snapshot,
        role_unique_id=_text(role.get("RoleId")),
        role_created=_moment(role.get("CreateDate")) or UNSEEN,
        deletion_date=_moment(key.get("DeletionDate")),
        rotation=rotation,
        rotation_days=days,
        alias_targets=targets,
        reasons=refusals.reasons,
    )


def _rotation(
    session: boto3.Session, meant: Intended, snapshot: Snapshot, refusals: Refusals
) -> tuple[bool | UnseenType, int | UnseenType | None]:
    """Read the rotation of a key that the module makes."""
    found, place = snapshot.registered_key, parse_arn(meant.key_arn)
    if meant.rotation is UNSEEN or found is None or place is None or found.state not in _ROTATES:
        return UNSEEN, UNSEEN
    kms = client(session, "kms", place.region)
    told = refusals.read("rotation", partial(kms.get_key_rotation_status, KeyId=found.arn))
    if told is None or told is UNSEEN:
        return UNSEEN, UNSEEN
    return bool(told.get("KeyRotationEnabled")), told.get("RotationPeriodInDays")


def _alias_targets(
    session: boto3.Session, meant: Intended, snapshot: Snapshot, refusals: Refusals
) -> dict[str, str | None]:
    """Ask where those aliases lead that are not among the key's."""
    if snapshot.aliases is UNSEEN or not snapshot.keys:
        return {}
    there = {each.arn for each in snapshot.aliases}
    found: dict[str, str | None] = {}
    for alias in meant.aliases:
        place = parse_arn(alias)
        if alias in there or place is None:
            continue
        kms = client(session, "kms", place.region)
        told = refusals.read(alias, partial(kms.describe_key, KeyId=alias))
        if told is not UNSEEN:
            found[alias] = None if told is None else str(told["KeyMetadata"]["Arn"])
    return found


def _text(value: Any) -> str | UnseenType:
    return value if isinstance(value, str) and value else UNSEEN


def _moment(value: Any) -> str | None:
    return timestamp(value) if isinstance(value, datetime) else None
