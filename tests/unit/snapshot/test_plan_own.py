"""Plans of a changed copy of the module: the gate does not take it for the module."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from openai_ekm.errors import BadInput
from openai_ekm.proof import prove
from openai_ekm.proof.gaps import ABSENT
from openai_ekm.snapshot import UNSEEN, Role, plan
from tests.support.plans import WRITTEN, a_plan, policies

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.snapshot import Snapshot

PREFIX: Final = "module.ekm."
NOTE: Final = "terraform_data.documents"
ROLE: Final = "module.role.aws_iam_role.this"
USE: Final = "module.role.aws_iam_role_policy.use"
KEY: Final = "module.key[0].aws_kms_key.this"
EVERYTHING: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)
ADMINISTRATOR: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
OWN_REFERENCES: Final = {
    "trust_policy": "local.trust_policy_json",
    "permission_policy": "local.permission_policy_json",
    "key_policy": "local.policy_json",
}


def resource(body: dict[str, Any], place: str) -> dict[str, Any]:
    """The change of one of the module's own resources."""
    found: dict[str, Any] = next(
        each for each in body["resource_changes"] if each["address"] == PREFIX + place
    )
    return found


def after(body: dict[str, Any], place: str) -> dict[str, Any]:
    """What is planned for one of the module's own resources."""
    found: dict[str, Any] = resource(body, place)["change"]["after"]
    return found


def make_unknown(body: dict[str, Any], place: str, argument: str) -> None:
    """Let a plan not know an argument yet."""
    after(body, place).pop(argument, None)
    resource(body, place)["change"]["after_unknown"][argument] = True


def configure(body: dict[str, Any], **references: str) -> None:
    """Give a plan the configuration of the module, with other references for some documents."""
    modules: dict[str, Any] = {"role": [], "key": []}
    for name, (place, argument) in WRITTEN.items():
        _, part, kind, label = place.replace("[0]", "").split(".")
        told = [references.get(name, OWN_REFERENCES[name])]
        modules[part].append(
            {"address": f"{kind}.{label}", "expressions": {argument: {"references": told}}}
        )
    calls = {part: {"module": {"resources": made}} for part, made in modules.items()}
    body["configuration"] = {
        "root_module": {"module_calls": {"ekm": {"module": {"module_calls": calls}}}}
    }


def argument_of(body: dict[str, Any], name: str) -> dict[str, Any]:
    """The configured arguments of the resource that writes a document."""
    _, part, kind, label = WRITTEN[name][0].replace("[0]", "").split(".")
    calls = body["configuration"]["root_module"]["module_calls"]["ekm"]["module"]["module_calls"]
    found: dict[str, Any] = next(
        each["expressions"]
        for each in calls[part]["module"]["resources"]
        if each["address"] == f"{kind}.{label}"
    )
    return found


def answers(found: Snapshot) -> dict[str, bool | None]:
    """Whether each claim holds."""
    return {each.id: each.holds for each in prove(found, assume=ABSENT).claims}


def further(address: str, kind: str) -> dict[str, Any]:
    """A resource that a plan makes, of which nothing is known."""
    return {"address": address, "type": kind, "change": {"after": {}, "after_unknown": {}}}


def renamed(place: str) -> Callable[[dict[str, Any]], None]:
    """A change of the copy: one of its resources has another name."""

    def change(body: dict[str, Any]) -> None:
        found = resource(body, place)
        found["address"] = found["address"].replace(".this", ".that").replace(".use", ".that")

    return change


def unknown(name: str) -> Callable[[dict[str, Any]], None]:
    """A change of the copy: a document is made of something that the plan does not know."""
    return lambda body: make_unknown(body, *WRITTEN[name])


def left_out(name: str) -> Callable[[dict[str, Any]], None]:
    """A change of the copy: a document is not written."""

    def change(body: dict[str, Any]) -> None:
        place, argument = WRITTEN[name]
        configure(body)
        del argument_of(body, name)[argument]
        make_unknown(body, place, argument)

    return change


def added(address: str, kind: str) -> Callable[[dict[str, Any]], None]:
    """A change of the copy: one more role or key, before the module's."""
    return lambda body: body["resource_changes"].insert(0, further(PREFIX + address, kind))


def unreadable(body: dict[str, Any]) -> None:
    """Let a plan not know the note."""
    make_unknown(body, NOTE, "input")


def other_references(body: dict[str, Any]) -> None:
    """Let the policy of the role be unknown for another reason than the module's."""
    configure(body, permission_policy="terraform_data.x.output")


def another_role(body: dict[str, Any]) -> None:
    """Put the module's own policy on another role."""
    after(body, USE)["role"] = "other"


