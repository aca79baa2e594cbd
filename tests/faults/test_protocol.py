"""The turns of the protocol that need OpenAI to be in a certain state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from openai_double import FAULTS, answers, refused
from worlds import BASE_URL, INTENT, PLACE, WANTED, World

from ekm.errors import Conflict, EkmError, NotReachable, OpenAIRefused
from ekm.registrar.record import State
from ekm.registrar.register import register
from ekm.registrar.retire import Unwanted
from ekm.registrar.steps import Explanation

DENIED = (
    "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service is "
    "not authorized to perform: sts:AssumeRole on resource: " + INTENT.role_arn
)
KEY = {
    "type": "aws",
    "purpose": "ekm",
    "name": "prod",
    "role_arn": INTENT.role_arn,
    "kms_arn": INTENT.kms_arn,
    "external_id": INTENT.external_id,
    "workspace_id": "",
}


def with_keys(*keys: dict[str, Any]) -> World:
    """A world in which OpenAI has registrations, and nobody has a record."""
    world = World()
    for key in keys:
        world.openai.keys[key["id"]] = {**KEY, **key}
    return world


def with_project(world: World, name: str, key: str, id: str = "proj_1") -> World:
    """The world with a project."""
    world.openai.projects[id] = {
        "id": id,
        "name": name,
        "external_key_id": key,
        "status": "active",
    }
    return world


def test_fresh_registration_takes_four_calls() -> None:
    """A registration costs more of the few calls a minute than it must."""
    world = World()
    assert world.register().how == "created"
    assert world.openai.log == [
        "GET /organization/external_keys",
        "POST /organization/external_keys",
        "POST /organization/external_keys/extkey_1/validate",
        "POST /organization/projects",
    ]
    world.check()


def test_repeat_takes_two_calls() -> None:
    """A repeat with nothing to do lists or creates."""
    world = World()
    world.register()
    world.openai.log.clear()
    assert world.register().how == "unchanged"
    assert world.openai.log == [
        "GET /organization/external_keys/extkey_1",
        "POST /organization/external_keys/extkey_1/validate",
    ]


def test_added_project_is_created_without_a_list() -> None:
    """A project added later costs a list, or a new registration."""
    world = World()
    world.register()
    world.openai.log.clear()
    world.register(replace(WANTED, projects=("prod", "test")))
    assert world.openai.log[2:] == ["POST /organization/projects"]
    world.check(("prod", "test"))


def test_removed_project_stays_and_that_is_said() -> None:
    """A name taken out of the list archives its project, for good."""
    world = World()
    world.register(replace(WANTED, projects=("prod", "test")))
    result = world.register()
    assert world.openai.active("test")
    assert any("test" in notice for notice in result.notices)
    assert "test" in result.record.projects


def test_lost_record_is_adopted_with_its_projects() -> None:
    """A record that was lost leads to a second registration."""
    world = with_project(with_keys({"id": "extkey_a"}), "prod", "extkey_a")
    result = world.register()
    assert (result.how, result.external_key_id) == ("adopted", "extkey_a")
    assert [(p.id, p.how) for p in result.projects] == [("proj_1", "adopted")]
    world.check()


def test_several_matches_are_refused_and_one_is_adopted_by_name() -> None:
    """Two equal registrations are picked from by chance, or there is no way on."""
    world = with_keys({"id": "extkey_a"}, {"id": "extkey_b"})
    with pytest.raises(Conflict) as raised:
        world.register()
    assert raised.value.id == "several_matches"
    assert world.shelf.record is None
    assert world.register(replace(WANTED, adopt="extkey_b")).external_key_id == "extkey_b"
    assert world.register().external_key_id == "extkey_b"
    assert world.openai.keys.keys() == {"extkey_a", "extkey_b"}


@pytest.mark.parametrize(
    "change", [{"name": "x"}, {"kms_arn": "x"}, {"type": "gcp"}, {"purpose": "psp_decryption"}]
)
def test_adopt_of_another_registration_is_refused(change: dict[str, Any]) -> None:
    """--adopt takes over a registration of something else."""
    world = with_keys({"id": "extkey_a", **change})
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, adopt="extkey_a"))
    assert raised.value.id == "registration_differs"


def test_adopt_against_the_record_is_refused() -> None:
    """--adopt leaves the recorded registration behind, unknown to anybody."""
    world = World()
    world.register()
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, adopt="extkey_b"))
    assert raised.value.id == "adopts_another"


@pytest.mark.parametrize("member", ["role_arn", "kms_arn", "external_id", "name"])
def test_record_of_another_intent_is_a_conflict_that_shows_both(member: str) -> None:
    """A changed ARN or name registers anew, and the old registration is forgotten."""
    world = World()
    world.register()
    changed = {
        "role_arn": INTENT.role_arn + "2",
        "kms_arn": "arn:aws:kms:eu-west-1:111122223333:alias/other",
        "external_id": "org-other",
        "name": "other",
    }[member]
    intent = replace(INTENT, **{member: changed})
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, intent=intent))
    assert raised.value.id == "registration_differs"
    assert changed in raised.value.message
    assert str(getattr(INTENT, member)) in raised.value.message
    world.check()


def test_registration_that_is_gone_is_made_anew() -> None:
    """A registration deleted by hand can never be made again."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.openai.keys.clear()
    assert world.register().how == "created"
    world.check()


