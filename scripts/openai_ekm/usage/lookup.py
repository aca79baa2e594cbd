"""The events of the last 90 days that CloudTrail keeps without a trail, by LookupEvents.

It takes one attribute a call, gives 50 events a page, and allows two calls a second.

Source: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.aws_session import translated
from openai_ekm.openai import OPENAI_SESSION_NAME
from openai_ekm.usage.record_stream import record_of_event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_ekm.usage.loading import Counted, Loader
    from openai_ekm.usage.target import Target

__all__ = ["IAM_REGION", "PAGE", "PER_SECOND", "Lookup", "estimate", "lookups", "read_history"]

PAGE: Final = 50  # events
PER_SECOND: Final = 2  # calls, of an account and Region
IAM_REGION: Final = "us-east-1"  # where IAM's events are, and those of STS's global endpoint


@dataclass(frozen=True, slots=True)
class Lookup:
    """One attribute that is looked up in one Region."""

    region: str
    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute}={self.value} in {self.region}"


def lookups(target: Target) -> tuple[Lookup, ...]:
    """Return what is looked up.

    The record of a denial names no resource: OpenAI's are found by its session's name.
    """
    found = [
        Lookup(target.key_region, "ResourceName", target.kms_arn),
        Lookup(target.key_region, "Username", OPENAI_SESSION_NAME),
        Lookup(target.key_region, "ResourceName", target.role_arn),
        Lookup(IAM_REGION, "ResourceName", target.role_arn),
        Lookup(IAM_REGION, "ResourceName", target.role_name),
    ]
    return tuple(dict.fromkeys(found))


def estimate(target: Target, most: int) -> str:
    """Return what the lookups can cost at most, in words."""
    count = len(lookups(target))
    calls = count - 1 + math.ceil(most / PAGE)
    seconds = calls / PER_SECOND
    long = f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes
    return (
        f"Looking up {count} attributes: at most {most} events, {calls} calls or a few more, "
        f"about {long}. --max-events sets the most."
    )


def read_history(
    make_client: Callable[[str], Any],
    most: int,
    loader: Loader,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    """Read the events of every lookup, up to a number.

    Args:
        make_client: Returns a client of CloudTrail for a Region.
        most: Events after which no more are asked for.
        loader: Takes the records, and says what is looked for.
        clock: Returns seconds.
        sleep: Waits so many seconds.

    Raises:
        AwsRefused: AWS does not let events be looked up.
    """
    target = loader.target
    counted = loader.add_source("lookup", "LookupEvents")
    pace = _Pace(clock, sleep)
    left = most
    for lookup in lookups(target):
        if left <= 0:
            words = "was not looked up: --max-events was reached"
            loader.note(str(lookup), "stopped", words, 0)
            continue
        before = left
        client = make_client(lookup.region)
        for events, more in _pages(client, lookup, target, counted, pace):
            left -= len(events)
            loader.read_records(counted, str(lookup), map(record_of_event, events))
            if left <= 0 and more:
                words = "has more events: --max-events was reached"
                loader.note(str(lookup), "stopped", words, before - left)
                break
    _note_other_names(target, loader)


def _note_other_names(target: Target, loader: Loader) -> None:
    """Note the names of the key that were not looked up."""
    kinds = {kind for kind, _ in target.texts()}
    if "alias" in kinds:
        words = "is an alias: calls by the ARN of its key were not looked up; give the key's ARN"
        loader.note(target.kms_arn, "stopped", words, 0)
    if "replica" in kinds:
        words = f"was looked up in {target.key_region} alone; for replicas, read the trail"
        loader.note(target.kms_arn, "stopped", words, 0)


def _pages(
    client: Any, lookup: Lookup, target: Target, counted: Counted, pace: _Pace
) -> Iterator[tuple[list[dict[str, Any]], bool]]:
    arguments: dict[str, Any] = {
        "LookupAttributes": [{"AttributeKey": lookup.attribute, "AttributeValue": lookup.value}],
        "MaxResults": PAGE,
    }
    if target.earliest is not None:
        arguments["StartTime"] = target.earliest
    if target.until is not None:
        arguments["EndTime"] = target.until
    while True:
        pace.wait()
        counted.aws_calls += 1
        with translated("cloudtrail:LookupEvents"):
            page = client.lookup_events(**arguments)
        token = page.get("NextToken")
        yield page.get("Events") or [], token is not None
        if token is None:
            return
        arguments["NextToken"] = token


class _Pace:
    """Lets two calls a second pass."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self) -> None:
        """Wait until the next call may go out."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
            now = self._next
        self._next = now + 1 / PER_SECOND
