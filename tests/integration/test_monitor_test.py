"""`ekm monitor test` on LocalStack: the message, each step that fails, and what is removed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import load_verb, run
from openai_ekm.monitoring.message import TAG, WATCHES
from tests.constants import REGION
from tests.doubles.cloudtrail import CloudTrail, cloudtrail
from tests.doubles.customer import Customer, document
from tests.support.watches import WATCHES as TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from openai_ekm.rehearsal import LocalStack

# As from a terminal: a suite in the background is started with SIGINT ignored, under nohup SIGHUP.
SOURCE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); from openai_ekm.cli.main import main; main()"
)
PROGRAM = (sys.executable, "-P", "-c", SOURCE)
CHANGES = ["CreateQueue", "Subscribe", "Subscribe", "TagResource", "UntagResource"]
REMOVALS = ["Unsubscribe", "Unsubscribe", "DeleteQueue"]
SEEN_AFTER = 30  # seconds, at most; LocalStack takes less than one


def pattern_of(watch: str, key_arn: str) -> str:
    """The pattern of a watch in the module's table, for one key without aliases."""
    (row,) = [each for each in TABLE if each.id == watch]
    of_the_key = [{"resources": {"ARN": [key_arn]}}, {"requestParameters": {"keyId": [key_arn]}}]
    text = json.dumps({**(row.pattern or {})})
    for place in ("of_the_key_or_alias", "of_the_keys", "of_the_key"):
        text = text.replace(json.dumps(f"${{{place}}}"), json.dumps(of_the_key))
    pattern = json.loads(text)
    pattern["detail"].pop("userIdentity", None)  # anybody is a maintenance principal here
    return json.dumps(pattern)


@dataclass
class Account:
    """An account with a key and topics, seen by CloudTrail."""

    aws: LocalStack
    trail: CloudTrail
    customer: Customer

    def __post_init__(self) -> None:
        sns = self.client("sns")
        self.topics = {
            severity: sns.create_topic(Name=f"openai-ekm-{severity}")["TopicArn"]
            for severity in ("critical", "warning", "info")
        }

    def client(self, service: str) -> Any:
        """A client that the trail does not see."""
        return self.aws.client(service, self.customer.account, REGION)

    def empty(self) -> None:
        """Remove what the test before has made, or left."""
        self.trail.forget()
        everybody = {"AWS": f"arn:aws:iam::{self.customer.account}:root"}
        self.customer.key_policy_is(
            document(
                {"Effect": "Allow", "Principal": everybody, "Action": "kms:*", "Resource": "*"}
            )
        )
        self.customer.kms.untag_resource(KeyId=self.customer.kms_arn, TagKeys=[TAG])
        events, sns, sqs = (self.client(service) for service in ("events", "sns", "sqs"))
        for rule in events.list_rules()["Rules"]:
            events.remove_targets(Rule=rule["Name"], Ids=["topic"])
            events.delete_rule(Name=rule["Name"])
        for each in sns.list_subscriptions()["Subscriptions"]:
            sns.unsubscribe(SubscriptionArn=each["SubscriptionArn"])
        for url in sqs.list_queues().get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)


@dataclass
class Watched:
    """Runs `ekm monitor test` in an account that is empty but for key, role and topics."""

    account: Account
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __post_init__(self) -> None:
        self.trail, self.customer = self.account.trail, self.account.customer
        self.sns, self.sqs, self.events = (
            self.account.client(service) for service in ("sns", "sqs", "events")
        )
        self.topics = self.account.topics
        self.environment = {
            **self.account.aws.environment(self.customer.account, REGION),
            "AWS_ENDPOINT_URL": self.trail.url,
            "EKM_ROLE_ARN": self.customer.role_arn,
            "EKM_KMS_ARN": self.customer.kms_arn,
        }

    def watch(self, watch: str) -> None:
        """Make the rule of a watch, with the message that the module's has."""
        message = {"watch": watch, "severity": WATCHES[watch], "who": "@who@", "event": "@event@"}
        template = json.dumps(message).replace('"@who@"', "<who>")
        template = template.replace('"@event@"', "<aws.events.event.json>")
        self.events.put_rule(Name=watch, EventPattern=pattern_of(watch, self.customer.kms_arn))
        self.events.put_targets(
            Rule=watch,
            Targets=[
                {
                    "Id": "topic",
                    "Arn": self.topics[WATCHES[watch]],
                    "InputTransformer": {
                        "InputPathsMap": {"who": "$.detail.userIdentity"},
                        "InputTemplate": template,
                    },
                }
            ],
        )

    def named(self) -> list[str]:
        """The options that name the topics."""
        return [
            *("test", "--topic", self.topics["warning"], "--topic", self.topics["info"], "--json")
        ]

    def __call__(
        self, *words: str, outputs: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any], str]:
        """Run it; return the exit code, the document and standard error."""
        given = ["test", "--from-terraform", "-", "--json"] if outputs else self.named()
        with self.monkeypatch.context() as patch:
            for name in [each for each in os.environ if each.startswith(("AWS_", "EKM_"))]:
                patch.delenv(name)
            for name, value in self.environment.items():
                patch.setenv(name, value)
            text = json.dumps({name: {"value": value} for name, value in (outputs or {}).items()})
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
            code = run(load_verb("monitor"), "ekm monitor", [*given, *words])
        out, err = self.capsys.readouterr()
        return code, json.loads(out), err

    def left(self) -> list[str]:
        """What is there that a test could have made."""
        tags = self.customer.kms.list_resource_tags(KeyId=self.customer.kms_arn)["Tags"]
        queues = self.sqs.list_queues(QueueNamePrefix="openai-ekm-").get("QueueUrls", [])
        subscriptions = self.sns.list_subscriptions()["Subscriptions"]
        return [
            *("tag" for each in tags if each["TagKey"] == TAG),
            *("queue" for _ in queues),
            *("subscription" for _ in subscriptions),
        ]

    def changes(self) -> list[str]:
        """The calls that change something."""
        return [each for each in self.trail.calls if each in {*CHANGES, *REMOVALS}]


