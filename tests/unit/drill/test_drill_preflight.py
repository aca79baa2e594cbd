"""What a drill refuses before it cuts anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openai_ekm.drill.note import Method
from openai_ekm.drill.preflight import AwsView, check_preconditions
from openai_ekm.drill.targets import is_marked, targets
from openai_ekm.errors import EkmError
from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.registration.record import State
from openai_ekm.snapshot import UNSEEN, Key, NamedPolicy, Registration, Role, Snapshot
from tests.doubles.drill_world import (
    CALLER,
    EXTERNAL_KEY,
    FORMER,
    INTENT,
    KEY_ARN,
    RECORD,
    World,
    order,
)
from tests.support.module_policies import ADMINISTER, DELEGATE_ALL, DELEGATE_USE, PROTECT, document

ROLE = "arn:aws:iam::111122223333:role/admins/deployer"
SESSION = "arn:aws:sts::111122223333:assumed-role/deployer/me"
OTHER = ExternalKey("extkey_2", type="aws", purpose="ekm", name="b", kms_arn=KEY_ARN)


def refused(world: World, **changes: Any) -> str:
    """The id of the refusal of a drill; nothing was cut, and no note was made."""
    with pytest.raises(EkmError) as refusal:
        world.revoke(order(**changes))
    assert world.note is None
    assert {"PutPolicy", "DisableKey", "WriteNote"}.isdisjoint(world.steps)
    return refusal.value.id


@pytest.mark.parametrize(
    ("name", "marked"),
    [
        ("drill", True),
        ("ekm-drill", True),
        ("Drill 2", True),
        ("drills_eu", True),
        ("drilling-reports", False),
        ("mandrill", False),
        ("prod", False),
        (None, False),
    ],
)
def test_mark_is_a_word_of_the_name(name: str | None, marked: bool) -> None:
    """A production project counts as made for drills because of a syllable."""
    assert is_marked(name) is marked


def test_projects_are_what_key_and_list_say_together() -> None:
    """A project that only one of the two shows yet is cut off unasked."""
    key = ExternalKey("extkey_1", api_project_ids=("proj_a", "proj_b"))
    listed = [Project("proj_b", "drill", "extkey_1"), Project("proj_c", "prod", "extkey_1")]
    listed.append(Project("proj_d", "elsewhere", "extkey_2"))
    found = {target.id: (target.name, target.marked) for target in targets(key, listed)}
    assert found == {
        "proj_a": (None, False),
        "proj_b": ("drill", True),
        "proj_c": ("prod", False),
    }


@pytest.mark.parametrize(
    ("world", "changes", "id"),
    [
        (World(), {"confirm": None}, "drill_not_confirmed"),
        (World(), {"confirm": "extkey_other"}, "drill_not_confirmed"),
        (World(projects=(("proj_1", "prod"),)), {}, "drill_production_projects"),
        (
            World(projects=(("proj_1", "prod"), ("proj_2", "shop"))),
            {"interrupt": ("prod",)},
            "drill_production_projects",
        ),
        (World(), {"interrupt": ("prod",)}, "drill_project_not_active"),
        (World(workspace="ws_1"), {}, "workspace_key"),
        (World(record=None), {}, "nothing_registered"),
        (World(record=replace(RECORD, state=State.RETIRED)), {}, "nothing_registered"),
        (
            World(record=replace(RECORD, state=State.REGISTERING)),
            {},
            "drill_registration_unfinished",
        ),
        (
            World(record=replace(RECORD, intent=replace(INTENT, name="x"))),
            {},
            "registration_differs",
        ),
        (World(others=(OTHER,)), {}, "drill_key_shared"),
        (World(others=(replace(OTHER, kms_arn=None),)), {}, "drill_key_shared"),
        (World(state="Disabled"), {}, "drill_key_not_usable"),
        (World(state="PendingDeletion"), {}, "drill_key_not_usable"),
        (World(caller="arn:aws:iam::999988887777:root"), {}, "wrong_account"),
        (World(holder="another"), {"wait": 0.0}, "claim_held"),
    ],
)
def test_refusals(world: World, changes: dict[str, Any], id: str) -> None:
    """A drill cuts what it must not, or was not told to."""
    assert refused(world, **changes) == id


def test_project_that_came_since_the_look_stops_the_drill() -> None:
    """A project made while the drill was being prepared is cut off unasked."""

    def another(world: World, _number: int) -> None:
        if world.steps[-1] == "WriteNote":
            world.projects = (*world.projects, ("proj_2", "prod"))

    world = World(meanwhile=another)
    with pytest.raises(EkmError) as refusal:
        world.revoke()
    assert refusal.value.id == "drill_key_changed"
    assert "PutPolicy" not in world.steps
    assert world.note is None


def test_policy_changed_since_the_look_stops_the_drill() -> None:
    """The former policy is put over a change made while the drill was being prepared."""
    other = FORMER.replace("kms:EnableKey", "kms:TagResource")

    def change(world: World, _number: int) -> None:
        if world.steps[-1] == "WriteNote":
            world.policy = other

    world = World(meanwhile=change)
    with pytest.raises(EkmError) as refusal:
        world.revoke()
    assert refusal.value.id == "drill_key_changed"
    assert (world.policy, world.note) == (other, None)


def sight(policy: str = FORMER, caller: str = CALLER, own: Any = UNSEEN, **key: Any) -> AwsView:
    """What AWS shows of a key."""
    values = {"state": "Enabled", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT"}
    snapshot = Snapshot(
        Registration(INTENT.role_arn, INTENT.kms_arn, INTENT.external_id),
        role=UNSEEN,
        keys=(Key(KEY_ARN, policy=policy, **(values | key)),),
        aliases=(),
    )
    role = (
        UNSEEN if own is UNSEEN else Role(ROLE, permission_policies=own, permissions_boundary=None)
    )
    return AwsView(snapshot, caller, role)


def allows(*actions: str) -> tuple[NamedPolicy, ...]:
    """An identity policy."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return (NamedPolicy("own", {"Version": "2012-10-17", "Statement": [statement]}),)


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("own", [allows("kms:DisableKey"), ()])
def test_caller_without_a_way_back_is_refused(method: Method, own: Any) -> None:
    """Somebody who can cut and cannot give back cuts."""
    with pytest.raises(EkmError) as refusal:
        check_preconditions(sight(caller=SESSION, own=own), INTENT, method)
    assert refusal.value.id == "drill_no_way_back"


