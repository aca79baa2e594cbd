"""The readers of the doctor's facts: AWS in memory, AWS Organizations over HTTP, real files."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from moto.core.config import default_user_config

from openai_ekm.doctor import read_aws
from openai_ekm.doctor.alarms import read_rules
from openai_ekm.doctor.checks import Line, State
from openai_ekm.doctor.clocks import Clocks
from openai_ekm.doctor.facts import Caller, Organization, Target, Topic
from openai_ekm.doctor.hiding import hide_secrets
from openai_ekm.doctor.record import read_record
from openai_ekm.doctor.trails import covers, read_trails
from openai_ekm.doctor.versions import read_machine
from openai_ekm.errors import AwsRefused, BadInput, EkmError
from openai_ekm.registration.ssm_store import SsmStore
from tests.constants import ACCOUNT, KEY, REGION, SECRET
from tests.doubles.organizations import served
from tests.unit.doctor.facts import TRAIL, given

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doubles.organizations import Organizations

KMS = "kms.amazonaws.com"


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[boto3.Session]:
    """AWS in memory, with every service that moto has."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "MOTO_ACCOUNT_ID": ACCOUNT,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(default_user_config["core"], "service_whitelist", None)
    with mock_aws():
        yield boto3.Session(region_name=REGION)


def statement(action: str) -> str:
    """A policy that allows one action."""
    allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allowed]})


def actions(documents: Any) -> list[str]:
    """The action of each policy."""
    assert not isinstance(documents, EkmError), documents.message
    return [each["Statement"][0]["Action"] for each in documents]


def test_a_user_has_its_own_policies_and_those_of_its_groups(session: boto3.Session) -> None:
    """Guards against: "denied" for what a group or a managed policy allows."""
    iam = session.client("iam")
    iam.create_user(UserName="me")
    iam.put_user_policy(UserName="me", PolicyName="own", PolicyDocument=statement("s3:A"))
    iam.create_group(GroupName="all")
    iam.add_user_to_group(GroupName="all", UserName="me")
    iam.put_group_policy(GroupName="all", PolicyName="theirs", PolicyDocument=statement("s3:C"))
    made = [
        iam.create_policy(PolicyName=name, PolicyDocument=statement(f"s3:{name}"))["Policy"]["Arn"]
        for name in ("B", "D", "Bound")
    ]
    iam.attach_user_policy(UserName="me", PolicyArn=made[0])
    iam.attach_group_policy(GroupName="all", PolicyArn=made[1])
    caller = Caller(f"arn:aws:iam::{ACCOUNT}:user/me", ACCOUNT)
    found = read_aws.read_permitted(session, caller, None)
    assert actions(found.identity) == ["s3:A", "s3:B", "s3:C", "s3:D"]
    assert found.boundary is None

    def bound(parsed: dict[str, Any], **_: Any) -> None:  # moto gives no user a boundary
        parsed["User"]["PermissionsBoundary"] = {"PermissionsBoundaryArn": made[2]}

    session.events.register("after-call.iam.GetUser", bound)
    found = read_aws.read_permitted(session, caller, None)
    assert actions([found.boundary]) == ["s3:Bound"]


def test_a_session_has_the_policies_of_its_role(session: boto3.Session) -> None:
    """Guards against: a session that is judged without its role's policies or boundary."""
    iam = session.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    bound = iam.create_policy(PolicyName="Bound", PolicyDocument=statement("s3:Bound"))
    iam.create_role(
        RoleName="deployer",
        Path="/team/",
        AssumeRolePolicyDocument=trust,
        PermissionsBoundary=bound["Policy"]["Arn"],
    )
    iam.put_role_policy(RoleName="deployer", PolicyName="own", PolicyDocument=statement("s3:A"))
    caller = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me", ACCOUNT)
    found = read_aws.read_permitted(session, caller, None)
    assert actions(found.identity) == ["s3:A"]
    assert actions([found.boundary]) == ["s3:Bound"]
    assert found.principal == f"arn:aws:iam::{ACCOUNT}:role/team/deployer"
    for arn in (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/gone/me",
        f"arn:aws:sts::{ACCOUNT}:federated-user/me",
    ):
        unread = read_aws.read_permitted(session, Caller(arn, ACCOUNT), None)
        assert isinstance(unread.identity, AwsRefused)
    root = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT)
    assert not isinstance(read_aws.read_permitted(session, root, None).identity, EkmError)


