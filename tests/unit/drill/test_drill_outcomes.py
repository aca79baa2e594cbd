"""How a drill ends when the world is not as it should be, and what the report says."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from openai_ekm.drill import key_policy, plan_text, report
from openai_ekm.drill.log import Mark
from openai_ekm.drill.note import Method
from openai_ekm.drill.steps import Interrupted
from openai_ekm.errors import EkmError
from openai_ekm.openai_api.refusals import Kind, Refusal
from tests.doubles.drill_world import (
    EXTERNAL_KEY,
    FORMER,
    KEY_ARN,
    PLACE,
    Killed,
    World,
    order,
    plan_of,
)

METHODS = tuple(Method)


def ended(world: World, **changes: Any) -> tuple[str, dict[str, Any]]:
    """The id of the error that a drill ends in, and its report."""
    with pytest.raises(EkmError) as failure:
        world.revoke(order(**changes))
    return failure.value.id, report.as_json(world.log, failure.value)


@pytest.mark.parametrize("method", METHODS)
def test_good_drill_is_timed_and_holds(method: Method) -> None:
    """The report of a drill that worked does not say how long it interrupted whom."""
    world = World()
    world.revoke(order(method=method, hold=3600.0))
    body = report.as_json(world.log)
    assert (body["result"], body["holds"], body["access_is_back"]) == ("recovered", True, True)
    assert body["seconds"]["interrupted"] == pytest.approx(3600.0, abs=60)
    assert body["held_past_cache"]
    assert body["projects"] == [{"id": "proj_1", "name": "ekm-drill", "marked_for_drills": True}]
    assert (world.policy, world.state, world.note) == (FORMER, "Enabled", None)
    if method is Method.KEY_POLICY:
        assert body["refusal"]["request_id"] == "req_1"
        assert body["key_policy"]["as_before"]


@pytest.mark.parametrize("method", METHODS)
def test_switch_that_does_not_work_fails_the_drill(method: Method) -> None:
    """OpenAI goes on using the key, and the report says that it was refused."""
    world = World(ignores_cut=True)
    found, body = ended(world, method=method)
    assert (found, body["result"], body["holds"]) == ("drill_not_refused", "not_refused", False)
    assert body["access_is_back"]
    assert world.open


@pytest.mark.parametrize("kind", [Kind.AMBIGUOUS, Kind.UNREACHABLE, Kind.RATE_LIMITED])
def test_answer_that_says_nothing_of_the_key_is_asked_again(kind: Kind) -> None:
    """A 503 during the cut counts as the refusal, or ends the drill."""

    def breaks(world: World, _number: int) -> None:
        early = world.steps[-1] == "ValidateKey" and 0 < world.seconds < 10
        world.also_refused = Refusal(kind, 503, "overloaded") if early else None
        if "PutPolicy" in world.steps and world.seconds == 0:
            world.seconds = 1.0

    world = World(meanwhile=breaks)
    world.revoke()
    assert world.log.refusal is not None
    assert "explicit deny" in world.log.refusal
    assert world.steps.count("ValidateKey") > 4


def test_key_that_does_not_validate_before_is_not_cut() -> None:
    """A drill on a set-up that is broken anyway shows a refusal."""
    world = World(also_refused=Refusal(Kind.SCOPE_MISSING, 403, "Missing scopes: x"))
    assert ended(world)[0] == "openai_scope_missing"
    assert {"WriteNote", "PutPolicy"}.isdisjoint(world.steps)


def test_refusal_for_another_reason_is_not_taken_for_the_cut() -> None:
    """A trust policy that broke meanwhile counts as the kill switch at work."""
    words = "is not authorized to perform: sts:AssumeRole on resource"

    def breaks(world: World, _number: int) -> None:
        if world.steps[-1] == "PutPolicy":
            world.also_refused = Refusal(Kind.AWS_DENIED, 400, words)

    world = World(meanwhile=breaks)
    found, body = ended(world, wait=5.0)
    assert (found, body["result"], body["holds"]) == ("aws_denied", "not_recovered", False)
    assert world.open


@pytest.mark.parametrize("method", METHODS)
def test_cut_that_others_undo_is_noticed(method: Method) -> None:
    """A `terraform apply` gives access back, and the drill reports a cut that held."""

    def applies(world: World, _number: int) -> None:
        if world.seconds > 100:
            world.policy, world.state = FORMER, "Enabled"

    world = World(meanwhile=applies)
    found, body = ended(world, method=method, hold=300.0)
    assert (found, body["result"]) == ("drill_undone_by_others", "undone_by_others")
    assert body["seconds"]["interrupted"] < 300
    assert world.open


def test_statement_gone_at_the_end_is_recorded() -> None:
    """What somebody undid just before the end is not in the report."""

    def applies(world: World, _number: int) -> None:
        if world.said and world.said[-1].startswith("OpenAI is refused"):
            world.policy = FORMER

    world = World(meanwhile=applies)
    world.revoke()
    body = report.as_json(world.log)
    assert body["key_policy"]["found_at_restore"] == "as_before"
    assert "cut_not_shown" in {event["event"] for event in body["events"]}


def test_policy_that_others_edited_is_left_and_told() -> None:
    """Somebody's own change to the statement is undone, or the note is deleted over it."""

    def edits(world: World, _number: int) -> None:
        if world.said and world.said[-1].startswith("OpenAI is refused"):
            body = json.loads(world.policy)
            body["Statement"][-1]["Action"] = "kms:*"
            world.policy = json.dumps(body)

    world = World(meanwhile=edits)
    found, body = ended(world)
    assert (found, body["result"]) == ("drill_policy_stuck", "not_restored")
    assert (body["access_is_back"], body["note_stands"]) == (False, True)
    page = report.as_markdown(world.log)
    assert "aws kms put-key-policy" in page
    assert world.note is not None
    world.meanwhile = lambda _world, _number: None
    world.policy = FORMER
    assert report.as_json(world.restore())["access_is_back"]
    assert world.note is None


