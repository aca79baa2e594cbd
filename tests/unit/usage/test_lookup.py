"""LookupEvents: one attribute a call, fifty events a page, two calls a second, up to a number.

The answers are made by hand: neither LocalStack nor moto has LookupEvents.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from openai_ekm.errors import AwsRefused
from openai_ekm.usage.loading import Loader
from openai_ekm.usage.lookup import PAGE, Lookup, estimate, lookups, read_history
from openai_ekm.usage.table import EventTable
from openai_ekm.usage.target import Target
from tests.support.cloudtrail_events import ACCOUNT, ALIAS_ARN, KEY_ARN, ROLE_ARN
from tests.support.trail_logs import GOLDEN

if TYPE_CHECKING:
    from collections.abc import Iterator

SINCE = datetime(2026, 11, 28, tzinfo=UTC)
# A session that was begun an hour before may still go on.
BEFORE = SINCE - timedelta(hours=1)
TARGET = Target(KEY_ARN, ROLE_ARN, since=SINCE)


CUT = "has more events: --max-events was reached"
NOT_MADE = "was not looked up: --max-events was reached"


class Clock:
    """Time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[float] = []

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.now += seconds


def events(records: list[Any]) -> list[dict[str, Any]]:
    """Events as LookupEvents gives them."""
    return [{"CloudTrailEvent": json.dumps(each)} for each in records]


def asked(lookup: Lookup, token: str | None = None) -> dict[str, Any]:
    """The call that a lookup makes."""
    attribute = {"AttributeKey": lookup.attribute, "AttributeValue": lookup.value}
    more = {} if token is None else {"NextToken": token}
    return {"LookupAttributes": [attribute], "MaxResults": PAGE, "StartTime": BEFORE, **more}