GONE = answers(refused(404, "The external key extkey_1 was not found"), after_commit=False)


def test_young_registration_that_is_not_seen_yet_is_looked_for_again() -> None:
    """A read that lags behind a create makes the next run register the key a second time."""
    world = World()
    world.register()
    result = world.register(faults={0: GONE, 1: GONE})
    assert (result.how, world.clock.seconds) == ("unchanged", 15.0)
    assert "looking again" in world.lines[-2] + world.lines[-3]
    world.check()


def test_old_registration_that_is_not_found_is_gone_at_once() -> None:
    """A registration deleted months after its making is waited for."""
    world = World()
    world.register(replace(WANTED, projects=()))
    world.openai.keys.clear()
    world.clock.sleep(3600)
    world.openai.log.clear()
    assert world.register(replace(WANTED, projects=())).how == "created"
    assert world.clock.seconds == 3600
    assert world.openai.log[1] == "GET /organization/external_keys"


def test_retire_of_a_young_registration_looks_again() -> None:
    """A read that lags makes retire forget a registration that is there."""
    world = World()
    world.register(replace(WANTED, projects=()))
    assert world.retire(faults={0: GONE}).how == "deleted"
    assert world.openai.keys == {}


def test_gone_at_another_host_creates_nothing() -> None:
    """A record used with the wrong host registers the key there too."""
    world = World()
    world.register()
    world.openai.keys.clear()
    with pytest.raises(Conflict) as raised:
        world.register(replace(WANTED, base_url="https://eu.api.openai.com/v1"))
    assert raised.value.id == "record_of_another_host"
    assert world.openai.keys == {}


def test_archived_project_is_replaced_and_that_is_said() -> None:
    """A project archived by hand is recorded as if it were active."""
    world = World()
    world.register()
    world.openai.projects["proj_2"]["status"] = "archived"
    result = world.register()
    assert result.projects[0].how == "created"
    assert "proj_2" in result.notices[0]
    assert world.openai.active("prod") == [result.record.projects["prod"]]


def test_unfinished_record_of_another_intent_that_went_through_is_a_conflict() -> None:
    """A create that was lost, followed by a changed name, leaves the first one unknown."""
    world = World()
    wanted = replace(WANTED, intent=replace(INTENT, name="old"))
    runner, _store = world.runner({1: FAULTS["lost_after_commit"]})
    protocol = register(wanted)
    step = next(protocol)
    while type(step).__name__ != "CreateKey":
        step = protocol.send(runner.carry_out(step))
    with pytest.raises(EkmError):
        runner.carry_out(step)
    world.shelf.claims.clear()
    with pytest.raises(Conflict) as raised:
        world.register()
    assert raised.value.id == "registration_differs"


