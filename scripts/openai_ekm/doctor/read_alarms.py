"""Read rules of EventBridge, and follow those that matter to the subscriptions of their topics."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai_ekm.aws_session import client, list_items, translated
from openai_ekm.doctor.check_alarms import is_followed
from openai_ekm.doctor.facts import Rule, Target, Topic
from openai_ekm.errors import EkmError
from openai_ekm.policy.arn import parse_arn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import boto3

__all__ = ["read_rules"]


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
