"""The trails of CloudTrail: would anybody see what happens to the key?

Each kind of event is judged by itself. One trail that logs now, covers the Region and leaves the
kind in is enough. KMS logs Encrypt and Decrypt as read-only events, and a basic selector can
exclude the events of KMS as a whole. Whether EventBridge still gets an event that every trail
excludes is not public.

Sources:
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html,
https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.aws_session import client, translated
from openai_ekm.doctor.checks import Line, State, remedy_of, unseen
from openai_ekm.doctor.facts import Trail
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import boto3

__all__ = ["IAM_REGION", "check_trails", "covers", "read_trails"]


def read_trails(session: boto3.Session, region: str) -> tuple[Trail, ...] | EkmError:
    """Read every trail that bears on a Region or on us-east-1.

    Args:
        session: The credentials.
        region: Of the key.
    """
    found: dict[str, Mapping[str, Any]] = {}
    try:
        for place in dict.fromkeys((region, IAM_REGION)):
            with translated(f"cloudtrail:DescribeTrails in {place}"):
                listed = client(session, "cloudtrail", place, attempts=2).describe_trails()
                found |= {each["TrailARN"]: each for each in listed["trailList"]}
    except EkmError as error:
        return error
    return tuple(_trail(session, each) for each in found.values())


def _trail(session: boto3.Session, listed: Mapping[str, Any]) -> Trail:
    arn, home = str(listed["TrailARN"]), str(listed["HomeRegion"])
    cloudtrail = client(session, "cloudtrail", home, attempts=2)
    logging: bool | None = None
    basic: tuple[Mapping[str, Any], ...] | None = None
    advanced: tuple[Mapping[str, Any], ...] | None = None
    try:
        with translated("cloudtrail:GetTrailStatus"):
            logging = bool(cloudtrail.get_trail_status(Name=arn)["IsLogging"])
        with translated("cloudtrail:GetEventSelectors"):
            selectors = cloudtrail.get_event_selectors(TrailName=arn)
            basic = tuple(selectors.get("EventSelectors") or ())
            advanced = tuple(selectors.get("AdvancedEventSelectors") or ())
    except EkmError:
        pass  # what was not seen stays None
    return Trail(
        name=str(listed["Name"]),
        arn=arn,
        home=home,
        multi_region=bool(listed.get("IsMultiRegionTrail")),
        global_events=bool(listed.get("IncludeGlobalServiceEvents", True)),
        logging=logging,
        basic=basic,
        advanced=advanced,
    )


IAM_REGION: Final = "us-east-1"  # the one Region in which IAM's events are logged


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of management event.

    Args:
        id: The check.
        source: Of the event.
        read_only: Whether CloudTrail counts it as one that only reads.
        shown: What it is, in words.
        global_service: Whether it is logged in `IAM_REGION` alone.
        either: Whether it may be logged in the Region of the key or in `IAM_REGION`: which one is
            not public, so both are to be logged.
    """

    id: str
    source: str
    read_only: bool
    shown: str
    global_service: bool = False
    either: bool = False


_WORST_FIRST: Final = (State.FAILURE, State.WARNING, State.NOT_SEEN, State.OK)
_KINDS: Final = (
    _Kind("trail_key_changes", "kms.amazonaws.com", False, "changes of the key"),
    _Kind("trail_key_use", "kms.amazonaws.com", True, "Encrypt and Decrypt with the key"),
    _Kind("trail_role_changes", "iam.amazonaws.com", False, "changes of the role", True),
    _Kind("trail_role_use", "sts.amazonaws.com", True, "AssumeRole of the role", either=True),
)


def check_trails(
    trails: tuple[Trail, ...] | EkmError | None, region: str | None, blocked: str | None
) -> list[Line]:
    """Judge for each kind of event whether a trail logs it.

    Args:
        trails: Every trail that bears on the Region of the key or on us-east-1.
        region: Of the key.
        blocked: Why none was read.
    """
    if isinstance(trails, EkmError):
        allow = "Allow cloudtrail:DescribeTrails, GetTrailStatus and GetEventSelectors."
        first, *others = _KINDS
        again = f"CloudTrail was not read ({first.id})."
        return [
            unseen(first.id, trails.message, remedy_of(trails, allow)),
            *(unseen(each.id, again) for each in others),
        ]
    if trails is None or region is None:
        return [unseen(each.id, blocked or "No Region is known.") for each in _KINDS]
    return [_kind(each, trails, region) for each in _KINDS]