class TestWaiting:
    """IAM that settles late, or never."""

    def test_waits_until_iam_has_settled(self) -> None:
        """An apply fails because the role was made seconds ago."""
        world = World()
        denied = answers(refused(400, DENIED), after_commit=False)
        result = world.register(faults={1: denied, 2: denied, 3: denied})
        assert result.how == "created"
        assert world.clock.seconds == pytest.approx(9.5, abs=0.1)  # the third planned moment
        assert any("IAM may still be settling" in line and "3 s" in line for line in world.lines)
        world.check()

    def test_denied_validate_is_waited_for_too(self) -> None:
        """Create passes on one node of IAM and validate fails on another."""
        world = World()
        world.register(faults={2: answers(refused(400, DENIED), after_commit=False)})
        world.check()

    @pytest.mark.parametrize("allowed", [1.0, 30.0, 180.0])
    def test_gives_up_at_the_deadline_and_leaves_nothing(self, allowed: float) -> None:
        """The wait goes on past its deadline, or ends before, or leaves a record."""
        world = World()
        world.openai.denial = DENIED
        with pytest.raises(NotReachable) as raised:
            world.register(replace(WANTED, wait=allowed))
        assert raised.value.id == "wait_deadline"
        assert DENIED in raised.value.message
        assert world.clock.seconds == pytest.approx(allowed)
        assert world.shelf.record is None

    def test_no_wait_means_the_refusal_itself(self) -> None:
        """--wait 0 waits, or hides OpenAI's answer behind a deadline."""
        world = World()
        world.openai.denial = DENIED
        with pytest.raises(OpenAIRefused) as raised:
            world.register(replace(WANTED, wait=0.0))
        assert raised.value.id == "aws_denied"

    def test_stops_at_once_when_no_wait_can_cure_it(self) -> None:
        """A missing statement is waited for to the deadline."""
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

    def test_diagnosis_is_in_the_deadline(self) -> None:
        """After minutes of waiting the user is told no more than at the start."""
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
    def test_key_that_cannot_be_used_is_not_waited_for(self, words: str) -> None:
        """A disabled key is waited for as if it were IAM."""
        world = World()
        world.openai.denial = f"{INTENT.kms_arn} {words}"
        with pytest.raises(OpenAIRefused) as raised:
            world.register()
        assert raised.value.id == "aws_key_unusable"
        assert world.clock.seconds == 0

    def test_held_claim_is_waited_for_and_then_told(self) -> None:
        """A second run fails at once, or waits for ever, or does not say for whom."""
        world = World()
        _runner, holder = world.runner()
        holder.try_claim()
        with pytest.raises(Conflict) as raised:
            world.register(replace(WANTED, wait=10.0))
        assert raised.value.id == "claim_held"
        assert world.clock.seconds == 10.0
        assert "another run" in world.lines[0]
        assert world.openai.log == []

    def test_claim_lost_while_waiting_writes_nothing_more(self) -> None:
        """A run that was taken over goes on to create a second registration."""
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


