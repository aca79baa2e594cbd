"""modules/monitoring on LocalStack: rules, messages from end to end, and who may send them."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.doctor.alarms import check_alarms, read_rules
from openai_ekm.doctor.checks import State
from tests.support.cloudtrail_events import (
    ACCOUNT,
    ALIAS,
    DEPLOYER,
    KEY_ARN,
    MANAGED_POLICY,
    OPENAI_SESSION,
    OPERATOR,
    REGION,
    ROLE_ARN,
    TOPIC_KEY,
    USER,
    api_event,
    of_key,
    session_of,
)
from tests.support.monitored import Monitored, Subscriber, allowed, put
from tests.support.watched.judged import FORWARDED_UNSEEN, is_to_be_forwarded, rules_that_see
from tests.support.watched.variants import CASES
from tests.support.watches import FORWARDS, OPERATORS, WATCHES, operators

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.rehearsal.localstack import LocalStack
    from openai_ekm.rehearsal.plugin import WorkspaceFactory

pytestmark = pytest.mark.terraform

SEVERITIES = ("critical", "warning", "info")
# Seen on a busy machine with ten resources at once: the provider removed a target twice, and the
# second removal found none.
FEWER = ["-parallelism=4"]
LIMIT = 2048  # characters of a pattern


# Of those that AWS keeps, by their one dimension; LocalStack takes an alarm on any.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
METRICS = {
    ("AWS/Events", "FailedInvocations", "RuleName"),
    ("AWS/Events", "MatchedEvents", "RuleName"),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName"),
}


@pytest.fixture(scope="module")
def monitored(ekm_workspace: WorkspaceFactory, ekm_localstack: LocalStack) -> Iterator[Monitored]:
    """The monitoring of a key in eu-west-1, with everything that can be set.

    Guards against: a destroy at the end that leaves rules, or is refused.
    """
    workspace = ekm_workspace(
        "tests/terraform/monitoring",
        account=ACCOUNT,
        region=REGION,
        key_arn=KEY_ARN,
        role_arn=ROLE_ARN,
        settings={
            "alias_names": [ALIAS.removeprefix("alias/")],
            "managed_policy_arns": [MANAGED_POLICY],
            "maintenance": [DEPLOYER, OPERATOR],
            "silence_hours": 24,
        },
    )
    workspace.set_variables(**workspace.variables, region=REGION)
    workspace.apply(options=FEWER)
    applied = Monitored(workspace, workspace.outputs()["monitoring"], ekm_localstack)
    yield applied
    workspace.destroy(options=FEWER)
    assert workspace.addresses() == []
    assert applied.client("events").list_rules(NamePrefix="openai-ekm.")["Rules"] == []


@pytest.fixture(scope="module")
def patterns(monitored: Monitored) -> dict[str, str]:
    """Each rule's pattern, with the ARN that the cases have for the topics' key."""
    made: str = monitored.outputs["topic_key_arn"]
    texts = monitored.outputs["patterns"].items()
    return {name: text.replace(made, TOPIC_KEY) for name, text in texts}


@pytest.fixture(scope="module")
def seen(patterns: dict[str, str]) -> dict[str, frozenset[str]]:
    """Every rule that sees an event, by the name of the case."""
    return rules_that_see(patterns)


@pytest.fixture(scope="module")
def subscriber(monitored: Monitored) -> Subscriber:
    """A queue for each severity; Terraform's provider would take most of a minute for one."""
    sqs, sns = monitored.client("sqs"), monitored.client("sns")
    urls = {}
    for severity, topic in monitored.outputs["topic_arns"].items():
        urls[severity] = sqs.create_queue(QueueName=f"subscriber-{severity}")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:subscriber-{severity}"
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return Subscriber(sqs, urls)


def test_the_second_plan_is_empty(monitored: Monitored) -> None:
    """Guards against: a pattern or policy that AWS stores in another form than it was sent."""
    assert monitored.workspace.plan().empty


def test_the_doctor_follows_its_rules_to_the_subscribers(
    monitored: Monitored, request: pytest.FixtureRequest
) -> None:
    """Guards against: a doctor that finds fault with our own rules, or trusts unheard topics."""

    def state() -> State:
        session = monitored.aws.session(ACCOUNT, REGION)
        return check_alarms(read_rules(session, REGION, KEY_ARN), KEY_ARN, None).state

    assert state() is State.WARNING
    request.getfixturevalue("subscriber")
    assert state() is State.OK


