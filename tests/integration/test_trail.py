"""What CloudTrail would record of the emulator's calls: in files, and on a bus.

LocalStack has no CloudTrail; the emulator knows what it called and what AWS answered.
"""

from __future__ import annotations

import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.emulator.trail.delivery import entry_of
from openai_ekm.rehearsal import EmulatorProcess
from tests.constants import REGION
from tests.doubles.customer import EXTERNAL_ID, ROLE, Customer, Http
from tests.support.watches import WATCHES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_ekm.rehearsal import LocalStack

Record = dict[str, Any]


class Recorded:
    """An emulator with a trail, and a customer of its own."""

    def __init__(self, aws: LocalStack, openai: EmulatorProcess, folder: Path) -> None:
        self.aws = aws
        self.openai = openai
        self.folder = folder
        self.api = Http(openai)
        self.customer = Customer(aws)
        self._seen: set[Path] = set()

    def new(self, account: str | None = None) -> list[Record]:
        """The records of an account that came since the last look, of one file after another."""
        place = self.folder / "AWSLogs" / (account or self.customer.account)
        files = sorted(
            set(place.rglob("*.json.gz")) - self._seen, key=lambda file: file.stat().st_mtime_ns
        )
        self._seen.update(files)
        found: list[Record] = []
        for file in files:
            document = json.loads(gzip.decompress(file.read_bytes()))
            assert list(document) == ["Records"]
            found += document["Records"]
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trail goes."""
    return tmp_path_factory.mktemp("of-trail") / "trail"


@pytest.fixture(scope="module")
def emulator(ekm_localstack: LocalStack, folder: Path) -> Iterator[EmulatorProcess]:
    """An emulator that writes files and puts events."""
    with EmulatorProcess.start(ekm_localstack, trail=folder, events=True) as openai:
        yield openai


@pytest.fixture
def recorded(
    ekm_localstack: LocalStack, emulator: EmulatorProcess, folder: Path
) -> Iterator[Recorded]:
    """The emulator, and a customer."""
    made = Recorded(ekm_localstack, emulator, folder)
    before = emulator.settings()
    with made.api.session:
        yield made
    emulator.set_settings(**before)


def told(records: list[Record]) -> list[tuple[str, str | None]]:
    """Name and error of each record."""
    return [(record["eventName"], record.get("errorCode")) for record in records]


WHOLE = [("AssumeRole", None), ("Encrypt", None), ("Decrypt", None)]


def test_the_files_have_exactly_the_events_of_aws(recorded: Recorded) -> None:
    """Register, validate, disable, validate, enable, validate: one record for each call."""
    customer, kms = recorded.customer, recorded.customer.kms
    key = recorded.api.register(customer)
    first = recorded.new()
    assert told(first) == WHOLE
    _check_members(first, customer)
    assert recorded.api.validation(key) == "success"
    assert told(recorded.new()) == WHOLE
    kms.disable_key(KeyId=customer.kms_arn)
    message = recorded.api.validation(key)
    refused = recorded.new()
    assert told(refused) == [("AssumeRole", None), ("Encrypt", "DisabledException")]
    assert refused[1]["errorMessage"] == message == f"{customer.kms_arn} is disabled."
    kms.enable_key(KeyId=customer.kms_arn)
    assert recorded.api.validation(key) == "success"
    assert told(recorded.new()) == WHOLE


def _check_members(records: list[Record], customer: Customer) -> None:
    """Hold the records of one registration to what was really called."""
    assumed, *uses = records
    session = f"arn:aws:sts::{customer.account}:assumed-role/{ROLE}/openai-ekm-emulated"
    role_id = customer.iam.get_role(RoleName=ROLE)["Role"]["RoleId"]
    assert assumed["userIdentity"]["accountId"] == "790389265272"
    assert assumed["requestParameters"]["externalId"] == EXTERNAL_ID
    credentials = assumed["responseElements"]["credentials"]
    for use in uses:
        identity = use["userIdentity"]
        assert identity["arn"] == session
        assert identity["principalId"] == f"{role_id}:openai-ekm-emulated"
        assert identity["accessKeyId"] == credentials["accessKeyId"]
        assert identity["sessionContext"]["sessionIssuer"]["principalId"] == role_id
        assert [each["ARN"] for each in use["resources"]] == [customer.kms_arn]
    assert {record["awsRegion"] for record in records} == {REGION}
    assert {record["recipientAccountId"] for record in records} == {customer.account}
    ids = [record[name] for record in records for name in ("eventID", "requestID")]
    assert len(set(ids)) == 2 * len(records)


def test_a_refused_assume_role_is_not_in_the_customers_trail(recorded: Recorded) -> None:
    """AWS logs a refusal across accounts in the caller's account alone."""
    body = recorded.customer.body(external_id="org-other")
    assert "sts:AssumeRole" in recorded.api.refusal("POST", "external_keys", body)
    assert recorded.new() == []
    recorded.customer.delete_role()
    recorded.api.refusal("POST", "external_keys", recorded.customer.body())
    assert recorded.new() == []


