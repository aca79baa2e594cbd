"""Files that cannot be read are named and counted, and nothing that they say acts on a terminal."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import main
from openai_ekm.errors import BadInput
from openai_ekm.usage.answers import exit_code
from openai_ekm.usage.columns import LONGEST_TEXT
from openai_ekm.usage.loading import Loader, days, name_of
from openai_ekm.usage.table import EventTable
from openai_ekm.usage.target import Target
from openai_ekm.usage.watched import is_needed, uses, watched
from tests.support.cloudtrail_events import ACCOUNT, KEY_ARN, REGION, ROLE_ARN, USER
from tests.support.other_users import ROOT, STRANGER, act_as, shared_folder
from tests.support.trail_logs import GOLDEN, assumed, log_file, session, used, write_log
from tests.support.watches import WATCHES
from tests.unit.usage.asking import TARGET, about, about_places, numbers

if TYPE_CHECKING:
    from pathlib import Path

WHEN = "2026-11-28T10:00:00Z"
# Turns text to red, moves the cursor, hides what follows, begins a line.
HOSTILE = "\x1b[31m\x1b[2J\u202eevil\r\nyes  Nobody\0\ud800"


def test_each_file_that_is_no_whole_log_is_named(tmp_path: Path) -> None:
    """Guards against: a log that was not read, and an answer that looks whole."""
    write_log(tmp_path, GOLDEN[:3])
    whole = log_file(GOLDEN)
    name = f"{ACCOUNT}_CloudTrail_{REGION}_20261128T1000Z_%s.json.gz"
    (tmp_path / (name % ("B" * 16))).write_bytes(whole[: len(whole) // 2])
    (tmp_path / (name % ("C" * 16))).write_bytes(b"no gzip")
    (tmp_path / "digest.json").write_bytes(b'{"digestStartTime": "x"}')
    (tmp_path / "README.txt").write_text("no log")
    (tmp_path / "strange.json").write_bytes(log_file([3, None, {}, {"eventTime": "soon"}]))
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "array.json").write_bytes(b"[]")
    (tmp_path / "lines.json").write_bytes(b'{"eventVersion": "1.11"}\n{"eventVersion": "1.11"}')
    (tmp_path / (name % ("D" * 16))).symlink_to(tmp_path / "nowhere")
    (tmp_path / "elsewhere").symlink_to(tmp_path.parent)
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    found = about_places(tmp_path)
    told = {each["file"].rpartition("/")[2]: each["state"] for each in found["unread"]["files"]}
    assert told == {
        name % ("B" * 16): "truncated",
        name % ("C" * 16): "broken",
        "digest.json": "foreign",
        "pipe.json": "foreign",
        "strange.json": "broken",
        "array.json": "broken",
        "lines.json": "broken",
        name % ("D" * 16): "broken",
        "elsewhere": "broken",
        "gone.json": "foreign",
    }
    assert found["unread"]["count"] == 10
    assert (found["complete"], exit_code(found)) == (False, 8)


def test_a_folder_that_may_be_listed_and_not_entered_is_named() -> None:
    """Guards against: a traceback, or unread logs and an answer that looks whole."""
    with shared_folder() as shared, EventTable() as table:
        loader = Loader(table, TARGET)
        write_log(shared / "open", GOLDEN[:3])
        # What reading imports at first, the other user may not be allowed to read.
        with EventTable() as other:
            Loader(other, TARGET).read_place(str(shared))
        closed = write_log(shared / "closed", GOLDEN).parent
        (closed / "link").symlink_to(shared)
        link = shared / "open" / "behind.json"
        link.symlink_to(closed / "x.json")
        closed.chmod(0o744 if ROOT else 0o444)

        def look() -> None:
            loader.read_place(str(shared))
            assert [(each.file, each.state, each.reason) for each in loader.unread] == [
                (str(closed), "broken", "may be listed and not entered: no file in it was read"),
                (str(link), "broken", "cannot be read: Permission denied"),
            ]
            assert (loader.sources[0].files, loader.sources[0].kept) == (1, 3)
            with pytest.raises(BadInput) as raised:
                loader.read_place(str(closed / "x.json"))
            assert raised.value.id == "trail_missing"
            assert str(raised.value) == f"{closed / 'x.json'} cannot be read: Permission denied."

        try:
            if ROOT:
                assert act_as(STRANGER, look)
            else:
                look()
        finally:
            closed.chmod(0o755)


def test_a_folder_in_which_nothing_could_be_read_is_no_empty_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Guards against: logs that could not be read, told as a folder without logs."""
    (tmp_path / f"{ACCOUNT}_CloudTrail_{REGION}_20261128T1000Z_AAAA.json").symlink_to("nowhere")
    with pytest.raises(SystemExit) as ended:
        main(["usage", str(tmp_path), "--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN])
    assert ended.value.code == 8
    assert "_AAAA.json is not a file" in capsys.readouterr().out


def test_foreign_files_count_for_nothing(tmp_path: Path) -> None:
    """Guards against: a trail's own digest files that make every answer undecided."""
    write_log(tmp_path, GOLDEN[:3])
    (tmp_path / "digest.json").write_bytes(b'{"digestStartTime": "x"}')
    found = about_places(tmp_path)
    assert (found["complete"], exit_code(found), found["unread"]["count"]) == (True, 0, 1)


def test_a_log_by_name_is_never_foreign(tmp_path: Path) -> None:
    """Guards against: a log that was put in another's place and is passed over."""
    place = write_log(tmp_path, GOLDEN[:3])
    place.write_bytes(b'{"nothing": []}')
    assert about_places(tmp_path)["unread"]["files"][0]["state"] == "broken"


@pytest.mark.parametrize(
    "content", [b"[]", b"3", b"{}", b'{"records": []}', b'{"digestStartTime": "x"}']
)
def test_a_file_that_was_named_is_never_foreign(tmp_path: Path, content: bytes) -> None:
    """Guards against: a file in which nothing is read, and an answer that looks whole."""
    (tmp_path / "named.json").write_bytes(content)
    found = about_places(tmp_path / "named.json")
    assert [each["state"] for each in found["unread"]["files"]] == ["broken"]
    assert exit_code(found) == 8


def test_a_use_that_names_no_key_is_told() -> None:
    """Guards against: a call that AWS let pass, of a key that nobody can tell."""
    nothing: dict[str, Any] = {"resources": None, "requestParameters": None}
    found = about([used(1, WHEN, "Decrypt", USER, **nothing)])
    (told,) = found["unread"]["files"]
    assert (told["state"], told["reason"].endswith("names no key")) == ("broken", True)
    assert exit_code(found) == 8
    refused = used(1, WHEN, "Decrypt", USER, errorCode="AccessDenied", **nothing)
    assert exit_code(about([refused, used(2, WHEN, "DescribeKey", USER, **nothing)])) == 0


@pytest.mark.parametrize(("year", "since_1970"), [("0001", 0), ("1969", 1), ("9999", 1)])
def test_a_year_that_is_no_year_of_a_trail_is_told(
    tmp_path: Path, year: str, since_1970: int
) -> None:
    """Guards against: an overflow of a date, and a record that no query looks at."""
    found = about([used(1, f"{year}-12-31T10:00:00Z", "Decrypt", USER)])
    assert found["unread"]["files"][0]["reason"].endswith("has an eventTime that is no time")
    log = tmp_path / f"{ACCOUNT}_CloudTrail_{REGION}_{year}1231T1000Z_AAAA.json"
    log.write_bytes(log_file([used(1, WHEN, "Decrypt", USER)], packed=False))
    # The file of the last day of 1969 may hold records of 1970; the year 9999 is no name of a log.
    until = Target(KEY_ARN, ROLE_ARN, None, datetime(9998, 12, 31, tzinfo=UTC))
    since = Target(KEY_ARN, ROLE_ARN, datetime(1970, 1, 1, tzinfo=UTC))
    for target, files in ((until, 1), (since, since_1970)):
        found = about_places(tmp_path, target=target)
        assert found["unread"] == {"count": 0, "files": []}
        assert [each["files"] for each in found["sources"]] == [files]
        assert found["others"]["calls"] == files


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("--since", "1969-12-31", "usage_time_malformed"),
        ("--since", "0001-01-01", "usage_time_malformed"),
        ("--until", "9999-12-31", "usage_time_malformed"),
        ("--log-region", "x','projection.account.type'='injected", "usage_region_malformed"),
        ("--log-region", "eu-west-1,us-east-1", "usage_region_malformed"),
    ],
)
def test_an_option_that_is_malformed_is_refused(
    capsys: pytest.CaptureFixture[str], option: str, value: str, error: str
) -> None:
    """Guards against: an option that ends the run, or writes into the text for Athena."""
    named = ["--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN]
    with pytest.raises(SystemExit) as ended:
        main(["usage", "--athena", "s3://my-trail/AWSLogs/", *named, option, value])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (2, "")
    assert f"error[{error}]" in shown.err


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    """Guards against: a misspelt folder that means nobody used the key."""
    for place in (tmp_path / "nowhere", "a\0b"):
        with pytest.raises(BadInput) as raised:
            about_places(place)
        assert raised.value.id == "trail_missing"


def test_sources_that_overlap_count_once(tmp_path: Path) -> None:
    """Guards against: calls that double since a file was given twice, or two trails have them."""
    one = write_log(tmp_path / "one", GOLDEN)
    write_log(tmp_path / "two", GOLDEN[::-1], unique="B" * 16)
    alone = about_places(one)
    both = about_places(one, tmp_path)
    for member in set(alone) - {"sources"}:
        assert both[member] == alone[member], member
    # Of 22 records that are needed one is there twice; the second place has each of them twice.
    assert [each["duplicates"] for each in both["sources"]] == [1, 44]


def test_hostile_text_is_kept_and_shown_as_escapes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a user agent that writes a verdict of its own, or ends the run."""
    who = {**USER, "arn": f"arn:aws:iam::{ACCOUNT}:user/{HOSTILE}"}
    call = used(1, WHEN, "Decrypt", who, userAgent=HOSTILE, sourceIPAddress=HOSTILE)
    failed = used(2, WHEN, "Decrypt", who, errorCode=HOSTILE, errorMessage='";--,\n' + "x" * 9999)
    write_log(tmp_path, [call, failed])
    named = ["--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN]
    for form in ([], ["--json"]):
        with pytest.raises(SystemExit) as ended:
            main(["usage", str(tmp_path), *named, *form])
        assert ended.value.code == 1
        shown = capsys.readouterr().out
        assert "evil" in shown
        assert all(line.isprintable() for line in shown.split("\n"))
        assert not [line for line in shown.split("\n") if line.startswith("yes")]
    found = about_places(tmp_path)
    assert len(found["failures"][0]["message"]) == LONGEST_TEXT


def test_members_of_another_type_end_nothing() -> None:
    """Guards against: a record that AWS would not write, and an end of the run."""
    strange = used(1, WHEN, "Decrypt", USER)
    values: tuple[Any, ...] = (None, 3, [], {}, "text", [[]], {"sessionContext": 1, "keyId": []})
    odd = [
        {**strange, "eventID": f"{number}", member: value}
        for number, (member, value) in enumerate(
            (member, value)
            for member in list(strange)
            if member not in {"eventID", "eventTime"}
            for value in values
        )
    ]
    assert about(odd)["sources"][0]["records"] == len(odd)


def test_names_of_log_files_say_what_may_be_in_them() -> None:
    """Guards against: a file that is left out although an event that was asked for is in it."""
    since, until = datetime(2026, 11, 28, 12, tzinfo=UTC), datetime(2026, 11, 28, 13, tzinfo=UTC)
    target = Target(KEY_ARN, ROLE_ARN, since, until, frozenset({REGION}))

    def may(account: str = ACCOUNT, region: str = REGION, day: str = "20261128") -> bool:
        named = name_of(f"{account}_CloudTrail_{region}_{day}T1005Z_AbCdEfGhIjKlMnOp.json.gz")
        return named is not None and named.may_concern(target)

    assert may()
    assert may(day="20261129")
    assert not may(day="20261125")
    assert not may(day="20261201")
    assert not may(account="999988887777")
    assert not may(region="us-east-1")
    assert name_of(f"{ACCOUNT}_CloudTrail_{REGION}_20261399T1005Z_A.json.gz") is None
    assert name_of("notes.json") is None
    assert [f"{day:%m%d}" for day in days(target, datetime(2026, 12, 24, tzinfo=UTC))] == [
        "1128",
        "1129",
    ]
    midnight = Target(KEY_ARN, ROLE_ARN, datetime(2026, 11, 28, tzinfo=UTC))
    assert [f"{day:%m%d}" for day in days(midnight, datetime(2026, 11, 28, 6, tzinfo=UTC))] == [
        "1127",  # of the session that was begun an hour before
        "1128",
    ]
    assert days(TARGET, since) == []


def test_the_events_are_those_of_the_monitoring() -> None:
    """Guards against: a watch that the usage does not know, or knows by other words."""
    known = {watch.id: watch for watch in watched()}
    table = {watch.id: watch for watch in WATCHES}
    assert set(known) <= set(table)
    left_out = {
        *("key-used-by-other", "key-use-refused", "role-assumed-by-other", "role-assume-refused"),
        "role-managed-policy-changed",
    }
    assert {each for each in table if each.startswith(("key-", "role-"))} - set(known) == left_out
    for name, watch in known.items():
        assert (watch.severity, watch.summary) == (table[name].severity, table[name].summary)
    assert uses() == ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey%")
    assert is_needed("kms.amazonaws.com", "GenerateDataKeyPairWithoutPlaintext")
    assert is_needed("sts.amazonaws.com", "AssumeRoleWithSAML")
    assert not is_needed("kms.amazonaws.com", "DescribeKey")
    assert not is_needed("iam.amazonaws.com", "PutKeyPolicy")


def test_every_change_that_is_watched_is_told() -> None:
    """Guards against: an event of the table that no query finds."""
    sent = {"keyId": KEY_ARN, "roleName": "openai-ekm"}
    records, expected = [assumed(1, WHEN, "A")], {}
    for watch in watched():
        for name in watch.events:
            number = len(records) + 1
            more = {"errorCode": "AccessDenied"} if watch.refused else {}
            service = watch.source.partition(".")[0]
            made = {**used(number, WHEN, name, USER), "eventSource": watch.source, **more}
            if service != "kms":
                made |= {"resources": None}
            records.append({**made, "requestParameters": sent})
            expected[number] = watch.id
    records.append({**used(900, WHEN, "ListAliases", session("A"))})
    expected[900] = "role-used-otherwise"
    events = about(records)["changes"]["events"]
    assert dict(zip(numbers(events), (each["watch"] for each in events), strict=True)) == expected