def test_each_rule_of_the_table_is_made_in_its_state(monitored: Monitored) -> None:
    """Guards against: a row of the table without its rule, or with a rule in another state."""
    for region, rows in {
        REGION: {watch.id: watch.state for watch in WATCHES if watch.state},
        "us-east-1": {each["id"]: each["state"] for each in FORWARDS},
    }.items():
        pages = monitored.client("events", region).list_rules(NamePrefix="openai-ekm.", Limit=100)
        assert {rule["Name"]: rule["State"] for rule in pages["Rules"]} == {
            f"openai-ekm.{name}": state for name, state in rows.items()
        }


def test_an_event_is_seen_by_its_watches_alone(seen: dict[str, frozenset[str]]) -> None:
    """Guards against: an event that nobody is told of, and one that the wrong people are."""
    found = {
        name: {rule for rule in rules if not rule.startswith("forward-")}
        for name, rules in seen.items()
    }
    differing = {
        case.name: (found[case.name], case.watches)
        for case in CASES
        if found[case.name] != case.watches
    }
    assert differing == {}


def test_each_watch_sees_an_event_and_misses_others(seen: dict[str, frozenset[str]]) -> None:
    """Guards against: a watch whose pattern matches nothing at all, and was never tried."""
    hit = frozenset().union(*seen.values())
    rules = {watch.id for watch in WATCHES if watch.state}
    assert rules | {each["id"] for each in FORWARDS} == hit


def test_what_a_watch_sees_in_us_east_1_is_forwarded_once(
    seen: dict[str, frozenset[str]],
) -> None:
    """A forwarding rule sees at least, and at most, what some watch is to see.

    Guards against: an event of IAM that has a watch, and never reaches the watch's Region; one that
    two rules forward, which makes two messages; and a rule that forwards what nobody is told of.
    """
    forwarding = {
        name: {rule for rule in rules if rule.startswith("forward-")}
        for name, rules in seen.items()
    }
    differing = {
        case.name: forwarding[case.name]
        for case in CASES
        if len(forwarding[case.name]) != is_to_be_forwarded(case)
    }
    assert differing == {}
    assert {case.name for case in CASES if not case.watches} >= FORWARDED_UNSEEN


def test_localstack_answers_as_its_engine_does(
    monitored: Monitored, patterns: dict[str, str]
) -> None:
    """Each watch has a hit and a near miss that TestEventPattern itself tells apart."""
    events = monitored.client("events")

    def matches(pattern: str, event: dict[str, Any]) -> bool:
        answer = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
        found: bool = answer["Result"]
        return found

    for name, pattern in patterns.items():
        if name.startswith("forward-"):
            continue
        hit = next(case for case in CASES if name in case.watches)
        source = hit.event["source"]
        miss = next(
            case for case in CASES if name not in case.watches and case.event["source"] == source
        )
        assert matches(pattern, hit.event), name
        assert not matches(pattern, miss.event), name


