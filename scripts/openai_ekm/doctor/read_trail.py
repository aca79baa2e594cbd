"""Read trails of CloudTrail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.aws_session import client, translated
from openai_ekm.doctor.check_trail import IAM_REGION
from openai_ekm.doctor.facts import Trail
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

__all__ = ["read_trails"]


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
