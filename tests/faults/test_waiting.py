"""Waiting for IAM that settles late, or never, and for a claim that another run holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openai_ekm.errors import Conflict, NotReachable, OpenAIRefused
from openai_ekm.registration.protocol import Explanation
from openai_ekm.registration.register import RegisterRequest, register
from tests.doubles.openai import answers, refused
from tests.doubles.registration_world import INTENT, WANTED, World

DENIED = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service is "
    "not authorized to perform: sts:AssumeRole on resource: " + INTENT.role_arn
)


def test_waits_until_iam_has_settled() -> None:
    """Guards against: an apply fails because the role was made seconds ago."""
    world = World()
    denied = answers(refused(400, DENIED), after_commit=False)
    result = world.register(faults={1: denied, 2: denied, 3: denied})
    assert result.how == "created"
    assert world.clock.seconds == pytest.approx(9.5, abs=0.1)  # the third planned moment
    assert any("IAM may still be settling" in line and "3 s" in line for line in world.lines)
    world.check()


def test_denied_validate_is_waited_for_too() -> None:
    """Guards against: create passes on one node of IAM and validate fails on another."""
    world = World()
    world.register(faults={2: answers(refused(400, DENIED), after_commit=False)})
    world.check()


@pytest.mark.parametrize("allowed", [1.0, 30.0, 180.0])
def test_gives_up_at_the_deadline_and_leaves_nothing(allowed: float) -> None:
    """Guards against: the wait goes on past its deadline, or ends before, or leaves a record."""
    world = World()
    world.openai.denial = DENIED
    with pytest.raises(NotReachable) as raised:
        world.register(replace(WANTED, wait=allowed))
    assert raised.value.id == "wait_deadline"
    assert DENIED in raised.value.message
    assert world.clock.seconds == pytest.approx(allowed)
    assert world.shelf.record is None


def _wanted(external_id: str) -> RegisterRequest:
    return replace(WANTED, intent=replace(INTENT, external_id=external_id))


def test_an_unusual_external_id_is_named_before_the_wait_and_after_it() -> None:
    """Guards against: a mistyped id is taken for IAM's lag, and a person waits three minutes."""
    world = World()
    world.openai.denial = DENIED
    with pytest.raises(NotReachable) as raised:
        world.register(_wanted("Org-abc123"))
    said = [number for number, line in enumerate(world.lines) if "unusual form" in line]
    waited = [number for number, line in enumerate(world.lines) if "still be settling" in line]
    assert said == [waited[0] - 1]
    assert "'Org-abc123'" in world.lines[said[0]]
    usual = "looks like org-abc123, that of an API project like proj_abc123: letters, digits, _"
    assert usual in world.lines[said[0]]
    assert raised.value.id == "wait_deadline"
    assert "'Org-abc123' has an unusual form" in raised.value.message
    assert world.clock.seconds == pytest.approx(WANTED.wait)


def test_an_unusual_external_id_is_tried_until_iam_has_settled() -> None:
    """Guards against: an id of a form that OpenAI may have one day is refused without a try."""
    world = World()
    denied = answers(refused(400, DENIED), after_commit=False)
    result = world.register(_wanted("abc123"), faults={1: denied, 2: denied, 3: denied})
    assert result.how == "created"
    assert sum("unusual form" in line for line in world.lines) == 1


USE_DENIED = (
    "User: arn:aws:sts::111122223333:assumed-role/openai-ekm/OpenAI-EKM-Service is not authorized "
    f"to perform: kms:Encrypt on resource: {INTENT.kms_arn}"
)


@pytest.mark.parametrize(
    ("external_id", "denial"),
    [("org-abc123", DENIED), ("proj_abc123", DENIED), ("abc123", USE_DENIED)],
)
def test_an_external_id_is_not_suspected_without_a_reason(external_id: str, denial: str) -> None:
    """Guards against: a usual id is blamed, or one that the role has just taken."""
    world = World()
    world.openai.denial = denial
    with pytest.raises(NotReachable) as raised:
        world.register(_wanted(external_id))
    assert not any("unusual form" in line for line in [*world.lines, raised.value.message])


def test_no_wait_means_the_refusal_itself() -> None:
    """Guards against: --wait 0 waits, or hides OpenAI's answer behind a deadline."""
    world = World()
    world.openai.denial = DENIED
    with pytest.raises(OpenAIRefused) as raised:
        world.register(replace(WANTED, wait=0.0))
    assert raised.value.id == "aws_denied"


def test_stops_at_once_when_no_wait_can_cure_it() -> None:
    """Guards against: a missing statement is waited for to the deadline."""
    world = World()
    world.openai.denial = DENIED
    runner, _ = world.runner()
    asked: list[object] = []

    def explain(intent: object) -> Explanation:
        asked.append(intent)
        return Explanation(
            curable_by_waiting=False, message="the trust policy lacks it", at_fault="trust[0]"
        )

    runner._explain = explain
    with pytest.raises(OpenAIRefused) as raised:
        runner.run(register(WANTED))
    assert raised.value.id == "aws_denied"
    assert "the trust policy lacks it" in raised.value.message
    assert raised.value.at_fault == "trust[0]"
    assert world.clock.seconds == 0
    assert asked == [INTENT]


def test_diagnosis_is_in_the_deadline() -> None:
    """Guards against: after minutes of waiting the user is told no more than at the start."""
    world = World()
    world.openai.denial = DENIED
    runner, _ = world.runner()
    runner._explain = lambda _intent: Explanation(
        curable_by_waiting=True, message="what is saved allows it"
    )
    with pytest.raises(NotReachable) as raised:
        runner.run(register(WANTED))
    assert "what is saved allows it" in raised.value.message


@pytest.mark.parametrize("words", ["is disabled.", "is pending deletion."])
def test_key_that_cannot_be_used_is_not_waited_for(words: str) -> None:
    """Guards against: a disabled key is waited for as if it were IAM."""
    world = World()
    world.openai.denial = f"{INTENT.kms_arn} {words}"
    with pytest.raises(OpenAIRefused) as raised:
        world.register()
    assert raised.value.id == "aws_key_unusable"
    assert world.clock.seconds == 0


def test_held_claim_is_waited_for_and_then_told() -> None:
    """Guards against: a second run fails at once, or waits for ever, or does not say for whom."""
    world = World()
    _runner, holder = world.runner()
    holder.try_claim()
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, wait=10.0))
    assert raised.value.id == "claim_held"
    assert world.clock.seconds == 10.0
    assert "another run" in world.lines[0]
    assert world.openai.log == []


def test_claim_lost_while_waiting_writes_nothing_more() -> None:
    """Guards against: a run that was taken over goes on to create a second registration."""
    world = World()
    runner, _store = world.runner()
    protocol = register(WANTED)
    step = next(protocol)
    while type(step).__name__ != "CreateKey":
        step = protocol.send(runner.carry_out(step))
    world.shelf.claims[2] = 99
    with pytest.raises(Conflict) as raised:
        runner.carry_out(step)
    assert raised.value.id == "claim_lost"
    assert world.openai.keys == {}