def test_lost_note_is_made_up_for_by_the_statement() -> None:
    """With the note deleted by a clean-up, nothing gives access back."""
    world = World(policy=key_policy.with_statement(FORMER, key_policy.statement_for(ROLE_ARN)))
    assert report.as_json(world.restore())["result"] == "recovered"
    assert world.open


ROLE_ARN = "arn:aws:iam::111122223333:role/openai-ekm"


def test_restore_without_a_drill_does_nothing() -> None:
    """A restore enables a key that an incident disabled."""
    world = World(state="Disabled")
    body = report.as_json(world.restore())
    assert (body["result"], body["holds"]) == ("nothing_cut", True)
    assert (world.state, "EnableKey" in world.steps) == ("Disabled", False)


def crashed() -> World:
    """A world in which a drill was killed while OpenAI was cut off."""

    def kill(_number: int, step: str, when: str) -> None:
        if (step, when) == ("PutPolicy", "after"):
            raise Killed

    world = World(fault=kill)
    with pytest.raises(Killed):
        world.revoke()
    world.holder = None
    assert world.note is not None
    assert not world.open
    return world


def test_restore_needs_no_openai() -> None:
    """Access cannot be given back while OpenAI, or the admin key, is out of reach."""
    world = crashed()
    world.also_refused = Refusal(Kind.UNREACHABLE, 0, "no route")
    assert report.as_json(world.restore(validate=False))["holds"]
    assert world.open
    assert "ValidateKey" not in world.steps


def test_note_stands_until_kms_shows_access_back() -> None:
    """The note is deleted on the word of an answer that KMS did not act on."""
    world = crashed()
    world.lag = 1000
    with pytest.raises(EkmError) as failure:
        world.restore()
    assert failure.value.id == "drill_not_restored"
    assert world.note is not None
    assert not report.as_json(world.log)["access_is_back"]


def test_run_that_lost_its_claim_does_not_cut() -> None:
    """A machine that slept cuts while another run is registering."""

    def taken_over(world: World, _number: int) -> None:
        if world.steps[-1] == "ReadPolicy":
            world.holder = "another"

    world = World(meanwhile=taken_over)
    assert ended(world)[0] == "claim_lost"
    assert world.open
    assert world.note is None


def test_terminal_that_is_gone_does_not_keep_access_cut() -> None:
    """The line that cannot be printed ends the run before access is back."""

    class Gone(list[str]):
        def append(self, text: str) -> None:
            raise BrokenPipeError(text)

    world = World(said=Gone())
    world.revoke(order(hold=100.0))
    assert world.open
    assert world.note is None


@pytest.mark.parametrize("method", METHODS)
def test_plan_says_what_a_run_takes_and_interrupts(method: Method) -> None:
    """Somebody confirms a drill without having read of the cache, or of how to undo it."""
    world = World(projects=(("proj_1", "ekm-drill"), ("proj_2", "shop front")))
    found = plan_of(world, order(method=method))
    text = "\n".join(plan_text.as_lines(found, order(method=method), None))
    body = plan_text.as_json(found, order(method=method), None)
    assert f'--confirm {EXTERNAL_KEY} --interrupt "shop front"' in text
    assert "shop front (proj_2)   NOT MARKED FOR DRILLS" in text
    assert "up to 60 minutes after a cut" in text
    assert "terraform" in text
    assert body["confirm"] in text
    assert body["by_hand"][-1] == "rm drill.drill" or "/drill" in body["by_hand"][-1]
    assert {"PutPolicy", "DisableKey", "WriteNote", "ValidateKey"}.isdisjoint(world.steps)


def test_commands_by_hand_take_the_statement_out() -> None:
    """The commands for the case that everything fails fail as well."""
    cut = key_policy.with_statement(FORMER, key_policy.statement_for(ROLE_ARN))
    read, put, note = plan_text.manual_commands(Method.KEY_POLICY, KEY_ARN, "ssm:/openai-ekm/drill")
    script = read.partition(" | ")[2].partition(" > ")[0].replace("python3", sys.executable)
    done = subprocess.run(script, shell=True, input=cut, capture_output=True, text=True, check=True)
    assert key_policy.digest(done.stdout) == key_policy.digest(FORMER)
    assert "--region eu-west-1" in put
    assert note == "aws ssm delete-parameter --name /openai-ekm/drill/drill"
    enable, _ = plan_text.manual_commands(Method.DISABLE_KEY, KEY_ARN, PLACE)
    assert enable == f"aws kms enable-key --region eu-west-1 --key-id {KEY_ARN}"


def test_signal_that_was_ignored_stays_ignored() -> None:
    """A drill under nohup ends with its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        world = World()
        world.fault = lambda _number, _step, when: (
            signal.raise_signal(signal.SIGHUP) if when == "after" else None
        )
        world.revoke()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert world.open
    assert not world.log.has(Mark.INTERRUPTED)


def test_real_signal_ends_a_drill_with_access_back() -> None:
    """SIGTERM ends the process where it stands."""
    world = World()
    world.fault = lambda _number, step, when: (
        signal.raise_signal(signal.SIGTERM) if (step, when) == ("PutPolicy", "after") else None
    )
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted) as stopped:
        world.revoke()
    assert stopped.value.signal == "SIGTERM"
    assert world.open
    assert signal.getsignal(signal.SIGTERM) is before