def test_each_pattern_is_one_that_eventbridge_takes(monitored: Monitored) -> None:
    """LocalStack takes longer patterns, empty objects, and an `$or` of one branch."""

    def objects(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield value
        for each in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            yield from objects(each)

    for name, text in monitored.outputs["patterns"].items():
        assert len(text) <= LIMIT, name
        assert operators(json.loads(text)) <= OPERATORS, name
        for each in objects(json.loads(text)):
            assert each, name
            assert len(each.get("$or", "two")) > 1, name


def test_a_name_may_hold_any_text(monitored: Monitored) -> None:
    """Guards against: an attacker whose name keeps the watch from seeing the call."""
    hostile = 'x"}],\n\\"<what>{{' + "é" * 60_000
    who = {**USER, "userName": hostile, "arn": f"arn:aws:iam::{ACCOUNT}:user/{hostile}"}
    event = api_event("kms", "DisableKey", who, userAgent=hostile[:100], **of_key(KEY_ARN))
    answer = monitored.client("events").test_event_pattern(
        EventPattern=monitored.outputs["patterns"]["key-disabled"], Event=json.dumps(event)
    )
    assert answer["Result"]


def test_values_of_an_event_stand_as_whole_values_of_the_message(monitored: Monitored) -> None:
    """Guards against: a name in quotes of ours, where EventBridge does not escape it.

    LocalStack unescapes quotes and line breaks in any template, so the text of a message with
    them cannot be tried there.
    """
    events = monitored.client("events")
    for watch in WATCHES:
        if watch.notified_by != "event":
            continue
        [target] = events.list_targets_by_rule(Rule=f"openai-ekm.{watch.id}")["Targets"]
        template = target["InputTransformer"]["InputTemplate"]
        paths = target["InputTransformer"]["InputPathsMap"]
        placed = {"aws.events.event.json", *paths}
        as_values = template
        for name in placed:
            assert f":<{name}>" in template, watch.id
            as_values = as_values.replace(f":<{name}>", ":null")
        message = json.loads(as_values)
        assert "<" not in as_values, watch.id
        assert message["runbook"] == f"docs/operate/runbook.md#{watch.id}"
        assert (message["watch"], message["severity"]) == (watch.id, watch.severity)
        assert message["summary"] == watch.summary
        assert "RoleArn" not in target
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 21600
        assert target["DeadLetterConfig"]["Arn"] in monitored.outputs["undelivered_queue_arns"]


def test_an_event_becomes_a_message(monitored: Monitored, subscriber: Subscriber) -> None:
    """Guards against: a rule that matches and a message that nobody gets, or twice."""
    long = "x" * 64_000
    disabled = api_event("kms", "DisableKey", userAgent=long, **of_key(KEY_ARN))
    by_deployer = api_event("kms", "DisableKey", session_of(DEPLOYER), **of_key(KEY_ARN))
    deleted = api_event("iam", "DeleteRole", requestParameters={"roleName": "openai-ekm"})
    namesake = api_event("iam", "DeleteRole", requestParameters={"roleName": "openai-ekm-2"})
    by_session = {**deleted, "detail": deleted["detail"] | {"userIdentity": OPENAI_SESSION}}
    put(monitored, namesake, disabled, by_deployer, deleted, by_session)

    came = list(itertools.islice(subscriber.messages("critical"), 4))
    messages = {message["watch"]: message for message in came}
    assert Counter(message["watch"] for message in came) == {
        "key-disabled": 1,
        "role-deleted": 2,
        "role-used-otherwise": 1,
    }
    message = messages["key-disabled"]
    assert message["severity"] == "critical"
    assert message["summary"].startswith("The key was disabled")
    assert message["key"] == KEY_ARN
    assert message["who"]["arn"] == USER["arn"]
    assert message["what"] == "DisableKey"
    assert message["event"]["detail"]["userAgent"] == long
    assert message["runbook"] == "docs/operate/runbook.md#key-disabled"
    assert messages["role-deleted"]["region"] == "us-east-1"

    told = next(subscriber.messages("info"))
    assert told["watch"] == "maintenance-of-key"
    assert told["who"]["sessionContext"]["sessionIssuer"]["arn"] == DEPLOYER
    left = subscriber.sqs.receive_message(QueueUrl=subscriber.urls["critical"])
    assert left.get("Messages", []) == []


def test_topics_take_messages_of_their_rules_and_alarms_alone(monitored: Monitored) -> None:
    """Guards against: a topic that other rules, accounts or services can fill, or ours cannot."""
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/openai-ekm."
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:openai-ekm."
    topic = monitored.outputs["topic_arns"]["critical"]
    attributes = monitored.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    policy = json.loads(attributes["Policy"])
    for principal, source, expected in (
        ("events.amazonaws.com", f"{rule}key-disabled", True),
        ("events.amazonaws.com", f"{rule}key-tags-changed", False),
        ("events.amazonaws.com", f"{rule}key-disabled-2", False),
        ("events.amazonaws.com", f"{rule}key-disabled".replace(ACCOUNT, "999988887777"), False),
        ("cloudwatch.amazonaws.com", f"{alarm}errors-denied", True),
        ("cloudwatch.amazonaws.com", f"{alarm}delivery-failed-1", True),
        ("cloudwatch.amazonaws.com", f"{alarm}errors-throttled", False),
        ("cloudwatch.amazonaws.com", f"{rule}key-disabled", False),
        ("lambda.amazonaws.com", f"{rule}key-disabled", False),
        ("arn:aws:iam::999988887777:role/a", f"{rule}key-disabled", False),
    ):
        found = allowed(policy, principal, "sns:Publish", topic, SourceArn=source)
        assert found == expected, (principal, source)
        assert not allowed(policy, principal, "sns:Subscribe", topic, SourceArn=source)
    assert attributes["KmsMasterKeyId"] == monitored.outputs["topic_key_arn"]


def test_the_topics_key_serves_the_two_services_alone(monitored: Monitored) -> None:
    """Guards against: messages that are lost for want of the key, and a key open to others."""
    key = monitored.outputs["topic_key_arn"]
    assert key != KEY_ARN
    text = monitored.client("kms").get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    policy = json.loads(text)
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:openai-ekm.errors-denied"
    for action in ("kms:GenerateDataKey", "kms:Decrypt"):
        assert allowed(policy, "events.amazonaws.com", action, key)
        ours = {"SourceArn": alarm, "SourceAccount": ACCOUNT}
        assert allowed(policy, "cloudwatch.amazonaws.com", action, key, **ours)
        for foreign in (
            {"SourceArn": alarm.replace(ACCOUNT, "999988887777"), "SourceAccount": "999988887777"},
            {"SourceArn": alarm.replace("openai-ekm.", "openai-ekm-2."), "SourceAccount": ACCOUNT},
            {},
        ):
            assert not allowed(policy, "cloudwatch.amazonaws.com", action, key, **foreign)
        for other in ("lambda.amazonaws.com", DEPLOYER, f"arn:aws:iam::{ACCOUNT}:root"):
            assert not allowed(policy, other, action, key)
    assert not allowed(policy, "events.amazonaws.com", "kms:Encrypt", key)
    assert not allowed(policy, "events.amazonaws.com", "kms:CreateGrant", key)


def test_undelivered_messages_go_to_a_queue_of_the_rules_alone(monitored: Monitored) -> None:
    """Guards against: a queue that anybody's rule can fill, or that EventBridge cannot."""
    for region, own, foreign in (
        (REGION, "key-disabled", "forward-role"),
        ("us-east-1", "forward-role", "key-disabled"),
    ):
        sqs = monitored.client("sqs", region)
        url = sqs.get_queue_url(QueueName="openai-ekm-undelivered")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["SqsManagedSseEnabled"] == "true"
        policy, queue = json.loads(attributes["Policy"]), attributes["QueueArn"]
        rule = f"arn:aws:events:{region}:{ACCOUNT}:rule/openai-ekm."
        words = ("events.amazonaws.com", "sqs:SendMessage", queue)
        assert allowed(policy, *words, SourceArn=rule + own)
        assert not allowed(policy, *words, SourceArn=rule + foreign)
        assert not allowed(policy, "lambda.amazonaws.com", *words[1:], SourceArn=rule + own)
        assert not allowed(policy, words[0], "sqs:ReceiveMessage", queue, SourceArn=rule + own)


def test_the_forwarder_may_put_events_on_one_bus(monitored: Monitored) -> None:
    """Guards against: a role that anybody's rule may take, or that may do more."""
    iam = monitored.client("iam")
    name = "openai-ekm-event-forwarder"
    role = iam.get_role(RoleName=name)["Role"]
    rule = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/openai-ekm.forward-role"
    trust = role["AssumeRolePolicyDocument"]
    ours = {"SourceArn": rule, "SourceAccount": ACCOUNT}
    words = ("sts:AssumeRole", role["Arn"])
    assert allowed(trust, "events.amazonaws.com", *words, **ours)
    assert not allowed(trust, "events.amazonaws.com", *words)
    assert not allowed(
        trust,
        "events.amazonaws.com",
        *words,
        **ours | {"SourceArn": rule.replace("ekm.", "ekm-2.")},
    )
    assert not allowed(trust, "lambda.amazonaws.com", *words, **ours)
    use = iam.get_role_policy(RoleName=name, PolicyName="AllowPutEvents")["PolicyDocument"]
    assert use["Statement"] == [
        {
            "Sid": "AllowPutEvents",
            "Effect": "Allow",
            "Action": "events:PutEvents",
            "Resource": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
        }
    ]


def test_alarms_read_the_metrics_that_aws_keeps(monitored: Monitored) -> None:
    """Guards against: an alarm on a rule or a metric that is none, or that tells nobody."""
    names = {watch.id for watch in WATCHES}
    for region in (REGION, "us-east-1"):
        alarms = monitored.client("cloudwatch", region).describe_alarms()["MetricAlarms"]
        rules = monitored.client("events", region).list_rules(Limit=100)["Rules"]
        exist = {rule["Name"] for rule in rules}
        read = list(alarms) + [
            query["MetricStat"]["Metric"]
            for alarm in alarms
            for query in alarm.get("Metrics", ())
            if "MetricStat" in query
        ]
        used = {
            dimension["Value"]
            for metric in read
            for dimension in metric.get("Dimensions", ())
            if dimension["Name"] == "RuleName"
        }
        assert used <= exist
        for metric in read:
            if "MetricName" in metric:
                dimensions = {each["Name"] for each in metric["Dimensions"]}
                assert (metric["Namespace"], metric["MetricName"], *dimensions) in METRICS
        assert len(alarms) == (11 if region == REGION else 2)
        for alarm in alarms:
            told = alarm["AlarmDescription"].rpartition("#")[2]
            assert told in names
            assert bool(alarm["AlarmActions"]) == (region == REGION)
            assert alarm["OKActions"] == alarm["AlarmActions"]


def test_trouble_is_counted_and_sends_no_message_for_an_event(monitored: Monitored) -> None:
    """Guards against: thousands of messages of a disabled key, and silence that nobody is told."""
    events, cloudwatch = monitored.client("events"), monitored.client("cloudwatch")
    for watch in WATCHES:
        if watch.notified_by not in {"errors", "silence"}:
            continue
        name = f"openai-ekm.{watch.id}"
        assert events.list_targets_by_rule(Rule=name)["Targets"] == []
        [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert (alarm["MetricName"], alarm["Threshold"]) == ("MatchedEvents", 1)
        counted = (alarm["Period"], alarm["EvaluationPeriods"], alarm["ComparisonOperator"])
        if watch.notified_by == "errors":
            assert counted == (300, 1, "GreaterThanOrEqualToThreshold"), watch.id
            assert alarm["TreatMissingData"] == "notBreaching"
        else:
            assert counted == (3600, 24, "LessThanThreshold")
            assert alarm["TreatMissingData"] == "breaching"


def test_the_root_module_refuses_to_watch_a_key_elsewhere(ekm_workspace: WorkspaceFactory) -> None:
    """Guards against: a key elsewhere whose role would not be watched, without a word."""
    workspace = ekm_workspace("tests/terraform/caller", region=REGION, monitoring={})
    said = workspace.refused_plan().said
    assert "The input `monitoring` of the module openai-ekm is for a key in us-east-1" in said
    assert "call modules/monitoring beside that module" in said


def test_a_key_in_us_east_1_needs_no_forwarder(ekm_workspace: WorkspaceFactory) -> None:
    """Guards against: two messages for one event, where IAM's events arrive beside the key."""
    region = "us-east-1"
    workspace = ekm_workspace("tests/terraform/monitoring", account=ACCOUNT, region=region)
    key = KEY_ARN.replace(REGION, region)
    topics = {name: f"arn:aws:sns:{region}:{ACCOUNT}:{name}" for name in SEVERITIES}
    workspace.set_variables(
        region=region, key_arn=key, role_arn=ROLE_ARN, settings={"topics": topics}
    )
    planned = workspace.plan()
    assert planned.actions
    assert not [address for address in planned.actions if "forwarder" in address]
    assert not [address for address in planned.actions if ".aws_sns_" in address]
    assert not [address for address in planned.actions if ".aws_kms_" in address]
    [pattern] = [
        change["change"]["after"]["event_pattern"]
        for change in planned.json["resource_changes"]
        if change["address"].endswith('aws_cloudwatch_event_rule.this["key-disabled"]')
    ]
    assert key in pattern