def test_denials_and_errors_of_kms_follow_the_call_that_was_allowed(recorded: Recorded) -> None:
    """A denied Decrypt comes after an Encrypt that AWS answered."""
    customer = recorded.customer
    customer.permit("kms:Encrypt")
    message = recorded.api.refusal("POST", "external_keys", customer.body())
    denied = recorded.new()
    assert told(denied) == [*WHOLE[:2], ("Decrypt", "AccessDenied")]
    assert denied[2]["errorMessage"] == message
    assert denied[2]["requestParameters"] is None
    recorded.openai.set_settings(trail_denial_names_key=True)
    customer.permit("kms:Decrypt")
    recorded.api.refusal("POST", "external_keys", customer.body())
    denied = recorded.new()
    assert told(denied) == [WHOLE[0], ("Encrypt", "AccessDenied")]
    assert denied[1]["requestParameters"]["keyId"] == customer.kms_arn
    customer.permit("kms:Encrypt", "kms:Decrypt")
    customer.kms.schedule_key_deletion(KeyId=customer.kms_arn)
    recorded.api.refusal("POST", "external_keys", customer.body())
    assert told(recorded.new()) == [WHOLE[0], ("Encrypt", "KMSInvalidStateException")]
    gone = customer.kms_arn[:-12] + "000000000000"
    recorded.api.refusal("POST", "external_keys", customer.body(kms_arn=gone))
    missing = recorded.new()
    assert told(missing) == [WHOLE[0], ("Encrypt", "NotFoundException")]
    assert "resources" not in missing[1]


def test_what_is_not_public_of_the_calls_is_a_setting(recorded: Recorded) -> None:
    """Region, address, agent and context of the calls are as they are set; a kept session, too."""
    context = {'k"}]}': "v\n../../"}
    recorded.openai.set_settings(
        sts_region="us-east-1",
        source_ip="203.0.113.9",
        user_agent="another",
        encryption_context=context,
        session_cache_seconds=600,
    )
    key = recorded.api.register(recorded.customer)
    assert recorded.api.validation(key) == "success"
    records = recorded.new()
    assert sorted(told(records)) == sorted([*WHOLE, *WHOLE[1:]])
    assumed = [record for record in records if record["eventName"] == "AssumeRole"]
    uses = [record for record in records if record["eventName"] != "AssumeRole"]
    assert [record["awsRegion"] for record in assumed] == ["us-east-1"]
    assert {record["awsRegion"] for record in uses} == {REGION}
    assert {(each["sourceIPAddress"], each["userAgent"]) for each in records} == {
        ("203.0.113.9", "another")
    }
    assert all(use["requestParameters"]["encryptionContext"] == context for use in uses)


def test_a_probe_that_is_let_in_is_recorded(recorded: Recorded) -> None:
    """A role that asks for no external id has an AssumeRole without one in its trail."""
    recorded.openai.set_settings(negative_probes=True)
    policy = recorded.customer.trust_policy()
    del policy["Statement"][0]["Condition"]
    recorded.customer.trust(policy)
    recorded.api.refusal("POST", "external_keys", recorded.customer.body())
    (probe,) = recorded.new()
    assert "externalId" not in probe["requestParameters"]


def test_the_watches_see_these_records_and_no_others(recorded: Recorded) -> None:
    """Guards against: watches that match events of tests, and not those of a trail."""
    customer = recorded.customer
    key = recorded.api.register(customer)
    assert _seen(recorded, recorded.new()) == {"silence": ["Encrypt", "Decrypt"]}
    customer.kms.disable_key(KeyId=customer.kms_arn)
    recorded.api.validation(key)
    assert _seen(recorded, recorded.new()) == {"errors-state": ["Encrypt"]}
    customer.permit("kms:Encrypt")
    customer.kms.enable_key(KeyId=customer.kms_arn)
    recorded.api.validation(key)
    assert _seen(recorded, recorded.new()) == {
        "silence": ["Encrypt"],
        "errors-denied": ["Decrypt"],
    }


def _seen(recorded: Recorded, records: list[Record]) -> dict[str, list[str]]:
    """What each watch on OpenAI's own use sees, by the name of the call."""
    events = recorded.aws.client("events", recorded.customer.account, REGION)
    values = {"${key}": [recorded.customer.kms_arn], "${role}": [recorded.customer.role_arn]}
    found: dict[str, list[str]] = {}
    for watch in WATCHES:
        if watch.id != "silence" and not watch.id.startswith("errors-"):
            continue
        pattern = json.dumps(watch.pattern)
        for place, value in values.items():
            pattern = pattern.replace(json.dumps(place), json.dumps(value))
        for record in records:
            entry = entry_of(record)
            event = {
                "id": record["eventID"],
                "account": record["recipientAccountId"],
                "region": record["awsRegion"],
                "time": entry["Time"],
                "source": entry["Source"],
                "resources": entry["Resources"],
                "detail-type": entry["DetailType"],
                "detail": record,
            }
            if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]:
                found.setdefault(watch.id, []).append(record["eventName"])
    return found


def test_a_rule_on_the_bus_sends_the_decrypt_to_a_queue(recorded: Recorded) -> None:
    """The same record arrives as an event that a rule matches by its ARN and its session."""
    aws, customer = recorded.aws, recorded.customer
    events = aws.client("events", customer.account, REGION)
    sqs = aws.client("sqs", customer.account, REGION)
    url = sqs.create_queue(QueueName="events-of-the-key")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventName": ["Decrypt"],
            "resources": {"ARN": [customer.kms_arn]},
            "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": [customer.role_arn]}}},
        },
    }
    events.put_rule(
        Name="use",
        EventPattern=json.dumps(pattern),
        State="ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
    )
    events.put_targets(Rule="use", Targets=[{"Id": "queue", "Arn": queue["QueueArn"]}])
    recorded.api.register(customer)
    deadline = time.monotonic() + 120
    messages: list[Any] = []
    while not messages:
        assert time.monotonic() < deadline
        messages = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", [])
    for message in messages:  # or it would come again later
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    (event,) = [json.loads(message["Body"]) for message in messages]
    decrypt = recorded.new()[2]
    assert event["detail"] == decrypt
    assert (event["account"], event["region"]) == (customer.account, REGION)
    assert event["time"] == decrypt["eventTime"]
    assert not sqs.receive_message(QueueUrl=url).get("Messages")