@pytest.mark.parametrize(
    ("change", "path", "told"),
    [
        (unknown("trust_policy"), "trust_policy", f"{ROLE}.assume_role_policy"),
        (unknown("key_policy"), "keys[0].policy", f"{KEY}.policy"),
        (other_references, "permission_policies", f"{USE}.policy is not made as"),
        (left_out("key_policy"), "keys[0].policy", f"{KEY}.policy is not given"),
        (left_out("trust_policy"), "trust_policy", f"{ROLE}.assume_role_policy is not given"),
        (renamed(ROLE), "trust_policy", "aws_iam_role.that"),
        (renamed(KEY), "keys[0].policy", "aws_kms_key.that is no resource of the module"),
        (renamed(USE), "permission_policies", f"no {PREFIX}{USE}"),
        (added("module.key[0].aws_kms_key.aaa", "aws_kms_key"), "keys[0].policy", "aaa"),
        (added("aws_kms_key.aaa", "aws_kms_key"), "keys[0].policy", "aaa"),
        (added("module.role.aws_iam_role.aaa", "aws_iam_role"), "trust_policy", "aaa"),
        (unreadable, "trust_policy", f"{PREFIX}{NOTE}"),
        (unreadable, "permission_policies", f"{PREFIX}{NOTE}"),
        (unreadable, "keys[0].policy", f"{PREFIX}{NOTE}"),
        (another_role, "permission_policies", "another role"),
    ],
)
def test_a_document_of_a_changed_copy_is_not_seen(
    change: Callable[[dict[str, Any]], None], path: str, told: str
) -> None:
    """Guards against: a gate that judges the note while a resource writes something else."""
    body = a_plan()
    change(body)
    found = plan.snapshot_of(body)
    assert path in found.unseen()
    assert told in found.reasons[path]
    known, told_now = answers(plan.snapshot_of(a_plan())), answers(found)
    assert [each for each in known if known[each] and told_now[each] is None]


def test_the_module_itself_is_seen_with_its_configuration() -> None:
    """Guards against: a gate that closes for the module as it is."""
    body = a_plan()
    configure(body)
    found = plan.snapshot_of(body)
    assert found.reasons == {}
    assert {"trust_policy", "permission_policies", "keys[0].policy"}.isdisjoint(found.unseen())


def test_a_policy_in_the_block_of_the_own_role_is_judged() -> None:
    """Guards against: a policy that no resource of its own tells."""
    body = a_plan()
    after(body, ROLE)["inline_policy"] = [{"name": "x", "policy": EVERYTHING}]
    assert answers(plan.snapshot_of(body))["b"] is False
    resource(body, ROLE)["change"]["after_unknown"]["inline_policy"] = [{"policy": True}]
    found = plan.snapshot_of(body)
    assert answers(found)["b"] is None
    assert f"{ROLE} has x" in found.reasons["permission_policies"]


def test_a_block_that_only_takes_policies_away_leaves_them_unseen() -> None:
    """Guards against: an empty `inline_policy` block, which removes the module's own policy."""
    body = a_plan()
    after(body, ROLE)["inline_policy"] = [{"name": None, "policy": None}]
    assert answers(plan.snapshot_of(body))["d"] is None


def test_a_policy_attached_in_the_own_role_is_not_seen() -> None:
    """Guards against: AdministratorAccess among the role's `managed_policy_arns`."""
    body = a_plan()
    after(body, ROLE)["managed_policy_arns"] = [ADMINISTRATOR]
    found = plan.snapshot_of(body)
    assert answers(found)["b"] is None
    assert ADMINISTRATOR in found.reasons["permission_policies"]
    assert isinstance(found.role, Role)
    assert found.role.permission_policies is not UNSEEN
    assert found.role.permission_policies[-1].arn == ADMINISTRATOR


@pytest.mark.parametrize("argument", ["inline_policy", "managed_policy_arns"])
def test_policies_of_the_own_role_that_nobody_knows_are_not_seen(argument: str) -> None:
    """Guards against: a block whose policies the plan does not know; AWS's own answer is none."""
    body = a_plan()
    make_unknown(body, ROLE, argument)
    assert "permission_policies" not in plan.snapshot_of(body).reasons
    configure(body)
    assert "permission_policies" not in plan.snapshot_of(body).reasons
    argument_of(body, "trust_policy")[argument] = {"references": ["local.x"]}
    assert argument in plan.snapshot_of(body).reasons["permission_policies"]


def test_policies_that_a_role_shows_and_the_plan_tells_are_judged_once() -> None:
    """Guards against: a plan that mends a policy, and is judged by what was there before it."""
    body = a_plan()
    shown = [
        {"name": "AllowEncryptDecrypt", "policy": EVERYTHING},
        {"name": "mended", "policy": EVERYTHING},
    ]
    after(body, ROLE).update(inline_policy=shown, managed_policy_arns=[ADMINISTRATOR])
    assert answers(plan.snapshot_of(body))["b"] is False
    before = {"name": "mended", "role": "openai-ekm", "policy": EVERYTHING}
    gone = {"actions": ["delete"], "before": before, "after": None}
    attached = {"role": "openai-ekm", "policy_arn": ADMINISTRATOR}
    body["resource_changes"] += [
        {"address": "aws_iam_role_policy.x", "type": "aws_iam_role_policy", "change": gone},
        {
            "address": "aws_iam_role_policy_attachment.x",
            "type": "aws_iam_role_policy_attachment",
            "change": {**gone, "before": attached},
        },
    ]
    found = plan.snapshot_of(body)
    assert isinstance(found.role, Role)
    assert found.role.permission_policies is not UNSEEN
    assert [each.name for each in found.role.permission_policies] == ["AllowEncryptDecrypt"]


