"""`ekm usage` over what the emulator did at a real key, in files and in a bucket of LocalStack."""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.rehearsal import EmulatorProcess
from tests.constants import REGION
from tests.doubles.customer import Customer, Http
from tests.support.cloudtrail_events import USER, of_key
from tests.support.trail_logs import log_file, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_ekm.rehearsal import LocalStack

AWS_CALL = re.compile(r"AWS\s+s3:(\w+)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trail goes."""
    return tmp_path_factory.mktemp("usage") / "trail"


@pytest.fixture(scope="module")
def emulator(ekm_localstack: LocalStack, folder: Path) -> Iterator[EmulatorProcess]:
    """An emulator that writes a trail."""
    with EmulatorProcess.start(ekm_localstack, trail=folder) as openai:
        yield openai


@dataclass
class Usage:
    """Runs `ekm usage` in this process."""

    aws: LocalStack
    customer: Customer
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run it; return the exit code, the document, and what it said on the way."""
        with self.monkeypatch.context() as patch:
            for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
                patch.delenv(name)
            for name, value in {
                **self.aws.environment(self.customer.account, REGION),
                "EKM_ROLE_ARN": self.customer.role_arn,
                "EKM_KMS_ARN": self.customer.kms_arn,
            }.items():
                patch.setenv(name, value)
            code = run(load_verb("usage"), "ekm usage", [*words, "--json", "-v"])
        out, err = self.capsys.readouterr()
        return code, json.loads(out), err


@pytest.fixture
def usage(
    ekm_localstack: LocalStack,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Usage:
    """A customer, and the verb."""
    return Usage(ekm_localstack, Customer(ekm_localstack), monkeypatch, capsys)


def begin_another_second() -> None:
    """Wait until what comes next has another time in the trail, whose times are whole seconds."""
    begun = int(time.time())
    while int(time.time()) == begun:
        time.sleep(0.01)


def test_the_life_of_a_key_is_told(usage: Usage, emulator: EmulatorProcess, folder: Path) -> None:
    """Registered: using. Disabled: refused, and yours. Enabled: using, with the failure."""
    customer, api = usage.customer, Http(emulator)
    with api.session:
        key = api.register(customer)
        code, found, _ = usage(str(folder))
        assert (code, found["openai"]["state"]) == (0, "using")
        assert [(row["operation"], row["openai"]) for row in found["by_operation"]] == [
            ("Decrypt", 1),
            ("Encrypt", 1),
        ]
        assert found["openai"]["assumptions"]["regions"] == [{"region": REGION, "calls": 1}]
        begin_another_second()
        customer.kms.disable_key(KeyId=customer.kms_arn)
        api.validation(key)
        code, found, _ = usage(str(folder))
        assert (code, found["openai"]["state"], found["openai"]["side"]) == (0, "refused", "us")
        (failure,) = found["failures"]
        assert (failure["code"], failure["who"]) == ("DisabledException", "openai")
        customer.kms.enable_key(KeyId=customer.kms_arn)
        customer.permit("kms:Encrypt")
        api.validation(key)
        code, found, _ = usage(str(folder))
        assert {each["code"]: each["calls"] for each in found["failures"]} == {
            "AccessDenied": 1,  # its record names no key: it is the role's session that tells
            "DisabledException": 1,
        }
        assert not found["undecided"]["calls"]


def test_a_bucket_is_listed_by_account_region_and_day(usage: Usage) -> None:
    """Guards against: other accounts', Regions' and days' logs that are listed or read."""
    account = usage.customer.account
    s3 = usage.aws.client("s3", account, REGION)
    bucket = f"trail-{account}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    call = record(1, "2026-11-28T10:00:00Z", "kms", "Decrypt", USER)
    call |= of_key(usage.customer.kms_arn)
    places = [
        (whose, region, day)
        for whose in (account, "999988887777")
        for region in (REGION, "us-east-1")
        for day in ("2026/11/20", "2026/11/27", "2026/11/28", "2026/11/29")
    ]
    for whose, region, day in places:
        name = f"{whose}_CloudTrail_{region}_{day.replace('/', '')}T1000Z_{'A' * 16}.json.gz"
        key = f"AWSLogs/{whose}/CloudTrail/{region}/{day}/{name}"
        s3.put_object(Bucket=bucket, Key=key, Body=log_file([call]))
        digest = key.replace("/CloudTrail/", "/CloudTrail-Digest/")
        s3.put_object(Bucket=bucket, Key=digest, Body=b"{}")
    since = ("--since", "2026-11-28T06:00:00Z", "--until", "2026-11-28T12:00:00Z")

    code, found, said = usage(f"s3://{bucket}", *since)
    assert (code, found["others"]["calls"]) == (1, 1)
    (source,) = found["sources"]
    # Two days, 28 and 29: an event of the first may be in a file of the second. The least: one list
    # for organizations, one for Regions, one for each Region and day; one read for each file.
    assert (source["files"], source["duplicates"]) == (4, 3)
    calls = AWS_CALL.findall(said)
    assert sorted(calls) == ["GetObject"] * 4 + ["ListObjectsV2"] * 6
    assert source["aws_calls"] == len(calls)

    code, found, _ = usage(f"s3://{bucket}/AWSLogs/{account}", "--log-region", REGION, *since)
    assert found["sources"][0]["aws_calls"] == 1 + 2 + 2  # Regions, two days, two files
    code, found, _ = usage(f"s3://{bucket}/AWSLogs/{account}/CloudTrail/{REGION}/2026/11/20")
    assert (found["sources"][0]["files"], found["sources"][0]["aws_calls"]) == (1, 2)
    code, found, _ = usage(f"s3://{bucket}")
    assert found["sources"][0]["files"] == 8
    code, found, _ = usage(f"s3://{bucket}/elsewhere")
    assert (code, found["error"]["id"]) == (2, "trail_empty")
    code, found, _ = usage("s3://no-bucket-of-this-name")
    assert (code, found["error"]["exit_code"]) == (3, 3)