def _kind(kind: _Kind, trails: tuple[Trail, ...], region: str) -> Line:
    """Judge one kind in each of its Regions; the worst is the answer."""
    places = [IAM_REGION] if kind.global_service else [region]
    if kind.either and region != IAM_REGION:
        places.append(IAM_REGION)
    lines = [_in_region(kind, trails, each) for each in places]
    return min(lines, key=lambda line: _WORST_FIRST.index(line.state))


def _in_region(kind: _Kind, trails: tuple[Trail, ...], place: str) -> Line:
    here = [each for each in trails if _is_there(each, place, kind)]
    answers = {each.name: covers(each, kind.source, read_only=kind.read_only) for each in here}
    enough = [name for name, answer in answers.items() if answer is True]
    if enough:
        return Line(kind.id, State.OK, f"The trail {enough[0]} logs {kind.shown} in {place}.")
    unclear = [name for name, answer in answers.items() if answer is None]
    if unclear:
        return unseen(
            kind.id,
            f"No trail is seen to log {kind.shown} in {place}; of {unclear[0]} the state or the "
            "selectors were not seen.",
            "Ask with credentials that may read the trail (an organization's trail belongs to its "
            "management account).",
        )
    silent = [each.name for each in here if each.logging is False]
    if not here:
        why = "There is no trail for it."
    elif len(silent) == len(here):
        why = f"The trail {silent[0]} does not log now."
    else:
        name = next(each.name for each in here if each.logging)
        why = f"The event selectors of the trail {name} leave it out."
    open_point = " Whether EventBridge still gets such an event is not public." if here else ""
    reading = "Read" if kind.read_only else "Write"
    return Line(
        kind.id,
        State.WARNING,
        f"No trail logs {kind.shown} in {place}. {why}{open_point}",
        f"Let one trail log management events ({reading}) in {place}, the events of KMS included.",
    )


def _is_there(trail: Trail, region: str, kind: _Kind) -> bool:
    """Return whether a trail takes the events of a Region."""
    if kind.global_service and not trail.global_events and trail.multi_region:
        return False
    return trail.multi_region or trail.home == region


def covers(trail: Trail, source: str, *, read_only: bool) -> bool | None:
    """Return whether a trail logs a management event; None when that was not seen.

    Args:
        trail: The trail.
        source: Such as `kms.amazonaws.com`.
        read_only: Whether the event only reads.
    """
    if trail.logging is False:
        return False
    if trail.basic is None or trail.advanced is None:
        return None
    if trail.advanced:
        chosen = any(_advanced(each, source, read_only=read_only) for each in trail.advanced)
    elif trail.basic:
        chosen = any(_basic(each, source, read_only=read_only) for each in trail.basic)
    else:
        chosen = True  # a trail without selectors logs every management event
    return None if chosen and trail.logging is None else chosen


def _basic(selector: Mapping[str, Any], source: str, *, read_only: bool) -> bool:
    kinds = {"All": (True, False), "ReadOnly": (True,), "WriteOnly": (False,)}
    return (
        selector.get("IncludeManagementEvents", True) is True
        and read_only in kinds.get(selector.get("ReadWriteType", "All"), ())
        and source not in selector.get("ExcludeManagementEventSources", ())
    )


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equals": lambda value, given: value == given,
    "StartsWith": lambda value, given: value.startswith(given),
    "EndsWith": lambda value, given: value.endswith(given),
}


def _advanced(selector: Mapping[str, Any], source: str, *, read_only: bool) -> bool:
    """Return whether a selector takes every event of a kind; one with another field takes some."""
    values = {
        "eventCategory": "Management",
        "eventSource": source,
        "readOnly": "true" if read_only else "false",
    }
    return all(_field(each, values) for each in selector.get("FieldSelectors", ()))


def _field(field: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Return whether all conditions of a field selector hold for a value."""
    value = values.get(str(field.get("Field")))
    if value is None:
        return False
    for name, holds in _OPERATORS.items():
        for sign, expected in (("", True), ("Not", False)):
            given = field.get(f"{sign}{name}")
            if given and any(holds(value, each) for each in given) is not expected:
                return False
    return True