def test_the_own_policy_that_a_plan_deletes_is_gone() -> None:
    """Guards against: a gate that says that OpenAI can use the key, by a policy that goes."""
    body = a_plan()
    change = resource(body, USE)["change"]
    change.update(actions=["delete"], before=change["after"], after=None, after_unknown={})
    assert answers(plan.snapshot_of(body))["d"] is False


def test_a_deposed_role_or_key_is_not_the_one_that_stays() -> None:
    """Guards against: a member read from what the same plan takes away."""
    body = a_plan()
    want = plan.snapshot_of(body)
    for place in (ROLE, KEY):
        old = copy.deepcopy(resource(body, place))
        old["deposed"] = "12345678"
        old["change"].update(actions=["delete"], before=old["change"]["after"], after=None)
        body["resource_changes"].insert(0, old)
    assert plan.snapshot_of(body) == want


def test_a_root_that_is_the_module_may_have_roles_and_keys_beside_it() -> None:
    """Guards against: a further key of the root that is read as the module's."""
    body = a_plan("")
    want = plan.snapshot_of(body)
    body["resource_changes"][:0] = [
        further("aws_kms_key.aaa", "aws_kms_key"),
        further("aws_iam_role.aaa", "aws_iam_role"),
        further("module.keys.aws_kms_key.aaa", "aws_kms_key"),
    ]
    assert plan.snapshot_of(body) == want


def test_the_monitoring_has_a_key_of_its_own() -> None:
    """Guards against: a gate that closes because the module's alarms are encrypted."""
    body = a_plan()
    want = plan.snapshot_of(body)
    topics = f"{PREFIX}module.monitoring[0].aws_kms_key.topics[0]"
    body["resource_changes"].insert(0, further(topics, "aws_kms_key"))
    assert plan.snapshot_of(body) == want


def test_documents_with_an_index_are_an_instance() -> None:
    """Guards against: a copy of the module that the gate overlooks for its note's `count`."""
    body = a_plan()
    body["resource_changes"] += a_plan("module.honest.")["resource_changes"]
    resource(body, NOTE)["address"] += "[0]"
    assert set(plan.snapshots_of(body)) == {"module.ekm", "module.honest"}
    twice = copy.deepcopy(resource(body, NOTE + "[0]"))
    twice["address"] = f"{PREFIX}{NOTE}[1]"
    body["resource_changes"].append(twice)
    assert None in answers(plan.snapshots_of(body)["module.ekm"]).values()


def test_an_instance_without_documents_is_an_instance() -> None:
    """Guards against: a copy of the module that the gate overlooks, since it has no note."""
    body = a_plan()
    body["resource_changes"] += a_plan("module.honest.")["resource_changes"]
    note = resource(body, NOTE)
    note["address"] = f"{PREFIX}terraform_data.deletion_guard"
    note["change"] = {"after": {"input": {}}, "after_unknown": {}}
    found = plan.snapshots_of(body)
    assert set(found) == {"module.ekm", "module.honest"}
    assert None in answers(found["module.ekm"]).values()


def test_documents_of_somebody_else_are_no_instance() -> None:
    """Guards against: a gate that closes for a `terraform_data` of the same name."""
    body = a_plan()
    other = further(NOTE, "terraform_data")
    other["change"]["after"] = {"input": {"a": "b"}}
    body["resource_changes"].insert(0, other)
    assert set(plan.snapshots_of(body)) == {"module.ekm"}


@pytest.mark.parametrize(
    "part", [{"complete": False}, {"errored": True}, {"deferred_changes": [{"reason": "x"}]}]
)
def test_a_plan_that_leaves_changes_out_is_refused(part: dict[str, Any]) -> None:
    """Guards against: a plan with -target, which leaves out what gives the key away."""
    for read in (plan.snapshot_of, plan.snapshots_of):
        with pytest.raises(BadInput) as refused:
            read({**a_plan(), **part})
        assert refused.value.id == "plan_incomplete"
    whole = {"complete": True, "errored": False, "deferred_changes": []}
    assert plan.snapshot_of({**a_plan(), **whole}) == plan.snapshot_of(a_plan())


def test_a_known_document_counts_whatever_the_note_says() -> None:
    """Guards against: an open key policy in the resource, beside a good one in the note."""
    body = a_plan()
    assert after(body, NOTE)["input"]["key_policy"] == policies(None)["key_policy"]
    opened = EVERYTHING.replace('"Action"', '"Principal": "*", "Action"')
    after(body, KEY)["policy"] = opened
    assert answers(plan.snapshot_of(body))["c"] is False
