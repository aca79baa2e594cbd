"""The alarms: does anybody hear of it when the key is taken away?

A rule of EventBridge takes the event, a target of the rule takes it on, and a topic tells those
whose subscriptions are confirmed. Each link can be missing while the others look sound. Rules
without a target are no fault by themselves: an alarm on a metric may read how often they match.

Sources:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
(read events, and the state that they need),
https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.aws_session import client, list_items, translated
from openai_ekm.doctor.checks import Line, State, remedy_of, unseen
from openai_ekm.doctor.facts import Rule, Target, Topic
from openai_ekm.errors import EkmError
from openai_ekm.policy.arn import parse_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

__all__ = ["check_alarms", "is_followed", "read_rules"]


def read_rules(
    session: boto3.Session, region: str, kms_arn: str | None
) -> tuple[Rule, ...] | EkmError:
    """Read the rules of the default event bus of a Region, and whom the followed ones tell.

    Args:
        session: The credentials.
        region: Of the key.
        kms_arn: The key; None before there is one.
    """
    events = client(session, "events", region, attempts=2)
    try:
        with translated(f"events:ListRules in {region}"):
            rules = tuple(_rule(each) for each in list_items(events, "list_rules", "Rules"))
    except EkmError as error:
        return error
    topics: dict[str, Topic | EkmError] = {}

    def followed(rule: Rule) -> Rule:
        if not is_followed(rule, kms_arn):
            return rule
        return replace(rule, targets=_targets(session, events, rule.name, topics))

    return tuple(map(followed, rules))


def _rule(listed: Mapping[str, Any]) -> Rule:
    try:
        pattern = json.loads(listed.get("EventPattern") or "null")
    except (ValueError, RecursionError):
        pattern = None
    return Rule(
        name=str(listed["Name"]),
        state=str(listed.get("State", "")),
        pattern=pattern if isinstance(pattern, dict) else None,
    )


def _targets(
    session: boto3.Session, events: Any, rule: str, topics: dict[str, Topic | EkmError]
) -> tuple[Target, ...] | EkmError:
    """Read the targets of a rule; each topic is asked once."""
    try:
        with translated(f"events:ListTargetsByRule {rule}"):
            listed = list_items(events, "list_targets_by_rule", "Targets", Rule=rule)
            arns = [str(each["Arn"]) for each in listed]
    except EkmError as error:
        return error
    found = []
    for arn in arns:
        parsed = parse_arn(arn)
        if parsed is None or parsed.service != "sns":
            found.append(Target(arn))
            continue
        if arn not in topics:
            topics[arn] = _topic(session, arn, parsed.region)
        found.append(Target(arn, topics[arn]))
    return tuple(found)


def _topic(session: boto3.Session, arn: str, region: str) -> Topic | EkmError:
    sns = client(session, "sns", region, attempts=2)
    try:
        with translated(f"sns:ListSubscriptionsByTopic {arn}"):
            try:
                listed = list_items(
                    sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn
                )
                states = [str(each["SubscriptionArn"]) for each in listed]
            except sns.exceptions.NotFoundException:
                return Topic(exists=False)
    except EkmError as error:
        return error
    return Topic(
        confirmed=sum(each.startswith("arn:") for each in states),
        pending=states.count("PendingConfirmation"),
    )


_CHECK: Final = "alarms"
_ALL_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_ON: Final = ("ENABLED", _ALL_EVENTS)
_KEY_NAME: Final = re.compile(
    r"arn:aws[a-z-]*:kms:|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bmrk-[0-9a-f]{32}\b"
)
# What takes the key away from OpenAI, or gives it to somebody else.
_CHANGES: Final = ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy")
# Calls that CloudTrail counts as reads.
_READS: Final = frozenset(
    {
        *("AssumeRole", "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair"),
        *("GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext"),
        *("ReEncrypt", "ReEncryptFrom", "ReEncryptTo"),
    }
)
_SUCCEEDED: Final = [{"exists": False}]  # an `errorCode` that is not there
_CALL_MODULE: Final = (
    "Call modules/monitoring (docs/operate/monitoring.md), unless another system reads the trail "
    "and tells a person."
)
_APPLY: Final = "Apply the configuration of the monitoring again: a part of it is missing."
_SUBSCRIBE: Final = (
    "Subscribe somebody: aws sns subscribe --topic-arn ARN --protocol email "
    "--notification-endpoint ADDRESS."
)
_ALLOW: Final = "Allow events:ListTargetsByRule and sns:ListSubscriptionsByTopic."


def check_alarms(
    rules: tuple[Rule, ...] | EkmError | None, kms_arn: str | None, blocked: str | None
) -> Line:
    """Judge whether the events that matter most reach somebody.

    Args:
        rules: Of the default bus in the Region of the key.
        kms_arn: The key; None before there is one.
        blocked: Why none was read.
    """
    if isinstance(rules, EkmError):
        return unseen(_CHECK, rules.message, remedy_of(rules, "Allow events:ListRules."))
    if rules is None:
        return unseen(_CHECK, blocked or "No Region is known.")
    watching = [each for each in rules if _watches(each, kms_arn)]
    if not any(each.state in _ON for each in watching):
        return Line(
            _CHECK,
            State.WARNING,
            "No rule of EventBridge that is switched on takes events of the key: none tells "
            "anybody when the key is disabled.",
            _CALL_MODULE,
        )
    broken = dict(_broken(watching))
    if broken:
        return Line(_CHECK, State.WARNING, " ".join(broken), next(iter(broken.values())))
    hidden = next(_hidden(watching), None)
    if hidden is not None:
        return unseen(_CHECK, f"Whom the rules tell was not seen. {hidden.message}", _ALLOW)
    return Line(_CHECK, State.OK, _say_reached(watching))


def is_followed(rule: Rule, kms_arn: str | None) -> bool:
    """Return whether the targets of a rule are looked at: it takes a change that matters most.

    Args:
        rule: The rule.
        kms_arn: The key; None before there is one.
    """
    return _watches(rule, kms_arn) and any(_takes(rule, each) for each in _CHANGES)


def _broken(watching: list[Rule]) -> Iterator[tuple[str, str]]:
    """Yield a sentence and a remedy for each link that is missing, the most important first."""
    for change in _CHANGES:
        taking = [each for each in watching if _takes(each, change)]
        if any(_reaches(each) is not False for each in taking):
            continue
        yield from (_why(each) for each in taking)
        if not taking:
            yield f"No rule takes {change} of the key.", _CALL_MODULE
    for rule in watching:
        reads = _READS & set(_calls(rule) or ())
        if reads and rule.state == "ENABLED":
            yield (
                f"The rule {rule.name} is ENABLED, and gets no read event: {min(reads)} is one.",
                f"Give the rule the state {_ALL_EVENTS}.",
            )


def _reaches(rule: Rule) -> bool | None:
    """Return whether a rule tells somebody; None when that was not seen."""
    if rule.state not in _ON:
        return False
    if rule.targets is None or isinstance(rule.targets, EkmError):
        return None
    answers = [_is_heard(each) for each in rule.targets]
    return True if True in answers else None if None in answers else False


def _is_heard(target: Target) -> bool | None:
    if target.topic is None:
        return True  # a function, a queue, a bus: nobody knows who reads it
    return None if isinstance(target.topic, EkmError) else target.topic.confirmed > 0


def _why(rule: Rule) -> tuple[str, str]:
    """Return why a rule tells nobody, and what to do."""
    if rule.state not in _ON:
        return (
            f"The rule {rule.name} is switched off.",
            "Switch the rule on: aws events enable-rule, or terraform apply.",
        )
    targets = rule.targets if isinstance(rule.targets, tuple) else ()
    if not targets:
        return f"The rule {rule.name} has no target.", _APPLY
    target = targets[0]
    topic = target.topic
    if isinstance(topic, Topic) and not topic.exists:
        return f"The topic {target.arn} of the rule {rule.name} is not there.", _APPLY
    text = f"The topic {target.arn} has no confirmed subscription"
    if isinstance(topic, Topic) and topic.pending:
        return (
            f"{text}: {topic.pending} wait to be confirmed.",
            "Open the link in the message that AWS has sent to the subscriber.",
        )
    return f"{text}.", _SUBSCRIBE


def _hidden(watching: list[Rule]) -> Iterator[EkmError]:
    """Yield what kept the links of a change that no rule is seen to tell from being read."""
    for change in _CHANGES:
        taking = [each for each in watching if _takes(each, change)]
        if any(_reaches(each) for each in taking):
            continue
        for rule in taking:
            if isinstance(rule.targets, EkmError):
                yield rule.targets
            for target in rule.targets if isinstance(rule.targets, tuple) else ():
                if isinstance(target.topic, EkmError):
                    yield target.topic


def _say_reached(watching: list[Rule]) -> str:
    """Return which rule tells whom of the first change."""
    rule = next(each for each in watching if _takes(each, _CHANGES[0]) and _reaches(each))
    targets = rule.targets if isinstance(rule.targets, tuple) else ()
    target = next(each for each in targets if _is_heard(each))
    begins = f"The rule {rule.name} takes {_CHANGES[0]} and sends it to {target.arn}"
    if isinstance(target.topic, Topic):
        return f"{begins}; confirmed subscriptions: {target.topic.confirmed}."
    return f"{begins}; who reads that was not looked at."


def _takes(rule: Rule, call: str) -> bool:
    """Return whether a pattern takes a call that succeeds, whoever makes it.

    A pattern that names no call takes each.
    """
    detail = (rule.pattern or {}).get("detail")
    if not isinstance(detail, Mapping):
        return True
    names = detail.get("eventName")
    named = not isinstance(names, list) or any(_is_named(call, each) for each in names)
    return named and not _is_narrow(detail)


def _is_named(call: str, value: Any) -> bool:
    """Return whether a value of `eventName` takes a call; one that is not known may."""
    if not isinstance(value, Mapping):
        return bool(value == call)
    left_out = value.get("anything-but")
    if isinstance(left_out, str | list):
        return call not in ([left_out] if isinstance(left_out, str) else left_out)
    prefix = value.get("prefix")
    return not isinstance(prefix, str) or call.startswith(prefix)


def _is_narrow(detail: Mapping[str, Any]) -> bool:
    """Return whether a pattern takes refused calls alone, or those of named people alone."""
    if detail.get("errorCode", _SUCCEEDED) != _SUCCEEDED:
        return True
    # The module's critical rules leave the principals of `maintenance` out, by anything-but.
    who = detail.get("userIdentity")
    return who is not None and "anything-but" not in _members(who)


def _members(value: Any) -> Iterator[str]:
    """Yield the name of every member of a pattern."""
    if isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    for each in value if isinstance(value, list | tuple) else ():
        yield from _members(each)


def _calls(rule: Rule) -> tuple[str, ...] | None:
    """Return the calls that a pattern names; None where it names none by their whole names."""
    detail = (rule.pattern or {}).get("detail")
    names = detail.get("eventName") if isinstance(detail, Mapping) else None
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return None
    return tuple(names)


def _watches(rule: Rule, kms_arn: str | None) -> bool:
    """Return whether a pattern takes events of KMS, and not of other keys alone."""
    texts = list(_texts(rule.pattern))
    if not {"aws.kms", "kms.amazonaws.com"} & set(texts):
        return False
    named = [each for each in texts if _KEY_NAME.search(each)]
    if not named:
        return True
    name = (kms_arn or "").rpartition("/")[2]
    return bool(name) and any(name in each for each in named)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a pattern."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