def test_trails_are_read_with_their_selectors(session: boto3.Session) -> None:
    """Guards against: a trail of another Region, or one that is off, taken for one that logs."""
    session.client("s3", region_name="us-east-1").create_bucket(Bucket="trails-of-this-test")
    here = session.client("cloudtrail", region_name=REGION)
    there = session.client("cloudtrail", region_name="us-east-1")
    bucket = {"S3BucketName": "trails-of-this-test"}
    there.create_trail(Name="wide", IsMultiRegionTrail=True, **bucket)
    there.start_logging(Name="wide")
    there.create_trail(Name="east", **bucket)
    here.create_trail(Name="off", IncludeGlobalServiceEvents=False, **bucket)
    there.put_event_selectors(
        TrailName="wide",
        EventSelectors=[
            {
                "ReadWriteType": "All",
                "IncludeManagementEvents": True,
                "DataResources": [],
                "ExcludeManagementEventSources": [KMS],
            }
        ],
    )
    trails = read_trails(session, REGION)
    assert not isinstance(trails, EkmError)
    by_name = {each.name: each for each in trails}
    assert by_name.keys() == {"wide", "east", "off"}
    wide, off = by_name["wide"], by_name["off"]
    assert (wide.home, wide.multi_region, wide.logging) == ("us-east-1", True, True)
    assert (off.home, off.multi_region, off.logging, off.global_events) == (
        REGION,
        False,
        False,
        False,
    )
    assert covers(wide, "iam.amazonaws.com", read_only=False) is True
    assert covers(wide, KMS, read_only=False) is False
    assert covers(off, KMS, read_only=False) is False


def selector(*fields: dict[str, Any]) -> dict[str, Any]:
    """An advanced event selector for management events."""
    category = {"Field": "eventCategory", "Equals": ["Management"]}
    return {"FieldSelectors": [category, *fields]}


READS = {"Field": "readOnly", "Equals": ["true"]}
NO_KMS = {"Field": "eventSource", "NotEquals": [KMS, "rdsdata.amazonaws.com"]}
BY_NAME = {"Field": "eventName", "Equals": ["Decrypt"]}
DATA = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}


@pytest.mark.parametrize(
    ("selectors", "write", "read"),
    [
        ([selector()], True, True),
        ([selector(READS)], False, True),
        ([selector(NO_KMS)], False, False),
        ([selector(NO_KMS), selector(READS)], False, True),
        ([selector(BY_NAME)], False, False),
        ([DATA], False, False),
        ([selector({"Field": "eventSource", "StartsWith": ["kms."]})], True, True),
        ([selector({"Field": "eventSource", "NotEndsWith": ["amazonaws.com"]})], False, False),
    ],
)
def test_advanced_selectors_are_judged_for_each_kind(
    selectors: list[dict[str, Any]], write: bool, read: bool
) -> None:
    """Guards against: a trail taken for enough that leaves KMS, or reads, out."""
    trail = replace(TRAIL, advanced=tuple(selectors))
    assert covers(trail, KMS, read_only=False) is write
    assert covers(trail, KMS, read_only=True) is read


def test_rules_are_read_with_their_patterns(session: boto3.Session) -> None:
    """Guards against: a rule whose pattern nobody decodes, and a defect for a schedule."""
    events = session.client("events")
    events.put_rule(Name="watch", EventPattern=json.dumps({"source": ["aws.kms"]}))
    events.put_rule(Name="daily", ScheduleExpression="rate(1 day)", State="DISABLED")
    rules = read_rules(session, REGION, None)
    assert not isinstance(rules, EkmError)
    found = {each.name: (each.state, each.pattern) for each in rules}
    assert found == {
        "watch": ("ENABLED", {"source": ["aws.kms"]}),
        "daily": ("DISABLED", None),
    }