@pytest.fixture(scope="module")
def account(ekm_localstack: LocalStack) -> Iterator[Account]:
    """One account for all tests: to make another takes longer than to empty this one."""
    customer = Customer(ekm_localstack)
    with cloudtrail(ekm_localstack, customer.account) as trail:
        yield Account(ekm_localstack, trail, customer)


@pytest.fixture
def watched(
    account: Account, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Watched:
    """The account, empty."""
    account.empty()
    return Watched(account, monkeypatch, capsys)


@pytest.mark.parametrize("watch", WATCHES)
def test_the_message_of_each_watch_is_seen_and_all_is_removed(watched: Watched, watch: str) -> None:
    """Guards against: a wait for another message than the module's, and a trace that stays."""
    watched.watch(watch)
    outputs = {"kms_arn": watched.customer.kms_arn, "monitoring_topic_arns": watched.topics}
    code, found, err = watched("--wait", str(SEEN_AFTER), outputs=outputs)
    assert (code, found["result"], found["holds"], found["left"]) == (0, "seen", True, []), err
    assert (found["watch"], found["severity"]) == (watch, WATCHES[watch])
    assert found["topic"] == watched.topics[WATCHES[watch]]
    assert found["topics"] == [watched.topics["warning"], watched.topics["info"]]
    assert found["policies_not_read"] == []
    assert watched.changes() == CHANGES + REMOVALS
    assert watched.left() == []


def test_the_queue_admits_the_topics_alone(watched: Watched) -> None:
    """Guards against: a queue that anybody may write to, or that is not encrypted."""
    watched.trail.refused = {"DeleteQueue": 0}
    watched("--wait", "1")
    (url,) = watched.sqs.list_queues()["QueueUrls"]
    attributes = watched.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
        "Attributes"
    ]
    assert attributes["SqsManagedSseEnabled"] == "true"
    (statement,) = json.loads(attributes["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "sns.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Resource"] == attributes["QueueArn"]
    sources = [watched.topics["warning"], watched.topics["info"]]
    assert statement["Condition"] == {"ArnEquals": {"aws:SourceArn": sources}}


def test_a_message_that_does_not_come_is_told_and_all_is_removed(watched: Watched) -> None:
    """Guards against: an alarm that reaches nobody and is taken for one that does."""
    watched.watch("key-tags-changed")
    watched.events.remove_targets(Rule="key-tags-changed", Ids=["topic"])
    code, found, err = watched("--wait", "2")
    assert (code, found["result"], found["holds"]) == (1, "not_seen", False)
    assert found["error"]["id"] == "monitor_message_not_seen"
    assert "error[monitor_message_not_seen]" in err
    assert watched.left() == []


def test_the_plan_changes_nothing(watched: Watched) -> None:
    """Guards against: a plan that is carried out."""
    code, found, _ = watched("--plan")
    assert (code, found["result"], found["holds"]) == (0, "planned", False)
    assert watched.changes() == []


def test_a_policy_that_tests_the_tag_stops_it(watched: Watched) -> None:
    """Guards against: a test that gives somebody the key, or takes it from OpenAI."""
    condition = {"StringNotEquals": {f"AWS:ResourceTag/{TAG.upper()}": "x"}}
    everybody = {"AWS": f"arn:aws:iam::{watched.customer.account}:root"}
    watched.customer.key_policy_is(
        document(
            {"Effect": "Allow", "Principal": everybody, "Action": "kms:*", "Resource": "*"},
            {
                "Effect": "Allow",
                "Principal": everybody,
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": condition,
            },
        )
    )
    code, found, _ = watched()
    assert (code, found["error"]["id"]) == (6, "monitor_tag_tested")
    assert "the key policy" in found["error"]["message"]
    assert watched.changes() == []


@pytest.mark.parametrize(
    ("call", "passing"),
    [
        ("CreateQueue", 0),
        ("Subscribe", 0),
        ("Subscribe", 1),
        ("TagResource", 0),
        ("ReceiveMessage", 0),
    ],
)
def test_each_step_that_is_refused_leaves_nothing(
    watched: Watched, call: str, passing: int
) -> None:
    """Guards against: a queue or a subscription that stays after a missing permission."""
    watched.trail.refused = {call: passing}
    code, found, err = watched("--wait", "600")  # the refusal ends it
    assert (code, found["result"], found["left"]) == (3, "failed", []), err
    assert call in found["error"]["message"]
    assert watched.left() == []


@pytest.mark.parametrize(
    ("call", "kind", "command"),
    [
        ("UntagResource", "tag", "aws kms untag-resource --region eu-west-1 --key-id arn:"),
        ("Unsubscribe", "subscription", "aws sns unsubscribe --region eu-west-1 "),
        ("DeleteQueue", "queue", "aws sqs delete-queue --region eu-west-1 --queue-url "),
    ],
)
def test_what_cannot_be_removed_is_named_and_the_rest_is_removed(
    watched: Watched, call: str, kind: str, command: str
) -> None:
    """Guards against: a first refusal that keeps the rest from being removed, or a silent trace."""
    watched.trail.refused = {call: 0}
    code, found, err = watched("--wait", "1")
    assert code == (3 if call == "UntagResource" else 1)
    assert set(watched.left()) == {kind}
    assert len(found["left"]) == len(watched.left())
    for each in found["left"]:
        assert each["command"].startswith(command)
        assert each["command"] in err
    assert not found["holds"]


def test_a_message_that_came_does_not_hide_what_was_not_removed(watched: Watched) -> None:
    """Guards against: exit code 0 while a queue stays."""
    watched.watch("key-tags-changed")
    watched.trail.refused = {"DeleteQueue": 0}
    code, found, err = watched("--wait", str(SEEN_AFTER))
    assert (code, found["result"], found["holds"]) == (3, "seen", False)
    assert found["error"]["id"] == "monitor_not_removed"
    assert "error[monitor_not_removed]" in err


@pytest.mark.parametrize("call", ["CreateQueue", "Subscribe", "TagResource"])
def test_an_answer_that_is_lost_leaves_nothing(watched: Watched, call: str) -> None:
    """Guards against: something that was made although nobody said so."""
    watched.trail.lost = {call}
    code, found, err = watched("--wait", "5")
    assert (code, found["result"], found["left"]) == (5, "failed", []), err
    assert watched.left() == []


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("SIGINT", "ReceiveMessage"),
        ("SIGTERM", "ReceiveMessage"),
        ("SIGHUP", "Subscribe"),
        ("SIGTERM", "TagResource"),
        ("SIGINT", "Unsubscribe"),
    ],
)
def test_a_signal_at_any_time_leaves_nothing(
    watched: Watched, name: str, call: str, tmp_path: Path
) -> None:
    """Guards against: Ctrl-C, or a pipeline that is cancelled, that leaves a queue or a tag."""
    watched.trail.held = {call}
    environment = {
        **{name: value for name, value in os.environ.items() if name[:4] not in {"AWS_", "EKM_"}},
        **watched.environment,
    }
    wait = "1" if call == "Unsubscribe" else "600"  # the signal ends it
    said = tmp_path / "said"
    with (
        said.open("w") as stderr,
        subprocess.Popen(
            [*PROGRAM, "monitor", *watched.named(), "--wait", wait],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        until(lambda: call in watched.trail.calls)
        process.send_signal(getattr(signal, name))
        if call != "ReceiveMessage":  # a wait ends by the signal itself, a call by its answer
            until(
                lambda: f"{name}: will stop as soon as everything is removed." in said.read_text()
            )
            watched.trail.released.set()
        out, _ = process.communicate(timeout=60)
    found = json.loads(out)
    wanted = (1, "not_seen") if call == "Unsubscribe" else (130, "interrupted")
    ended = (process.returncode, found["result"], found["left"])
    assert ended == (*wanted, []), said.read_text()
    assert watched.left() == []


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
