"""A record in SSM, with claims by parameters that only creation makes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from openai_ekm import aws_session
from openai_ekm.errors import AwsRefused, BadInput, EkmError, NotReachable, RecordUnreadable
from openai_ekm.openai_api.constants import CALL_TIMEOUT
from openai_ekm.registration.record import LEASE, Held
from openai_ekm.registration.ssm_store import SsmStore, check_prefix
from tests.unit.registration.record_samples import RECORD

PREFIX = "/openai-ekm/prod"


class Parameters:
    """SSM in memory, with a clock of its own."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
        self.values: dict[str, tuple[str, datetime]] = {}
        self.puts: list[dict[str, Any]] = []
        self.lose_next_put = False

    def get_parameters_by_path(self, **asked: str) -> dict[str, Any]:
        """One parameter a page, as a reader must expect."""
        names = sorted(name for name in self.values if name.rpartition("/")[0] == asked["Path"])
        index = int(asked.get("NextToken", "0"))
        page = names[index : index + 1]
        answer: dict[str, Any] = {
            "Parameters": [
                {"Name": n, "Value": self.values[n][0], "LastModifiedDate": self.values[n][1]}
                for n in page
            ],
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}},
        }
        if index + 1 < len(names):
            answer["NextToken"] = str(index + 1)
        return answer

    def put_parameter(self, **asked: Any) -> None:
        """Create, or overwrite when that was said."""
        self.puts.append(asked)
        if asked["Name"] in self.values and not asked["Overwrite"]:
            raise ClientError({"Error": {"Code": "ParameterAlreadyExists"}}, "PutParameter")
        self.values[asked["Name"]] = (asked["Value"], self.now)
        if self.lose_next_put:  # botocore repeats what got no answer
            self.lose_next_put = False
            self.put_parameter(**asked)

    def delete_parameter(self, **asked: str) -> None:
        """Delete, or say that it is not there."""
        if asked["Name"] not in self.values:
            raise ClientError({"Error": {"Code": "ParameterNotFound"}}, "DeleteParameter")
        del self.values[asked["Name"]]

    def names(self) -> list[str]:
        """What is there, without the prefix."""
        return sorted(name.removeprefix(PREFIX + "/") for name in self.values)


@pytest.fixture
def ssm() -> Parameters:
    """An empty SSM."""
    return Parameters()


def elsewhere(ssm: Parameters) -> SsmStore:
    """A run on another machine."""
    store = SsmStore(ssm, PREFIX)
    store._me["host"] = "elsewhere"
    return store


def test_record_is_written_and_read_by_its_exact_name(ssm: Parameters) -> None:
    """Terraform and the registrar look at different parameters."""
    store = SsmStore(ssm, PREFIX)
    assert store.read() is None
    store.write(RECORD)
    assert ssm.names() == ["record"]
    assert store.read() == RECORD


def test_one_of_two_claims_the_other_is_told_who_holds_it(ssm: Parameters) -> None:
    """Two runs hold the record at once."""
    one, two = SsmStore(ssm, PREFIX), elsewhere(ssm)
    assert one.try_claim() == 1
    held = two.try_claim()
    assert isinstance(held, Held)
    assert f"process {os.getpid()}" in held.holder
    assert held.expires_in == LEASE
    assert one.still_held()
    assert not two.still_held()