@pytest.mark.parametrize("method", Method)
def test_caller_with_a_way_back_passes(method: Method) -> None:
    """An administrator of the key is refused."""
    own = allows("kms:PutKeyPolicy", "kms:EnableKey", "kms:DisableKey")
    cut = check_preconditions(sight(caller=SESSION, own=own), INTENT, method)
    assert cut.unseen == ("the organization's policies",)
    unread = check_preconditions(sight(caller=SESSION), INTENT, method)
    assert "identity policies" in unread.unseen[0]


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(
    "statements",
    [(ADMINISTER, DELEGATE_USE, PROTECT), (DELEGATE_ALL, PROTECT)],
    ids=["least privilege", "root delegation"],
)
def test_policies_of_the_module_can_be_rehearsed(method: Method, statements: Any) -> None:
    """What the module writes is refused, or its own way of naming the role is not cut."""
    policy = json.dumps(document(*statements))
    cut = check_preconditions(sight(policy, caller=SESSION, own=allows("kms:*")), INTENT, method)
    assert (cut.text is None) == (method is Method.DISABLE_KEY)


@pytest.mark.parametrize("method", Method)
def test_key_policy_that_denies_the_way_back_is_refused(method: Method) -> None:
    """Policies of the caller that were not read are taken for a way back that the key bars."""
    body = json.loads(FORMER)
    body["Statement"].append(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["kms:PutKeyPolicy", "kms:EnableKey"],
            "Resource": "*",
        }
    )
    with pytest.raises(EkmError) as refusal:
        check_preconditions(sight(json.dumps(body), caller=SESSION), INTENT, method)
    assert refusal.value.id == "drill_no_way_back"


@pytest.mark.parametrize(
    ("key", "id"),
    [
        ({"spec": "RSA_2048"}, "drill_key_not_usable"),
        ({"usage": "SIGN_VERIFY"}, "drill_key_not_usable"),
        ({"state": UNSEEN}, "drill_key_not_usable"),
        ({"policy": UNSEEN}, "drill_key_unseen"),
    ],
)
def test_key_that_is_not_understood_is_refused(key: dict[str, Any], id: str) -> None:
    """A key of another type, or one that cannot be read, is cut."""
    found = sight()
    assert isinstance(found.snapshot.keys, tuple)
    changed = replace(found.snapshot, keys=(replace(found.snapshot.keys[0], **key),))
    with pytest.raises(EkmError) as refusal:
        check_preconditions(replace(found, snapshot=changed), INTENT, Method.DISABLE_KEY)
    assert refusal.value.id == id


@pytest.mark.parametrize("member", ["keys", "aliases"])
def test_key_that_is_not_seen_is_refused(member: str) -> None:
    """A key whose other users are not known is cut."""
    found = sight()
    blind: Any = {member: UNSEEN}
    with pytest.raises(EkmError) as refusal:
        check_preconditions(
            replace(found, snapshot=replace(found.snapshot, **blind)), INTENT, Method.KEY_POLICY
        )
    assert refusal.value.id == "drill_key_unseen"


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("action", ["kms:PutKeyPolicy", "kms:EnableKey", "kms:DisableKey"])
def test_permissions_page_has_what_a_drill_needs(method: Method, action: str) -> None:
    """A reader pastes the policy of the page and is refused, or it holds what is not needed."""
    page = (Path(__file__).parents[3] / "docs" / "permissions.md").read_text(encoding="utf-8")
    block = page.split("## Who rehearses")[1].split("```json\n")[1].split("```")[0]
    policy = json.loads(block.replace("REGION", "eu-west-1").replace("ACCOUNT", "111122223333"))
    assert check_preconditions(
        sight(caller=SESSION, own=(NamedPolicy("page", policy),)), INTENT, method
    )
    for statement in policy["Statement"]:
        if action in statement["Action"]:
            statement["Action"].remove(action)
    short = sight(caller=SESSION, own=(NamedPolicy("page", policy),))
    if (action == "kms:PutKeyPolicy") != (method is Method.KEY_POLICY):
        assert check_preconditions(short, INTENT, method)
        return
    with pytest.raises(EkmError) as refusal:
        check_preconditions(short, INTENT, method)
    assert refusal.value.id == "drill_no_way_back"


def test_unmarked_projects_may_be_named() -> None:
    """Whoever names a production project in the run is refused all the same."""
    world = World(projects=(("proj_1", "prod"), ("proj_2", "ekm-drill")))
    log = world.revoke(order(interrupt=("proj_1",)))
    assert world.open
    assert [project.id for project in log.projects] == ["proj_1", "proj_2"]
    assert log.external_key_id == EXTERNAL_KEY
