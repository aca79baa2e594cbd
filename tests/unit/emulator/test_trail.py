"""CloudTrail's records of OpenAI's calls: members and order of AWS's examples, files, entries."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import json
import logging
import stat
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from openai_ekm.diagnosis import AwsError
from openai_ekm.emulator.trail import Assumption, KeyUse, Origin, RoleSession, Trail
from openai_ekm.emulator.trail.delivery import EventBus, TrailFolder, check_takes_events, entry_of
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT, OTHER = "111122223333", "444455556666"
REGION = "eu-west-1"
AT = 1_795_000_000.0  # 2026-11-18T11:06:40Z
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
ALIAS = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/openai"
ORIGIN = Origin(
    at=AT, region=REGION, request_id="request-1", source_ip="192.0.2.0", user_agent="OpenAI"
)
SESSION = RoleSession(
    role_arn=ROLE,
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/ekm",
    principal_id="AROAROLE:ekm",
    access_key_id="ASIAKEY",
    began=AT - 60,
)
ASSUMED = Assumption(
    origin=ORIGIN,
    session=SESSION,
    external_id="org-abc",
    duration_seconds=3600,
    ends=AT + 3600,
)
DECRYPT = KeyUse(
    origin=ORIGIN,
    session=SESSION,
    operation="Decrypt",
    kms_arn=KEY,
    key_arn=KEY,
    encryption_context={"Project": "Alpha"},
)
DENIED = AwsError("Decrypt", "AccessDeniedException", f"User: {SESSION.arn} is not authorized")
DISABLED = AwsError("Decrypt", "DisabledException", f"{KEY} is disabled.")
RESOURCES = [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}]


@pytest.fixture
def ids() -> Iterator[str]:
    """Ids in their order."""
    return (f"id-{number}" for number in itertools.count(1))


def test_an_assume_role_is_recorded_as_aws_records_a_foreign_caller(ids: Iterator[str]) -> None:
    """The caller is an account alone, and no secret of the session is in the record."""
    (record,) = ASSUMED.records(lambda: next(ids))
    assert list(record.items()) == list(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AWSAccount",
                "principalId": "AROAOPENAIEKMEXAMPLE2:OpenAI-EKM-Service",
                "accountId": "790389265272",
            },
            "eventTime": "2026-11-18T11:06:40Z",
            "eventSource": "sts.amazonaws.com",
            "eventName": "AssumeRole",
            "awsRegion": REGION,
            "sourceIPAddress": "192.0.2.0",
            "userAgent": "OpenAI",
            "requestParameters": {
                "roleArn": ROLE,
                "roleSessionName": "ekm",
                "externalId": "org-abc",
                "durationSeconds": 3600,
            },
            "responseElements": {
                "credentials": {
                    "accessKeyId": "ASIAKEY",
                    "sessionToken": "<encoded session token blob>",
                    "expiration": "Nov 18, 2026 12:06:40 PM",
                },
                "assumedRoleUser": {"assumedRoleId": "AROAROLE:ekm", "arn": SESSION.arn},
            },
            "requestID": "request-1",
            "eventID": "id-1",
            "readOnly": True,
            "resources": [{"ARN": ROLE, "accountId": ACCOUNT, "type": "AWS::IAM::Role"}],
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "sharedEventID": "id-2",
            "eventCategory": "Management",
        }.items()
    )


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0, "11:06:40 AM"), (1, "12:06:40 PM"), (2, "1:06:40 PM"), (13, "12:06:40 AM")],
)
def test_the_end_of_a_session_is_written_in_twelve_hours(hours: int, text: str) -> None:
    """Guards against: noon and midnight taken for each other."""
    (record,) = dataclasses.replace(ASSUMED, ends=AT + 3600 * hours).records()
    assert record["responseElements"]["credentials"]["expiration"].endswith(f" {text}")


def test_an_assume_role_without_an_external_id_has_none() -> None:
    """A probe would look as if it had sent the registered id."""
    (record,) = dataclasses.replace(ASSUMED, external_id=None).records()
    assert "externalId" not in record["requestParameters"]


def test_a_use_of_the_key_is_recorded_as_a_session_of_the_role(ids: Iterator[str]) -> None:
    """The members and their order are those of AWS's example of Decrypt."""
    (record,) = DECRYPT.records(lambda: next(ids))
    assert list(record.items()) == list(
        {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": "AROAROLE:ekm",
                "arn": SESSION.arn,
                "accountId": ACCOUNT,
                "accessKeyId": "ASIAKEY",
                "sessionContext": {
                    "sessionIssuer": {
                        "type": "Role",
                        "principalId": "AROAROLE",
                        "arn": ROLE,
                        "accountId": ACCOUNT,
                        "userName": "openai-ekm",
                    },
                    "attributes": {
                        "creationDate": "2026-11-18T11:05:40Z",
                        "mfaAuthenticated": "false",
                    },
                },
            },
            "eventTime": "2026-11-18T11:06:40Z",
            "eventSource": "kms.amazonaws.com",
            "eventName": "Decrypt",
            "awsRegion": REGION,
            "sourceIPAddress": "192.0.2.0",
            "userAgent": "OpenAI",
            "requestParameters": {
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "keyId": KEY,
                "encryptionContext": {"Project": "Alpha"},
            },
            "responseElements": None,
            "requestID": "request-1",
            "eventID": "id-1",
            "readOnly": True,
            "resources": RESOURCES,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        }.items()
    )


