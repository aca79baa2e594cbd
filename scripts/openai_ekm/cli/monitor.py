"""`ekm monitor test`: change the key harmlessly, and wait for the message of its monitoring."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm import aws_session, terraform
from openai_ekm.cli import inputs, render
from openai_ekm.cli.inputs import outputs_source, read_outputs
from openai_ekm.cli.options import ArnOptions, TerraformOptions
from openai_ekm.errors import EXIT_INTERRUPTED, AwsRefused, CheckFailed, Conflict, EkmError
from openai_ekm.monitoring.aws import Aws
from openai_ekm.monitoring.carry_out import Order, Outcome, carry_out
from openai_ekm.monitoring.message import TAG, WATCHES
from openai_ekm.monitoring.preflight import (
    check_topics,
    policies_that_test_the_tag,
    topics_in_outputs,
    unseen_policies,
)
from openai_ekm.registration import admin_key
from openai_ekm.registration.intent import check_kms_arn, check_role_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["run_test"]

_SOON, _AGAIN = 30.0, 60.0  # seconds between signs of life: events take minutes


@dataclass(frozen=True, kw_only=True)
class MonitorTestOptions(TerraformOptions, ArnOptions):
    """Options of `ekm monitor test`."""

    topics: tuple[str, ...]
    wait: int
    plan: bool
    as_json: bool


def run_test(options: MonitorTestOptions) -> int:
    """Run `ekm monitor test`."""
    # Before anything starts a child: none inherits the admin key, which is not needed here.
    inputs.secret_variable(admin_key.VARIABLE)
    kms_arn, role_arn, topics = _named(options)
    aws = Aws(aws_session.new_session(), kms_arn)
    aws.check_account()
    key_arn = aws.key_arn(kms_arn)
    unseen = _check_policies(aws, kms_arn, role_arn)
    order = Order(key_arn, topics, secrets.token_hex(16), float(options.wait))
    if options.plan:
        return _show_plan(order, unseen, as_json=options.as_json)
    with render.waiting("Testing the monitoring", after=_SOON, every=_AGAIN):
        outcome = carry_out(order, aws, say=render.progress)
    return _tell(order, outcome, unseen, as_json=options.as_json)


def _named(options: MonitorTestOptions) -> tuple[str, str | None, tuple[str, ...]]:
    """Return the key, the role and the topics.

    Raises:
        BadInput: One is missing or malformed.
    """
    printed: dict[str, Any] | None = None
    if options.from_terraform is not None:
        printed = read_outputs(options.from_terraform)
    given = inputs.gather(options, outputs=printed)
    if given.kms_arn is None:
        raise inputs.missing("kms_arn")
    check_kms_arn(given.kms_arn)
    if given.role_arn is not None:
        check_role_arn(given.role_arn)
    topics = tuple(dict.fromkeys(options.topics))
    if not topics and printed is not None and options.from_terraform is not None:
        source = outputs_source(options.from_terraform)
        topics = topics_in_outputs(
            printed, terraform.select_instance(printed, source, options.module)
        )
    check_topics(topics, given.kms_arn)
    return given.kms_arn, given.role_arn, topics


def _check_policies(aws: Aws, kms_arn: str, role_arn: str | None) -> tuple[str, ...]:
    """Return the policies that could not be read.

    Raises:
        Conflict: A policy tests the tag: to set it would change who may use the key.
    """
    render.progress("Reading the policies of key and role.")
    snapshot = aws.look(kms_arn, role_arn)
    tested = policies_that_test_the_tag(snapshot)
    if tested:
        raise Conflict(
            "monitor_tag_tested",
            f"The tag {TAG} is tested by a policy: {', '.join(tested)}. To set it could change who "
            "may use the key. Nothing was changed.",
            at_fault=tested[0],
            remedy=f"Take the condition on aws:ResourceTag/{TAG} out of that policy: the tag is of "
            "this test alone.",
        )
    unseen = unseen_policies(snapshot)
    if unseen:
        render.progress(f"Not read, and so not looked through for the tag: {', '.join(unseen)}.")
    return unseen


def _steps(order: Order) -> list[str]:
    return [
        f"Make the queue {order.queue} with a policy that admits the topics alone.",
        *(f"Subscribe it to {topic}." for topic in order.topics),
        f"Tag the key {order.key_arn}: {TAG} = {order.id}.",
        "Untag it at once.",
        f"Wait up to {order.wait:g} s for the message of {' or '.join(WATCHES)}.",
        "Unsubscribe and delete the queue, however the test ends.",
    ]


def _further_messages(order: Order) -> list[str]:
    return [
        "key-tags-changed (warning), twice: for the tag, and for its removal.",
        f"topics-changed (critical), {len(order.topics)} times: for each subscription's removal.",
        (
            "In place of these, if you are a maintenance principal: maintenance-of-key and "
            "maintenance-of-monitoring (info)."
        ),
    ]


def _show_plan(order: Order, unseen: tuple[str, ...], *, as_json: bool) -> int:
    if as_json:
        render.document(_document(order, "planned", unseen, Outcome(), None))
        return 0
    render.result("The test does this:")
    render.result(*(f"  {place}. {step}" for place, step in enumerate(_steps(order), 1)))
    render.result("These messages reach everybody who is subscribed:")
    render.result(*(f"  {each}" for each in _further_messages(order)))
    render.result("Nothing was changed.")
    return 0


def _tell(order: Order, outcome: Outcome, unseen: tuple[str, ...], *, as_json: bool) -> int:
    """Print what came of the test; return the exit code."""
    error = outcome.error or _failure(order, outcome)
    if outcome.interrupted:
        result, code = "interrupted", EXIT_INTERRUPTED
    elif outcome.error is not None:
        result, code = "failed", outcome.error.exit_code
    else:
        result = "not_seen" if outcome.arrival is None else "seen"
        code = 0 if error is None else error.exit_code
    not_removed = _not_removed(outcome)
    if outcome.interrupted:
        render.progress("Interrupted.")
    for each in dict.fromkeys((None if outcome.interrupted else error, not_removed)):
        if each is not None:
            render.error(each, as_json=False)
    if as_json:
        told = error if error is not None and not outcome.interrupted else not_removed
        render.document(_document(order, result, unseen, outcome, told))
    else:
        render.result(*_lines(outcome))
    return code or (0 if not_removed is None else not_removed.exit_code)


def _lines(outcome: Outcome) -> Iterator[str]:
    if outcome.arrival is not None:
        yield (
            f"The message of {outcome.arrival.watch} arrived by {outcome.arrival.topic} "
            f"{outcome.seconds or 0:.0f} s after the tag."
        )
    if outcome.left:
        yield "To be removed by hand:"
        for each in outcome.left:
            yield f"  {each.command}"
    elif outcome.arrival is not None:
        yield "Everything that the test made is removed."


def _failure(order: Order, outcome: Outcome) -> EkmError | None:
    """Return the error of a test whose message was not seen."""
    if outcome.arrival is not None or outcome.interrupted:
        return None
    return CheckFailed(
        "monitor_message_not_seen",
        f"The key was tagged, and no message of {' or '.join(WATCHES)} came by "
        f"{', '.join(order.topics)} within {order.wait:g} s.",
        at_fault="the way from CloudTrail to the topic",
        remedy="Give more time (--wait), since AWS promises none. Then look along the way: a trail "
        "logs write management events in the key's Region (`ekm doctor`); the rules "
        "key-tags-changed and maintenance-of-key are enabled; their target is the topic; the "
        "topic's policy admits the rules, and the policy of its key admits events.amazonaws.com; "
        "the queue of undelivered messages says what failed.",
    )


def _not_removed(outcome: Outcome) -> EkmError | None:
    if not outcome.left:
        return None
    return AwsRefused(
        "monitor_not_removed",
        f"Not removed: {', '.join(each.what for each in outcome.left)}. {outcome.left[0].why}",
        at_fault=outcome.left[0].what,
        remedy=f"Run: {'; '.join(each.command for each in outcome.left)}",
    )


def _document(
    order: Order,
    result: str,
    unseen: tuple[str, ...],
    outcome: Outcome,
    error: EkmError | None,
) -> dict[str, Any]:
    arrival = outcome.arrival
    return {
        "result": result,
        "holds": result == "seen" and not outcome.left,
        "key_arn": order.key_arn,
        "topics": list(order.topics),
        "test_id": order.id,
        "wait_seconds": int(order.wait),
        "steps": _steps(order),
        "further_messages": _further_messages(order),
        "policies_not_read": list(unseen),
        "watch": None if arrival is None else arrival.watch,
        "severity": None if arrival is None else arrival.severity,
        "topic": None if arrival is None else arrival.topic,
        "seconds": None if outcome.seconds is None else round(outcome.seconds, 1),
        "left": [{"what": each.what, "command": each.command} for each in outcome.left],
        "error": None if error is None else error.as_json(),
    }