def test_a_rule_is_followed_to_the_subscriptions_of_its_topic(session: boto3.Session) -> None:
    """Guards against: a topic that nobody hears and a topic that is gone, taken for sound."""
    events, sns = session.client("events"), session.client("sns")
    heard = sns.create_topic(Name="heard")["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:alarms"
    sns.subscribe(TopicArn=heard, Protocol="sqs", Endpoint=queue)
    targets = (heard, heard.replace("heard", "gone"), queue)
    for name, source in (("watch", "aws.kms"), ("other", "aws.s3")):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [source]}))
        made = [{"Id": str(number), "Arn": arn} for number, arn in enumerate(targets)]
        events.put_targets(Rule=name, Targets=made)
    rules = read_rules(session, REGION, KEY)
    assert not isinstance(rules, EkmError)
    found = {each.name: each.targets for each in rules}
    assert found["other"] is None
    assert found["watch"] == (
        Target(targets[0], Topic(confirmed=1)),
        Target(targets[1], Topic(exists=False)),
        Target(queue),
    )


@pytest.fixture
def organizations() -> Iterator[Organizations]:
    """AWS Organizations over HTTP."""
    yield from served()


def test_the_organization_is_read_with_its_policies(
    organizations: Organizations, session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: SCPs that were not read and are taken for none."""
    monkeypatch.setattr(read_aws, "client", lambda *_, **__: organizations.client())
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        found = read_aws.read_organization(session, ACCOUNT)
        assert found.management == "999900001111"
        assert isinstance(found.scps, tuple)
        assert found.scps
        assert isinstance(found.rcps, tuple)
        organizations.errors["ListRoots"] = "AccessDeniedException"
        found = read_aws.read_organization(session, ACCOUNT)
        assert "delegated administrator" in str(found.scps)
        organizations.errors["DescribeOrganization"] = "AccessDeniedException"
        found = read_aws.read_organization(session, ACCOUNT)
        assert isinstance(found.management, AwsRefused)
        assert isinstance(found.scps, str)
        organizations.errors["DescribeOrganization"] = "AWSOrganizationsNotInUseException"
        assert read_aws.read_organization(session, ACCOUNT) == Organization(None)


def test_the_lease_is_seen_and_not_taken(session: boto3.Session) -> None:
    """Guards against: a doctor that takes or renews the lease of another run."""
    ssm = session.client("ssm")
    nothing = read_record(given(), session)
    assert not isinstance(nothing, EkmError)
    assert nothing is not None
    assert (nothing.state, nothing.holder) == ("none", "")
    # A host that is not this one: its process cannot be seen to have ended.
    other = {"token": "1", "pid": 1, "host": "elsewhere"}
    ssm.put_parameter(Name="/openai-ekm/prod/claim-1", Value=json.dumps(other), Type="String")
    before = ssm.get_parameters_by_path(Path="/openai-ekm/prod")["Parameters"]
    held = read_record(given(), session)
    assert not isinstance(held, EkmError)
    assert held is not None
    assert held.holder == "host elsewhere, process 1"
    assert held.expires_in is not None
    assert 0 < held.expires_in <= 91  # the date of an answer has whole seconds
    assert ssm.get_parameters_by_path(Path="/openai-ekm/prod")["Parameters"] == before
    own = SsmStore(ssm, "/openai-ekm/other")
    assert own.holder() is None
    assert own.try_claim() == 1
    assert own.holder() is not None
    own.release()
    assert own.holder() is None
    ssm.put_parameter(Name="/openai-ekm/prod/record", Value="{", Type="String")
    unreadable = read_record(given(), session)
    assert isinstance(unreadable, EkmError)


def test_a_record_in_a_file_needs_no_aws(tmp_path: Path) -> None:
    """Guards against: AWS asked for a record that is beside it."""
    named = given(record=("file", str(tmp_path / "r.json")))
    found = read_record(named, None)
    assert not isinstance(found, EkmError)
    assert found is not None
    assert (found.state, found.holder) == ("none", None)
    assert list(tmp_path.iterdir()) == []
    unusable = read_record(given(record=("file", str(tmp_path / "no" / "r.json"))), None)
    assert isinstance(unusable, BadInput)
    assert read_record(given(record=None), None) is None


CONFIG = """
[default]
role_arn = arn:aws:iam::111122223333:role/a
source_profile = default
[profile chained]
role_arn = arn:aws:iam::111122223333:role/b
source_profile = default
duration_seconds = 7200
[profile instance]
role_arn = arn:aws:iam::111122223333:role/c
credential_source = Ec2InstanceMetadata
[profile plain]
role_arn = arn:aws:iam::111122223333:role/d
source_profile = keys
[profile keys]
aws_access_key_id = AKIA
"""


@pytest.mark.parametrize(
    ("profile", "chained", "duration"),
    [
        (None, False, None),
        ("chained", True, 7200),
        ("instance", True, None),
        ("plain", False, None),
    ],
)
def test_a_role_that_is_assumed_from_a_role_is_seen(
    profile: str | None,
    chained: bool,
    duration: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Guards against: an hour's limit that nobody is told of, or is told where there is none."""
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_PROFILE", raising=False)
    if profile is not None:
        monkeypatch.setenv("AWS_PROFILE", profile)
    assert read_aws._chaining("assume-role", temporary=True) == (chained, duration)
    assert read_aws._chaining("sso", temporary=True) == (False, None)
    assert read_aws._chaining("env", temporary=False) == (False, None)
    assert read_aws._chaining("env", temporary=True) == (None, None)


def test_credentials_of_the_environment_tell_their_end(
    session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: an expiry in the zone of this machine, or none where it is known."""
    found = read_aws.read_credentials(session)
    assert not isinstance(found, EkmError)
    assert (found.method, found.temporary, found.expires) == ("env", False, None)
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", ends.isoformat())
    found = read_aws.read_credentials(boto3.Session(region_name=REGION))
    assert not isinstance(found, EkmError)
    assert (found.temporary, found.expires) == (True, ends)
    assert found.expires is not None
    assert found.expires.tzinfo is UTC


@pytest.mark.parametrize(("ahead", "skew"), [(0.0, 0.0), (-120.0, 120.0), (120.0, -120.0)])
def test_a_skew_is_what_the_dates_cannot_explain(ahead: float, skew: float) -> None:
    """Guards against: a slow answer, or whole seconds, taken for a wrong clock."""
    clocks = Clocks()
    now = time.time()
    clocks.note("AWS", format_datetime(datetime.fromtimestamp(now + ahead, UTC)), now - 5, now)
    assert clocks.skews["AWS"] == pytest.approx(skew, abs=6)
    if not ahead:
        assert clocks.skews["AWS"] == 0.0
    for text in (None, "", "yesterday"):
        clocks.note("OpenAI", text, now, now)
    assert clocks.skews.keys() == {"AWS"}


def test_terraform_that_prints_something_else_is_a_line_and_no_defect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a traceback for a wrapper that prints no JSON."""
    monkeypatch.setattr("openai_ekm.terraform.run_version", lambda: ("terraform", b"v1.11"))
    found = read_machine(tmp_path)
    assert isinstance(found.terraform, BadInput)
    assert found.module is None


def test_a_line_shows_no_secret() -> None:
    """Guards against: an error that quotes a credential."""
    line = Line("clock", State.FAILURE, f"a s3cr3t and {SECRET}", "use s3cr3t-longer")
    (hidden,) = hide_secrets([line], {"s3cr3t", "s3cr3t-longer"})
    assert hidden.found == "a [hidden] and [admin key hidden]"
    assert hidden.remedy == "use [hidden]"