def test_an_encrypt_has_its_parameters_in_the_order_of_its_own_example() -> None:
    """AWS's example of Encrypt begins with the context; without a context there is no member."""
    use = dataclasses.replace(DECRYPT, operation="Encrypt")
    (record,) = use.records()
    assert list(record["requestParameters"]) == [
        "encryptionContext",
        "keyId",
        "encryptionAlgorithm",
    ]
    (record,) = dataclasses.replace(use, encryption_context={}).records()
    assert list(record["requestParameters"]) == ["keyId", "encryptionAlgorithm"]


def test_a_key_named_by_its_alias_is_in_resources_by_its_arn() -> None:
    """A reader could not tell which key an alias led to then."""
    (record,) = dataclasses.replace(DECRYPT, kms_arn=ALIAS).records()
    assert record["requestParameters"]["keyId"] == ALIAS
    assert record["resources"] == RESOURCES


def test_an_error_of_kms_stands_between_agent_and_parameters() -> None:
    """The members of AWS's example of a failure, in their order."""
    (record,) = dataclasses.replace(DECRYPT, error=DISABLED).records()
    (whole,) = DECRYPT.records()
    names = list(whole)
    at = names.index("requestParameters")
    assert list(record) == [*names[:at], "errorCode", "errorMessage", *names[at:]]
    assert record["errorCode"] == "DisabledException"
    assert record["errorMessage"] == f"{KEY} is disabled."
    assert record["resources"] == RESOURCES


@pytest.mark.parametrize("named", [False, True])
def test_a_denial_names_the_key_in_its_message_alone_unless_told(named: bool) -> None:
    """What AWS writes of a denial is not public, so that readers must bear both."""
    (record,) = dataclasses.replace(DECRYPT, error=DENIED, denial_names_key=named).records()
    assert (record["errorCode"], record["errorMessage"]) == ("AccessDenied", DENIED.message)
    assert (record["requestParameters"] is not None) is named
    assert ("resources" in record) is named


def test_a_key_that_is_not_there_is_no_resource() -> None:
    """Guards against: the ARN of no key among the resources."""
    error = AwsError("Decrypt", "NotFoundException", "gone")
    (record,) = dataclasses.replace(DECRYPT, key_arn=None, error=error).records()
    assert "resources" not in record
    assert record["requestParameters"]["keyId"] == KEY