def test_of_two_that_saw_the_record_free_only_one_gets_the_claim(
    ssm: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim overwrites one made a moment before, and two runs hold the record."""
    one, two = SsmStore(ssm, PREFIX), elsewhere(ssm)
    views = iter([two._look()])
    look = two._look
    monkeypatch.setattr(two, "_look", lambda: next(views, None) or look())
    assert one.try_claim() == 1
    assert isinstance(two.try_claim(), Held)
    assert one.still_held()
    assert not two.still_held()


def test_released_claim_goes_to_the_next_run_with_a_new_number(ssm: Parameters) -> None:
    """A number is used twice, so that an old holder takes itself for the new one."""
    one, two = SsmStore(ssm, PREFIX), elsewhere(ssm)
    claim = one.try_claim()
    assert isinstance(claim, int)
    one.write(replace(RECORD, claim=claim))
    one.release()
    assert ssm.names() == ["record"]
    assert two.try_claim() == 2
    assert not one.still_held()


def test_claim_that_was_not_renewed_lapses_by_the_servers_clock(ssm: Parameters) -> None:
    """A dead holder blocks the record for good; or one that lives is robbed."""
    one, two = elsewhere(ssm), SsmStore(ssm, PREFIX)
    assert one.try_claim() == 1
    ssm.now += timedelta(seconds=LEASE - 1)
    assert isinstance(two.try_claim(), Held)
    one.renew()
    ssm.now += timedelta(seconds=LEASE - 1)
    assert isinstance(two.try_claim(), Held)
    ssm.now += timedelta(seconds=1)
    assert two.try_claim() == 2
    assert not one.still_held()


@pytest.mark.parametrize("slept", [LEASE - CALL_TIMEOUT + 1, LEASE + 600])
def test_holder_that_slept_holds_on_for_a_whole_call(ssm: Parameters, slept: float) -> None:
    """A laptop wakes up, a create is sent, and another run takes over while it is under way."""
    one, two = elsewhere(ssm), SsmStore(ssm, PREFIX)
    one.try_claim()
    ssm.now += timedelta(seconds=slept)
    assert one.still_held()
    ssm.now += timedelta(seconds=CALL_TIMEOUT)
    assert isinstance(two.try_claim(), Held)
    ssm.now += timedelta(seconds=LEASE)
    assert two.try_claim() == 2
    assert not one.still_held()


def test_holder_that_is_robbed_while_it_renews_knows(
    ssm: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs write: one took the claim over just before the other renewed it."""
    one, two = elsewhere(ssm), SsmStore(ssm, PREFIX)
    one.try_claim()
    ssm.now += timedelta(seconds=LEASE)
    renew = one._overwrite_claim

    def robbed() -> None:
        assert two.try_claim() == 2
        renew()

    monkeypatch.setattr(one, "_overwrite_claim", robbed)
    assert not one.still_held()
    assert two.still_held()


def test_claim_that_is_fresh_is_not_renewed_before_each_write(ssm: Parameters) -> None:
    """Every write costs a call to AWS more than it needs."""
    one = elsewhere(ssm)
    one.try_claim()
    assert one.still_held()
    assert len(ssm.puts) == 1


def test_robbed_holder_neither_renews_nor_releases_the_new_claim(ssm: Parameters) -> None:
    """A run that was given up for dead comes back and ends the claim of the one after it."""
    one, two = elsewhere(ssm), SsmStore(ssm, PREFIX)
    one.try_claim()
    ssm.now += timedelta(seconds=LEASE)
    two.try_claim()
    one.renew()
    one.release()
    assert two.still_held()
    assert ssm.names() == ["claim-2"]


def test_newer_record_ends_an_old_claim(ssm: Parameters) -> None:
    """A holder that slept through another run's whole life writes over its record."""
    one = elsewhere(ssm)
    assert one.try_claim() == 1
    SsmStore(ssm, PREFIX).write(replace(RECORD, claim=2))
    assert not one.still_held()
    assert SsmStore(ssm, PREFIX).try_claim() == 3


def test_claim_whose_answer_was_lost_is_known_as_ones_own(ssm: Parameters) -> None:
    """After a lost answer a run waits for itself."""
    ssm.lose_next_put = True
    store = SsmStore(ssm, PREFIX)
    assert store.try_claim() == 1
    assert store.still_held()


def test_claim_of_a_dead_process_of_this_machine_is_taken_at_once(ssm: Parameters) -> None:
    """A run after a crash waits for the lease of a process that is gone."""
    one, two = SsmStore(ssm, PREFIX), SsmStore(ssm, PREFIX)
    one._me["pid"] = 2**22 + 1  # past the largest process id of Linux
    one.try_claim()
    expected = 2 if {"host", "boot", "namespace"} <= two._me.keys() else None
    claim = two.try_claim()
    assert claim == expected if expected else isinstance(claim, Held)


def test_dead_process_id_of_another_machine_says_nothing(ssm: Parameters) -> None:
    """A live run elsewhere is robbed because its process id is unknown here."""
    one = elsewhere(ssm)
    one._me["pid"] = 2**22 + 1
    one.try_claim()
    assert isinstance(SsmStore(ssm, PREFIX).try_claim(), Held)


def test_delete_takes_left_over_claims_and_release_ones_own(ssm: Parameters) -> None:
    """A destroy leaves parameters behind."""
    elsewhere(ssm).try_claim()
    ssm.now += timedelta(seconds=LEASE)
    store = SsmStore(ssm, PREFIX)
    store.try_claim()
    store.write(RECORD)
    store.delete()
    assert ssm.names() == ["claim-2"]
    store.release()
    assert ssm.names() == []


def test_foreign_parameters_under_the_prefix_are_left_alone(ssm: Parameters) -> None:
    """A user's own parameter is read as a claim, or deleted."""
    for name in ("claim-0", "claim-x", "claim-1x", "note", "record2"):
        ssm.values[f"{PREFIX}/{name}"] = ("mine", ssm.now)
    store = SsmStore(ssm, PREFIX)
    assert store.try_claim() == 1
    store.write(RECORD)
    store.delete()
    store.release()
    assert ssm.names() == ["claim-0", "claim-1x", "claim-x", "note", "record2"]


def test_broken_claim_is_held_until_it_lapses(ssm: Parameters) -> None:
    """A claim that somebody edited ends in a traceback."""
    for text in ("", "[]", "{}", '{"pid": "x"}'):
        ssm.values[f"{PREFIX}/claim-7"] = (text, ssm.now)
        assert isinstance(SsmStore(ssm, PREFIX).try_claim(), Held)


def test_unreadable_record_stops_the_claim(ssm: Parameters) -> None:
    """A record that cannot be read counts as none, and the key is registered again."""
    ssm.values[f"{PREFIX}/record"] = ("{", ssm.now)
    with pytest.raises(RecordUnreadable):
        SsmStore(ssm, PREFIX).try_claim()
    assert ssm.names() == ["record"]


def test_large_record_takes_the_advanced_tier_and_a_larger_one_is_refused(
    ssm: Parameters,
) -> None:
    """A record with many projects fails after the projects were made."""
    store = SsmStore(ssm, PREFIX)

    def with_projects(count: int) -> Any:
        names = {f"project-{i:04}": f"proj_{i:028}" for i in range(count)}
        return replace(RECORD, projects=MappingProxyType(names))

    store.write(with_projects(10))
    store.write(with_projects(80))
    assert [put.get("Tier") for put in ssm.puts] == [None, "Advanced"]
    with pytest.raises(BadInput) as raised:
        store.write(with_projects(200))
    assert raised.value.id == "record_too_large"
    with pytest.raises(BadInput):
        SsmStore.check_room(tuple(f"project-{i:04}" for i in range(200)))
    SsmStore.check_room(("prod",))


def test_record_that_shrinks_stays_advanced(
    ssm: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS takes no Advanced parameter back to Standard: every later write would be refused."""
    put = ssm.put_parameter

    def refusing(**asked: Any) -> None:
        if asked.get("Tier") != "Advanced":
            words = (
                "This parameter uses the advanced-parameter tier. You can't downgrade a "
                "parameter from the advanced-parameter tier to the standard-parameter tier."
            )
            raise ClientError(
                {"Error": {"Code": "ValidationException", "Message": words}}, "PutParameter"
            )
        put(**asked)

    monkeypatch.setattr(ssm, "put_parameter", refusing)
    store = SsmStore(ssm, PREFIX)
    store.write(RECORD)
    assert store.read() == RECORD
    assert [put.get("Tier") for put in ssm.puts] == ["Advanced"]


def test_claim_holds_no_secret(ssm: Parameters) -> None:
    """What another reader of the account sees is more than who holds the claim."""
    SsmStore(ssm, PREFIX).try_claim()
    claim = json.loads(ssm.values[f"{PREFIX}/claim-1"][0])
    assert claim.keys() <= {"token", "pid", "host", "boot", "namespace"}


@pytest.mark.parametrize("prefix", ["/openai-ekm/prod", "/a", "/a.b/c_d-e"])
def test_accepts_prefix(prefix: str) -> None:
    """A path that SSM takes is refused."""
    check_prefix(prefix)


@pytest.mark.parametrize(
    "prefix",
    ["", "/", "openai-ekm", "/a//b", "/a/", "/a b", "/aws/x", "/SSM-x", "/a\n", "/" + "a" * 901,
     "/a" * 14],
)  # fmt: skip
def test_refuses_prefix(prefix: str) -> None:
    """AWS refuses the path after the run has begun."""
    with pytest.raises(BadInput) as raised:
        check_prefix(prefix)
    assert raised.value.id == "record_place_malformed"


def refusal(code: str, status: int = 400) -> ClientError:
    """An error that AWS answered."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": "the words"},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r1"},  # type: ignore[typeddict-item]
        },
        "PutParameter",
    )


@pytest.mark.parametrize(
    ("failure", "family", "id"),
    [
        (refusal("AccessDeniedException"), AwsRefused, "aws_refused"),
        (refusal("ExpiredTokenException"), AwsRefused, "aws_credentials_refused"),
        (refusal("UnrecognizedClientException"), AwsRefused, "aws_credentials_refused"),
        (refusal("InternalServerError", 500), NotReachable, "aws_not_reachable"),
        (NoCredentialsError(), BadInput, "aws_credentials_missing"),
        (EndpointConnectionError(endpoint_url="http://x"), NotReachable, "aws_not_reachable"),
    ],
)
def test_what_botocore_raises_is_said_in_our_words(
    failure: Exception, family: type[EkmError], id: str
) -> None:
    """An AWS failure ends in a traceback, or in the wrong exit code."""
    with pytest.raises(family) as raised, aws_session.translated("ssm:PutParameter"):
        raise failure
    assert raised.value.id == id
    assert "ssm:PutParameter" in raised.value.message
    assert raised.value.remedy