class History:
    """Stubbed clients, one for each Region, and the order in which the Regions were asked for."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stubs: dict[str, Stubber] = {}
        self.clients: dict[str, Any] = {}
        for region in {lookup.region for lookup in lookups(TARGET)}:
            client = boto3.client(
                "cloudtrail",
                region_name=region,
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            client.meta.events.register(
                "before-parameter-build", lambda **_: self.clock.calls.append(self.clock.now)
            )
            self.clients[region], self.stubs[region] = client, Stubber(client)
            self.stubs[region].activate()

    def expect(
        self, lookup: Lookup, records: list[Any], *, token: str = "", more: str = ""
    ) -> None:
        """Answer the next call."""
        answer: dict[str, Any] = {"Events": events(records)}
        if more:
            answer["NextToken"] = more
        self.stubs[lookup.region].add_response(
            "lookup_events", answer, asked(lookup, token or None)
        )


@pytest.fixture
def history() -> History:
    """A history without events."""
    return History()


@pytest.fixture
def loader() -> Iterator[Loader]:
    """What takes the records."""
    with EventTable() as table:
        yield Loader(table, TARGET)


def read(history: History, loader: Loader, most: int = 1000) -> None:
    """Read the history, whole."""
    clock = history.clock
    read_history(history.clients.__getitem__, most, loader, clock=clock, sleep=clock.sleep)


def told(loader: Loader) -> list[tuple[str, str, int]]:
    """What was not read: its name, why, and how many events of it were taken."""
    return [(each.file, each.reason, each.records) for each in loader.unread]


def test_every_lookup_is_made_at_two_calls_a_second(history: History, loader: Loader) -> None:
    """Guards against: a burst that AWS throttles, a page left out, an event that counts twice."""
    first, *rest = lookups(TARGET)
    assert [str(each) for each in (first, *rest)] == [
        f"ResourceName={KEY_ARN} in eu-west-1",
        "Username=OpenAI-EKM-Service in eu-west-1",
        f"ResourceName={ROLE_ARN} in eu-west-1",
        f"ResourceName={ROLE_ARN} in us-east-1",
        "ResourceName=openai-ekm in us-east-1",
    ]
    history.expect(first, list(GOLDEN[:2]), more="next")
    history.expect(first, list(GOLDEN[2:5]), token="next")
    for lookup in rest:
        history.expect(lookup, list(GOLDEN[:3]))
    read(history, loader)
    for stub in history.stubs.values():
        stub.assert_no_pending_responses()
    (counted,) = loader.sources
    assert counted.aws_calls == 6  # the least: one for each lookup, and one for the second page
    assert history.clock.calls == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    loader.table.define(TARGET)
    loader.finish()
    assert (counted.records, counted.duplicates) == (17, 13)
    assert not loader.unread


def test_the_search_ends_at_a_number_and_says_so(history: History, loader: Loader) -> None:
    """Guards against: hours of calls, and a search that ended early and looks whole."""
    first, *rest = lookups(TARGET)
    history.expect(first, list(GOLDEN[:3]), more="next")
    read(history, loader, most=3)
    assert told(loader) == [(str(first), CUT, 3), *((str(each), NOT_MADE, 0) for each in rest)]
    assert {each.state for each in loader.unread} == {"stopped"}
    assert loader.sources[0].aws_calls == 1


def test_the_number_counts_over_all_lookups(history: History, loader: Loader) -> None:
    """Guards against: the events of another lookup, told as those of the one that was cut."""
    first, second, *rest = lookups(TARGET)
    history.expect(first, list(GOLDEN[:3]))
    history.expect(second, list(GOLDEN[3:5]), more="next")
    read(history, loader, most=5)
    assert told(loader) == [(str(second), CUT, 2), *((str(each), NOT_MADE, 0) for each in rest)]
    assert loader.sources[0].aws_calls == 2


def test_a_lookup_that_ends_at_the_number_is_whole(history: History, loader: Loader) -> None:
    """Guards against: a lookup with nothing left, told as one that was cut."""
    first, *rest = lookups(TARGET)
    history.expect(first, list(GOLDEN[:3]))
    read(history, loader, most=3)
    assert told(loader) == [(str(each), NOT_MADE, 0) for each in rest]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (ALIAS_ARN, "give the key's ARN"),
        (f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/mrk-{'0a' * 16}", "in eu-west-1 alone"),
    ],
)
def test_a_name_that_is_not_the_only_one_is_told(history: History, key: str, words: str) -> None:
    """Guards against: calls by another name of the key, which nobody asked for."""
    target = Target(key, ROLE_ARN, since=SINCE)
    for lookup in lookups(target):
        history.expect(lookup, [])
    with EventTable() as table:
        loader = Loader(table, target)
        read(history, loader)
        (told,) = loader.unread
    assert (told.file, told.state) == (key, "stopped")
    assert words in told.reason


def test_an_event_that_cannot_be_read_is_named(history: History, loader: Loader) -> None:
    """Guards against: an event without its record that is left out in silence."""
    first, *rest = lookups(TARGET)
    history.stubs[first.region].add_response(
        "lookup_events", {"Events": [{}, {"CloudTrailEvent": "{"}]}, asked(first)
    )
    for lookup in rest:
        history.expect(lookup, [])
    read(history, loader)
    (unread,) = loader.unread
    assert (unread.file, unread.state) == (str(first), "broken")
    assert "2 records" in unread.reason


def test_a_refusal_of_aws_ends_it(history: History, loader: Loader) -> None:
    """Guards against: a refusal that looks like an empty history."""
    history.stubs[TARGET.key_region].add_client_error("lookup_events", "AccessDeniedException")
    with pytest.raises(AwsRefused) as raised:
        read(history, loader)
    assert "cloudtrail:LookupEvents" in raised.value.message


def test_the_estimate_is_an_upper_bound() -> None:
    """Guards against: an estimate below what the lookups can take."""
    said = estimate(TARGET, 1000)
    assert "at most 1000 events, 24 calls or a few more, about 12 s" in said
    assert "1004 calls or a few more, about 8 min" in estimate(TARGET, 50_000)