def test_a_key_of_another_account_is_recorded_in_both() -> None:
    """AWS records a use across accounts for both, with one shared id; a denial for the caller."""
    theirs = KEY.replace(ACCOUNT, OTHER)
    use = dataclasses.replace(DECRYPT, kms_arn=theirs, key_arn=theirs)
    ours, owners = use.records()
    assert (ours["recipientAccountId"], owners["recipientAccountId"]) == (ACCOUNT, OTHER)
    assert ours["userIdentity"]["type"] == "AssumedRole"
    assert owners["userIdentity"] == {
        "type": "AWSAccount",
        "principalId": "AROAROLE:ekm",
        "accountId": ACCOUNT,
    }
    assert ours["sharedEventID"] == owners["sharedEventID"]
    assert ours["eventID"] != owners["eventID"]
    assert len(dataclasses.replace(use, error=DISABLED).records()) == 2
    (denied,) = dataclasses.replace(use, error=DENIED).records()
    assert denied["recipientAccountId"] == ACCOUNT


def records_in(folder: Path) -> list[dict[str, Any]]:
    """The records of all log files."""
    return [
        record
        for file in sorted(folder.rglob("*.json.gz"))
        for record in json.loads(gzip.decompress(file.read_bytes()))["Records"]
    ]


def test_files_are_placed_and_named_as_in_a_bucket(tmp_path: Path) -> None:
    """Tools that read CloudTrail's folders would find nothing."""
    folder = tmp_path / "trail"
    elsewhere = dataclasses.replace(ASSUMED, origin=dataclasses.replace(ORIGIN, region="us-east-1"))
    records = [*elsewhere.records(), *DECRYPT.records(), *DECRYPT.records()]
    TrailFolder(folder).write(records, at=AT)
    files = sorted(file.relative_to(folder) for file in folder.rglob("*") if file.is_file())
    assert [str(file.parent) for file in files] == [
        f"AWSLogs/{ACCOUNT}/CloudTrail/{region}/2026/11/18" for region in (REGION, "us-east-1")
    ]
    for file, region in zip(files, (REGION, "us-east-1"), strict=True):
        start, _, unique = file.name.removesuffix(".json.gz").rpartition("_")
        assert start == f"{ACCOUNT}_CloudTrail_{region}_20261118T1106Z"
        assert len(unique) == 16
        assert unique.isalnum()
    assert records_in(folder) == [*records[1:], records[0]]


def test_files_are_for_this_user_alone_and_never_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: two deliveries of one minute with the same name."""
    letters = itertools.chain("a" * 32, "b" * 16)
    monkeypatch.setattr(
        "openai_ekm.emulator.trail.delivery.secrets.choice", lambda _: next(letters)
    )
    folder = TrailFolder(tmp_path / "trail")
    folder.write(DECRYPT.records(), at=AT)
    folder.write(DECRYPT.records(), at=AT)
    files = sorted((tmp_path / "trail").rglob("*.json.gz"))
    assert [file.name[-24:-8] for file in files] == ["a" * 16, "b" * 16]
    for path in (tmp_path / "trail", *(tmp_path / "trail").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)


def test_a_crash_while_writing_leaves_no_log_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader would meet half a file."""

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    folder = TrailFolder(tmp_path / "trail")
    # Back at once: a plugin of pytest writes to the disk after each test.
    with monkeypatch.context() as patched:
        patched.setattr("openai_ekm.files.os.fsync", crash)
        with pytest.raises(KeyboardInterrupt):
            folder.write(DECRYPT.records(), at=AT)
    assert not [path for path in (tmp_path / "trail").rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("account", "region"),
    [("../../../x", REGION), (ACCOUNT, "../../../x"), (ACCOUNT, ""), (f"{ACCOUNT}\n", REGION)],
)
def test_no_account_or_region_leads_out_of_the_folder(
    tmp_path: Path, account: str, region: str
) -> None:
    """Guards against: a file outside of the folder, by an ARN that a setting lets in."""
    (record,) = DECRYPT.records()
    with pytest.raises(ValueError, match="No folder of a trail"):
        TrailFolder(tmp_path / "a" / "b").write(
            [{**record, "recipientAccountId": account, "awsRegion": region}], at=AT
        )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_names_of_others_are_values_and_nothing_more(tmp_path: Path) -> None:
    """Guards against: an external id or a context that ends its JSON text and adds a record."""
    hostile = '"}]}\n{"Records":[{"x":"\u202e\x1b[2J../../\ud800'
    assumed = dataclasses.replace(ASSUMED, external_id=hostile)
    use = dataclasses.replace(DECRYPT, encryption_context={hostile: hostile})
    TrailFolder(tmp_path / "trail").write([*assumed.records(), *use.records()], at=AT)
    first, second = records_in(tmp_path / "trail")
    assert first["requestParameters"]["externalId"] == hostile
    assert second["requestParameters"]["encryptionContext"] == {hostile: hostile}
    entry = entry_of(first)
    assert entry["Detail"].isascii()
    assert json.loads(entry["Detail"]) == first