class TestRetire:
    """The reverse, and what it refuses."""

    def test_active_projects_are_named_with_the_way_on(self) -> None:
        """Projects are archived by a plain destroy."""
        world = World()
        world.register(replace(WANTED, projects=("prod", "test")))
        world.openai.log.clear()
        with pytest.raises(Conflict) as raised:
            world.retire()
        error = raised.value
        assert error.id == "active_projects"
        assert "prod (proj_2)" in error.message
        assert "test (proj_3)" in error.message
        for word in ("second module instance", "new projects", "move", "archive"):
            assert word in (error.remedy or "")
        assert "EKM_CONFIRM_ARCHIVE=extkey_1" in (error.remedy or "")
        assert world.openai.log == ["GET /organization/external_keys/extkey_1"]
        world.check(("prod", "test"))

    def test_projects_that_the_record_does_not_know_are_named_too(self) -> None:
        """A project made by hand is shown as a bare id."""
        world = World()
        world.register()
        with_project(world, "by hand", "extkey_1", "proj_9")
        with pytest.raises(Conflict) as raised:
            world.retire()
        assert "by hand (proj_9)" in raised.value.message

    @pytest.mark.parametrize("confirm", ["extkey_2", "yes", "prod"])
    def test_another_keys_id_confirms_nothing(self, confirm: str) -> None:
        """A word left over in the environment archives another key's projects."""
        world = World()
        world.register()
        with pytest.raises(Conflict) as raised:
            world.retire(Unwanted(PLACE, BASE_URL, INTENT, confirm=confirm))
        assert raised.value.id == "active_projects"
        assert confirm in raised.value.message
        world.check()

    def test_confirmed_run_archives_deletes_and_marks_the_record(self) -> None:
        """A confirmed retire leaves something behind at OpenAI."""
        world = World()
        world.register(replace(WANTED, projects=("prod", "test")))
        result = world.retire(Unwanted(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
        assert (result.how, result.archived) == ("deleted", ("proj_2", "proj_3"))
        assert world.openai.keys == {}
        assert world.shelf.record is not None
        assert world.shelf.record.state is State.RETIRED

    def test_retired_intent_is_registered_anew(self) -> None:
        """After a retire the same intent can never be registered again."""
        world = World()
        world.register()
        world.retire(Unwanted(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
        assert world.register().how == "created"
        assert world.shelf.record is not None
        assert world.shelf.record.claim > 1

    def test_second_retire_asks_openai_nothing(self) -> None:
        """A retire that is run again fails, or deletes somebody's new registration."""
        world = World()
        world.register(replace(WANTED, projects=()))
        world.retire()
        world.openai.log.clear()
        assert world.retire().how == "gone"
        assert world.openai.log == []

    def test_record_is_deleted_last(self) -> None:
        """A destroy leaves a record of what is gone."""
        world = World()
        world.register(replace(WANTED, projects=()))
        assert (
            world.retire(Unwanted(PLACE, BASE_URL, INTENT, delete_record=True)).record == "deleted"
        )
        assert world.shelf.record is None
        assert world.shelf.claims == {}

    def test_lost_record_is_found_by_its_intent(self) -> None:
        """A destroy without a record leaves the registration, and then its key is deleted."""
        world = with_keys({"id": "extkey_a"}, {"id": "extkey_b", "name": "other"})
        assert world.retire().how == "deleted"
        assert world.openai.keys.keys() == {"extkey_b"}

    def test_nothing_there_is_done(self) -> None:
        """A destroy after a registration that never happened fails for ever."""
        result = World().retire(Unwanted(PLACE, BASE_URL, INTENT, delete_record=True))
        assert (result.how, result.record) == ("nothing", "none")

    def test_without_record_and_intent_nothing_is_guessed(self) -> None:
        """A retire with a mistyped record says that all is done."""
        with pytest.raises(EkmError) as raised:
            World().retire(Unwanted(PLACE, BASE_URL))
        assert raised.value.id == "nothing_to_retire"

    def test_workspace_key_is_never_touched(self) -> None:
        """The key of a ChatGPT workspace is deleted, or its projects archived."""
        world = World()
        world.register()
        world.openai.keys["extkey_1"]["workspace_id"] = "ws_1"
        before = len(world.openai.log)
        with pytest.raises(Conflict) as raised:
            world.retire(Unwanted(PLACE, BASE_URL, INTENT, confirm="extkey_1"))
        assert raised.value.id == "workspace_key"
        assert [line.split()[0] for line in world.openai.log[before:]] == ["GET"]

    def test_record_that_does_not_fit_openai_is_refused(self) -> None:
        """A record edited by hand deletes somebody else's registration."""
        world = World()
        world.register(replace(WANTED, projects=()))
        world.openai.keys["extkey_1"]["kms_arn"] = "arn:aws:kms:eu-west-1:111122223333:alias/x"
        with pytest.raises(Conflict) as raised:
            world.retire()
        assert raised.value.id == "registration_differs"
        assert world.openai.keys

    def test_intent_that_does_not_fit_the_record_is_refused(self) -> None:
        """A retire with another module's ARNs deletes this record's registration."""
        world = World()
        world.register(replace(WANTED, projects=()))
        with pytest.raises(Conflict) as raised:
            world.retire(Unwanted(PLACE, BASE_URL, replace(INTENT, name="other")))
        assert raised.value.id == "record_of_another_intent"

    @pytest.mark.parametrize(
        "text",
        ["The external key extkey_1 was not found", "No external key found with id 'extkey_1'"],
    )
    def test_both_texts_of_gone_end_the_delete(self, text: str) -> None:
        """One of the two published texts is taken for a failure."""
        world = World()
        world.register(replace(WANTED, projects=()))
        world.retire(faults={1: answers(refused(404, text), after_commit=False)})
        assert world.shelf.record is not None
        assert world.shelf.record.state is State.RETIRED

    def test_any_other_404_keeps_the_record(self) -> None:
        """A lost feature flag reads as gone, and the registration is forgotten."""
        world = World()
        world.register(replace(WANTED, projects=()))
        with pytest.raises(OpenAIRefused) as raised:
            world.retire(faults={0: FAULTS["feature_off"]})
        assert raised.value.id == "openai_feature_off"
        assert world.shelf.record is not None
        assert world.shelf.record.state is State.REGISTERED
