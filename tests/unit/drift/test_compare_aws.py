"""Each kind of drift in AWS, documents apart, and a near miss of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.drift.difference import State
from openai_ekm.snapshot import UNSEEN
from tests.constants import ACCOUNT, KEY
from tests.unit.drift.sample import (
    ALIAS,
    BOUNDARY,
    ROLE_ID,
    drift_of,
    intended,
    observed,
    only,
    record,
    registered,
    told,
)
from tests.unit.drift.test_compare_policies import key_policy

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
OTHER = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/99999999-2222-3333-4444-555555555555"
REPLICA = KEY.replace("eu-west-1", "eu-central-1")
STRANGER = f"arn:aws:iam::{ACCOUNT}:role/stranger"
GRANT = {"grantee_principal": STRANGER, "operations": ["Decrypt", "Encrypt"], "key_arn": KEY}
LIMITED = {**GRANT, "constraints": {"EncryptionContextEquals": {"a": "b"}}}
BOUND = {
    "permissions_boundary_arn": BOUNDARY,
    "permissions_boundary": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    },
}


def of_key(**members: Any) -> Callable[[Json], None]:
    """Change members of the key."""
    return lambda body: body["keys"][0].update(members)


def of_role(**members: Any) -> Callable[[Json], None]:
    """Change members of the role."""
    return lambda body: body["role"].update(members)


def grants(*given: Json) -> Callable[[Json], None]:
    """Change the grants."""
    return lambda body: body.update(grants=list(given))


CHANGES: dict[str, tuple[Callable[[Json], object], str, str]] = {
    "the role is gone": (lambda body: body.update(role=None), "role", "OpenAI cannot use the key"),
    "the role has another path": (
        of_role(arn=f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"),
        "role",
        "role/team/openai-ekm",
    ),
    "sessions are longer": (of_role(max_session_duration=43200), "role", "43200"),
    "the key is gone": (lambda body: body.update(keys=[]), "key", "all data under it is lost"),
    "the key is disabled": (of_key(state="Disabled"), "key", "Disabled"),
    "the key became a replica": (of_key(multi_region="REPLICA"), "key", "REPLICA"),
    "a grant": (grants(GRANT), "grants", STRANGER),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_drift(name: str) -> None:
    """Guards against: a change by hand that nobody hears of."""
    change, check, said = CHANGES[name]
    difference = only(drift_of(change))
    assert (difference.check, difference.state) == (check, State.DRIFT)
    assert said in difference.message


def test_a_key_that_waits_for_its_deletion_tells_the_day() -> None:
    """Guards against: a week that passes because nobody said how long there is."""
    seen = observed(deletion_date="2026-12-29T00:00:00Z", rotation=UNSEEN)
    drift = drift_of(of_key(state="PendingDeletion"), seen=seen)
    assert told(drift) == ["key"]
    assert "2026-12-29T00:00:00Z" in only(drift).message


@pytest.mark.parametrize(
    ("members", "drifts"),
    [
        ({"rotation": False, "rotation_days": None}, True),
        ({"rotation_days": 90}, True),
        ({"rotation_days": UNSEEN}, False),
    ],
)
def test_rotation_and_its_period_are_compared(members: dict[str, Any], drifts: bool) -> None:
    """Guards against: rotation that somebody turned off, or an alarm for a value not told."""
    assert told(drift_of(seen=observed(**members))) == (["rotation"] if drifts else [])


def test_another_role_of_the_same_name_is_drift() -> None:
    """Guards against: a role that somebody deleted and made anew, with the same ARN."""
    again = drift_of(seen=observed(role_unique_id="AROAOTHEROTHEROTHER0"))
    assert told(again) == ["role_id"]
    assert ROLE_ID in only(again).message


@pytest.mark.parametrize(
    ("created", "answers"),
    [("2026-01-31T23:59:59Z", []), ("2026-02-01T00:00:00Z", []), ("2026-02-01T00:00:01Z", [1])],
)
def test_without_the_unique_id_the_dates_are_compared(created: str, answers: list[int]) -> None:
    """Guards against: outputs, which have no unique id, that hide a role made anew."""
    meant = intended(role_unique_id=UNSEEN)
    drift = drift_of(meant=meant, seen=observed(role_created=created))
    assert told(drift) == ["role_id"] * len(answers)


def test_without_unique_id_and_record_the_role_s_identity_is_undecided() -> None:
    """Guards against: a check that could not be made, taken for one that was."""
    drift = drift_of(
        meant=intended(role_unique_id=UNSEEN), openai=registered(record=record(registered_at=None))
    )
    assert told(drift, State.UNDECIDED) == ["role_id"]


@pytest.mark.parametrize(
    ("targets", "said"), [({ALIAS: OTHER}, OTHER), ({ALIAS: None}, "does not exist")]
)
def test_an_alias_that_leads_elsewhere_is_drift(targets: dict[str, Any], said: str) -> None:
    """Guards against: an alias that was moved to another key."""
    drift = drift_of(lambda body: body.update(aliases=[]), seen=observed(alias_targets=targets))
    assert told(drift) == ["aliases"]
    assert said in only(drift).message


def test_a_further_alias_is_told_apart_and_one_not_seen_is_undecided() -> None:
    """Guards against: an alarm for a name, and silence where AWS did not answer."""
    further = {"arn": f"{ALIAS}-2", "target": KEY}
    drift = drift_of(lambda body: body["aliases"].append(further))
    assert told(drift, State.NO_EFFECT) == ["aliases"]
    assert told(drift_of(lambda body: body.update(aliases=[])), State.UNDECIDED) == ["aliases"]


@pytest.mark.parametrize("name", ["kms:ResourceAliases", "kms:requestalias"])
def test_a_further_alias_is_drift_where_a_policy_tests_aliases(name: str) -> None:
    """Guards against: an alias that opens a policy, told as a name that lets nobody do more."""

    def tested(body: Json) -> None:
        body["keys"][0]["policy"]["Statement"].append(
            {
                "Effect": "Allow",
                "Principal": {"AWS": STRANGER},
                "Action": "kms:Decrypt",
                "Resource": "*",
                "Condition": {"ForAnyValue:StringEquals": {name: "alias/backup"}},
            }
        )

    meant = intended().snapshot.as_json()
    tested(meant)

    def change(body: Json) -> None:
        tested(body)
        body["aliases"].append({"arn": f"{ALIAS}-2", "target": KEY})

    assert drift_of(tested, meant=intended(meant)).differences == ()
    assert told(drift_of(change, meant=intended(meant))) == ["aliases"]
    outputs = drift_of(change, meant=intended(meant, source="outputs"))
    assert told(outputs, State.UNDECIDED) == ["aliases"]


def test_a_grant_that_terraform_makes_is_none_and_a_changed_or_missing_one_is() -> None:
    """Guards against: an alarm for a grant of the configuration, and silence about its change."""
    meant = replace(intended(), grants=(LIMITED,))
    assert (
        told(drift_of(grants({**LIMITED, "operations": ["Encrypt", "Decrypt"]}), meant=meant)) == []
    )
    assert told(drift_of(grants(GRANT), meant=meant)) == ["grants", "grants"]
    assert told(drift_of(meant=meant)) == ["grants"]


def test_the_boundary_s_arn_is_compared() -> None:
    """Guards against: a boundary that was taken off, or another one with the same effect."""
    meant = intended(boundary_arn=BOUNDARY)
    assert told(drift_of(meant=meant)) == ["permissions_boundary"]
    other = {**BOUND, "permissions_boundary_arn": f"{BOUNDARY}-2"}
    assert told(drift_of(of_role(**other), meant=meant)) == ["permissions_boundary"]
    for wanted in (BOUNDARY, None, UNSEEN):
        unseen = drift_of(
            lambda body: body["role"].pop("permissions_boundary"),
            meant=intended(boundary_arn=wanted),
        )
        assert told(unseen, State.UNDECIDED) == ["permissions_boundary"]
    drift = drift_of(of_role(**BOUND), meant=meant)
    assert told(drift) == []
    assert told(drift, State.UNDECIDED) == ["permissions_boundary"]  # its document, unreviewed


def _tested(body: Json) -> None:
    use = body["role"]["permission_policies"][0]["document"]["Statement"][0]
    use["Condition"] = {"StringEquals": {"aws:ResourceTag/Team": "blue"}}
    body["keys"][0]["tags"] = {"team": "blue"}


def _tested_by_the_key(body: Json) -> None:
    key_policy(body)[-1]["Condition"] = {"StringEquals": {"aws:PrincipalTag/Team": "blue"}}


def test_only_a_tag_that_a_policy_tests_is_drift() -> None:
    """Guards against: a tag that opens a policy, and an alarm for the tags of a cost report."""
    meant = intended()
    body = meant.snapshot.as_json()
    _tested(body)
    meant = intended(body)

    def change(tags: dict[str, str]) -> Callable[[Json], None]:
        def made(body: Json) -> None:
            _tested(body)
            body["keys"][0]["tags"] = tags

        return made

    assert told(drift_of(change({"Team": "blue", "cost": "7"}), meant=meant)) == []
    for tags in ({"Team": "red"}, {}):
        drift = drift_of(change(tags), meant=meant)
        assert told(drift) == ["tags"]
        assert "team" in drift.of("tags")[0].message
    assert told(drift_of(of_key(tags={"cost": "7"}))) == []


def test_a_tag_with_a_blank_in_its_name_is_compared() -> None:
    """Guards against: a name that is read to its first blank alone."""

    def change(value: str) -> Callable[[Json], None]:
        def made(body: Json) -> None:
            _tested(body)
            use = body["role"]["permission_policies"][0]["document"]["Statement"][0]
            use["Condition"] = {"StringEquals": {"aws:ResourceTag/Cost Center": "7"}}
            body["keys"][0]["tags"] = {"Cost Center": value}

        return made

    body = intended().snapshot.as_json()
    change("7")(body)
    assert told(drift_of(change("7"), meant=intended(body))) == []
    assert told(drift_of(change("8"), meant=intended(body))) == ["tags"]


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ({"keys[0].tags": "no right to tags"}, ["the key's tags (no right to tags)"]),
        ({"keys[0].tags": "no", "role": "off"}, ["the key's tags (no)", "the role's tags (off)"]),
        ({"role": "off"}, ["the role's tags (off)"]),
    ],
)
def test_tags_that_were_not_seen_have_the_reason_of_their_holder(
    paths: dict[str, str], said: list[str]
) -> None:
    """Guards against: the key's refusal, told as why the role's tags were not seen."""

    def change(body: Json) -> None:
        _tested_by_the_key(body)
        if "keys[0].tags" in paths:
            del body["keys"][0]["tags"]
        if "role" in paths:
            del body["role"]
        body["unseen"] = [{"path": path, "reason": why} for path, why in paths.items()]

    body = intended().snapshot.as_json()
    _tested_by_the_key(body)
    found = drift_of(change, meant=intended(body)).of("tags")
    assert [each.message for each in found] == [f"Not compared: {each}." for each in said]


def test_the_tags_of_a_role_that_is_gone_are_not_told() -> None:
    """Guards against: a line about the tags of what another line says is gone."""

    def change(body: Json) -> None:
        _tested_by_the_key(body)
        body["role"] = None

    body = intended().snapshot.as_json()
    _tested_by_the_key(body)
    drift = drift_of(change, meant=intended(body))
    assert (told(drift), drift.of("tags")) == (["role"], ())


@pytest.mark.parametrize(
    ("tags", "drifts"),
    [
        ({"Team": "red", "team": "blue"}, True),
        ({"team": "blue", "Team": "red"}, True),
        ({"TEAM": "blue"}, False),
    ],
)
def test_tags_whose_names_differ_by_case_are_compared_both(
    tags: dict[str, str], drifts: bool
) -> None:
    """Guards against: a tag that opens a policy, hidden behind one of the same name."""

    def change(body: Json) -> None:
        _tested(body)
        body["keys"][0]["tags"] = tags

    body = intended().snapshot.as_json()
    _tested(body)
    assert told(drift_of(change, meant=intended(body))) == (["tags"] if drifts else [])


@pytest.mark.parametrize(
    ("principal", "found"),
    [
        ("AROAEXAMPLEEXAMPLE00", True),
        ("AIDAEXAMPLEEXAMPLE00", True),
        (STRANGER, False),
        ("AROASHORT", False),
    ],
)
def test_a_unique_id_in_place_of_a_principal_is_told(principal: str, found: bool) -> None:
    """Guards against: a statement for a principal that was deleted, taken for a stranger's."""

    def change(body: Json) -> None:
        body["keys"][0]["policy"]["Statement"].append(
            {
                "Effect": "Deny",
                "Principal": {"AWS": principal},
                "Action": "kms:Sign",
                "Resource": "*",
            }
        )

    assert ("deleted_principals" in told(drift_of(change))) == found


def test_a_deleted_grantee_is_told() -> None:
    """Guards against: a grant to nobody that stands for ever."""
    drift = drift_of(grants({**GRANT, "grantee_principal": "AROAEXAMPLEEXAMPLE00"}))
    assert told(drift) == ["deleted_principals", "grants"]


@pytest.mark.parametrize("member", ["role", "keys", "aliases", "grants"])
def test_a_member_that_was_not_seen_is_undecided(member: str) -> None:
    """Guards against: a refusal of AWS that passes for no drift."""

    def change(body: Json) -> None:
        body.pop(member)
        body["unseen"] = [{"path": member, "reason": "AccessDenied: no"}]

    drift = drift_of(change)
    assert told(drift) == []
    undecided = [each for each in drift.differences if each.state is State.UNDECIDED]
    assert undecided
    assert all("AccessDenied: no" in each.message for each in undecided)
    only_one = {"aliases": ["aliases"], "grants": ["grants"]}
    assert only_one.get(member) in (None, [each.check for each in undecided])