def test_a_folder_that_others_may_change_is_refused(tmp_path: Path) -> None:
    """Another user of the machine could forge the trail."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(BadInput) as refused:
        TrailFolder(folder)
    assert refused.value.id == "emulator_trail"
    (tmp_path / "file").touch()
    with pytest.raises(BadInput):
        TrailFolder(tmp_path / "file")


def test_an_event_has_the_form_that_eventbridge_documents() -> None:
    """A rule matches source, detail-type and detail."""
    (record,) = DECRYPT.records()
    entry = entry_of(record)
    assert json.loads(entry.pop("Detail")) == record
    assert entry == {
        "Time": "2026-11-18T11:06:40Z",
        "Source": "aws.kms",
        "Resources": [],
        "DetailType": "AWS API Call via CloudTrail",
    }


@pytest.mark.parametrize(
    "host",
    ["events.eu-west-1.amazonaws.com", "AMAZONAWS.COM.", "x.amazonaws.com.cn", "kms.x.api.aws"],
)
def test_events_never_go_to_aws_itself(host: str) -> None:
    """AWS refuses each event; the user would find out from the log alone."""
    with pytest.raises(BadInput) as refused:
        check_takes_events(f"https://{host}:443")
    assert refused.value.id == "emulator_events_real_aws"


@pytest.mark.parametrize("host", ["127.0.0.1", "localstack", "amazonaws.com.example.com", "[::1]"])
def test_events_go_to_another_aws(host: str) -> None:
    """LocalStack may have any name."""
    check_takes_events(f"http://{host}:4566")


class FailingBus:
    """EventBridge that answers an entry with a failure, then each call with a refusal."""

    def __init__(self) -> None:
        self.calls = 0

    def put_events(self, **_: Any) -> dict[str, Any]:
        """Fail."""
        self.calls += 1
        if self.calls > 1:
            raise ClientError({"Error": {"Code": "No", "Message": "\n\x1b[2J"}}, "PutEvents")
        return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "no"}]}


def test_what_cannot_be_delivered_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Guards against: an emulator whose answers depend on its trail, and a silent loss."""
    folder = TrailFolder(tmp_path / "trail")
    (tmp_path / "trail" / "AWSLogs").touch()
    bus = FailingBus()
    trail = Trail(lambda: AT, folder=folder, bus=EventBus(lambda *_: bus))
    with caplog.at_level(logging.ERROR):
        trail.deliver([DECRYPT])
        trail.deliver([DECRYPT])
    said = [record.getMessage()[:9] for record in caplog.records]
    assert said == ["--trail: ", "--events:"] * 2
    assert all(record.getMessage().isprintable() for record in caplog.records)
