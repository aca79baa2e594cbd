"""Policies are compared by what they allow: tables of changes, and generated ones."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.drift.baseline import Baseline
from openai_ekm.drift.compare_policies import compare_policies
from openai_ekm.drift.difference import State
from openai_ekm.drift.slots import slots_of
from openai_ekm.evaluation import Policies, Request, decide
from openai_ekm.snapshot import Snapshot
from tests.constants import ACCOUNT, KEY
from tests.proof.weakenings import weakenings
from tests.support.module_policies import TRUST
from tests.unit.drift.sample import (
    BOUNDARY,
    NOW,
    drift_of,
    found,
    intended,
    observed,
    only,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
STRANGER = f"arn:aws:iam::{ACCOUNT}:role/stranger"


def key_policy(body: Json) -> Json:
    """The statements of the key policy."""
    return body["keys"][0]["policy"]["Statement"]


def trust(body: Json) -> Json:
    """The statement of the trust policy."""
    return body["role"]["trust_policy"]["Statement"][0]


def use(body: Json) -> Json:
    """The statement of the role's own policy."""
    return body["role"]["permission_policies"][0]["document"]["Statement"][0]


def by_hand(body: Json) -> None:
    """Let a stranger decrypt."""
    key_policy(body).append(
        {
            "Sid": "ByHand",
            "Effect": "Allow",
            "Principal": {"AWS": STRANGER},
            "Action": "kms:Decrypt",
            "Resource": "*",
        }
    )


def test_nothing_differs_where_all_is_as_it_was_meant() -> None:
    """Guards against: drift that is none."""
    assert drift_of().differences == ()


SAME_TEXT: dict[str, Callable[[Json], object]] = {
    "statements in another order": lambda body: key_policy(body).reverse(),
    "actions in another order": lambda body: key_policy(body)[1]["Action"].reverse(),
    "a list of one in place of a text": lambda body: trust(body).update(Action=["sts:AssumeRole"]),
    "a text in place of a list of one": lambda body: trust(body).update(
        Condition={"StringEquals": {"sts:ExternalId": "org-abc123"}}
    ),
    "an action twice": lambda body: use(body).update(
        Action=["kms:Decrypt", "kms:Encrypt", "kms:Decrypt"]
    ),
}
TEXT_ONLY: dict[str, Callable[[Json], object]] = {
    "another Sid": lambda body: trust(body).update(Sid="Other"),
    "StringLike without a star": lambda body: trust(body).update(
        Condition={"StringLike": {"sts:ExternalId": "org-abc123"}}
    ),
    "an action in small letters": lambda body: use(body).update(
        Action=["kms:decrypt", "kms:Encrypt"]
    ),
    "one statement in place of a list": lambda body: body["role"]["trust_policy"].update(
        Statement=trust(body)
    ),
    "a statement twice": lambda body: key_policy(body).append(
        {**copy.deepcopy(key_policy(body)[1]), "Sid": "Again"}
    ),
    "a further policy that allows nothing": lambda body: body["role"]["permission_policies"].append(
        {
            "name": "nothing",
            "type": "inline",
            "document": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Action": "kms:Sign", "Resource": "*"}],
            },
        }
    ),
}


@pytest.mark.parametrize("name", SAME_TEXT)
def test_the_same_in_another_order_is_no_difference(name: str) -> None:
    """Guards against: a report each time that AWS returns a list in another order."""
    assert drift_of(SAME_TEXT[name]).differences == ()


@pytest.mark.parametrize("name", TEXT_ONLY)
def test_a_change_of_the_text_is_told_apart(name: str) -> None:
    """Guards against: an alarm for a change that lets nobody do more or less."""
    difference = only(drift_of(TEXT_ONLY[name]))
    assert difference.state is State.NO_EFFECT
    assert (difference.more, difference.less) == ((), ())


@pytest.mark.parametrize(
    ("was", "becomes", "same"),
    [(True, 1, False), (1, True, False), (True, "true", True), (1, "1", True), (1, 2, False)],
)
def test_a_truth_value_in_a_condition_is_not_the_number_one(
    was: object, becomes: object, same: bool
) -> None:
    """Guards against: a changed condition that Python takes for the same, and AWS does not."""

    def change(value: object) -> Callable[[Json], None]:
        def made(body: Json) -> None:
            by_hand(body)
            condition = {"StringEquals": {"kms:EncryptionContext:a": value}}
            key_policy(body)[-1]["Condition"] = condition

        return made

    body = found()
    change(was)(body)
    drift = drift_of(change(becomes), meant=intended(body))
    assert told(drift) == ([] if same else ["key_policy"])
    assert drift.differences == () or not same


def _further_policy(body: Json, *statements: Json) -> None:
    body["role"]["permission_policies"].append(
        {
            "name": "ByHand",
            "type": "inline",
            "document": {"Version": "2012-10-17", "Statement": list(statements)},
        }
    )


# (change, check, more or less, the action of the first example)
EFFECTS: dict[str, tuple[Callable[[Json], object], str, str, str]] = {
    "a stranger decrypts": (by_hand, "key_policy", "more", "kms:Decrypt"),
    "the role may no longer encrypt": (
        lambda body: use(body).update(Action="kms:Decrypt"),
        "permission_policies",
        "less",
        "kms:Encrypt",
    ),
    "any external id": (
        lambda body: trust(body).pop("Condition"),
        "trust_policy",
        "more",
        "sts:AssumeRole",
    ),
    "another external id": (
        lambda body: trust(body).update(
            Condition={"StringEquals": {"sts:ExternalId": "org-other"}}
        ),
        "trust_policy",
        "more",
        "sts:AssumeRole",
    ),
    "the protection is off": (
        lambda body: key_policy(body).pop(),
        "deletion_protection",
        "more",
        "kms:ScheduleKeyDeletion",
    ),
    "a further policy": (
        lambda body: _further_policy(
            body, {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
        ),
        "permission_policies",
        "more",
        "kms:Decrypt",
    ),
    "the role's policy is gone": (
        lambda body: body["role"].update(permission_policies=[]),
        "permission_policies",
        "less",
        "kms:Decrypt",
    ),
    "a boundary that cuts Encrypt": (
        lambda body: body["role"].update(
            permissions_boundary={
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}],
            },
            permissions_boundary_arn=BOUNDARY,
        ),
        "permissions_boundary",
        "less",
        "kms:Encrypt",
    ),
}


@pytest.mark.parametrize("name", EFFECTS)
def test_a_change_of_what_is_allowed_is_drift_with_a_request(name: str) -> None:
    """Guards against: a change by hand that nobody hears of, or without what it does."""
    change, check, direction, action = EFFECTS[name]
    difference = only(drift_of(change))
    assert (difference.check, difference.state) == (check, State.DRIFT)
    first = getattr(difference, direction)[0]
    assert first.request.action == action
    assert first.statements
    assert first.request.principal in difference.message


def test_a_policy_that_was_renamed_is_no_drift() -> None:
    """Guards against: two differences for a policy that has another name and says the same."""
    renamed = drift_of(lambda body: body["role"]["permission_policies"][0].update(name="Other"))
    assert renamed.differences == ()


def test_two_changes_that_have_an_effect_only_together_are_drift() -> None:
    """Guards against: a wider key policy behind a wider policy of the role, each harmless alone."""

    def key_alone(body: Json) -> None:
        key_policy(body)[1]["Action"] = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom"]

    def role_alone(body: Json) -> None:
        use(body)["Action"] = ["kms:Decrypt", "kms:Encrypt", "kms:ReEncryptFrom"]

    def both(body: Json) -> None:
        key_alone(body)
        role_alone(body)

    assert told(drift_of(key_alone)) == told(drift_of(role_alone)) == []
    drift = drift_of(both)
    assert told(drift) == ["permission_policies", "key_policy"]
    assert {each.request.action for one in drift.differences for each in one.more} == {
        "kms:ReEncryptFrom"
    }


def test_a_grant_that_was_not_meant_does_not_hide_what_a_policy_allows() -> None:
    """Guards against: a key policy that lets in whom a grant lets in too."""

    def change(body: Json) -> None:
        by_hand(body)
        body["grants"] = [
            {"grantee_principal": STRANGER, "operations": ["Decrypt"], "key_arn": KEY}
        ]

    assert told(drift_of(change)) == ["key_policy", "grants"]


def test_a_document_that_was_not_seen_is_undecided_and_hides_no_other() -> None:
    """Guards against: a refusal of one call that passes for no drift."""

    def change(body: Json) -> None:
        by_hand(body)
        del body["role"]["permission_policies"]
        body["unseen"] = [{"path": "permission_policies", "reason": "AccessDenied"}]

    drift = drift_of(change)
    assert told(drift) == ["key_policy"]
    assert told(drift, State.UNDECIDED) == ["permission_policies"]
    (unseen,) = drift.of("permission_policies")
    assert "AccessDenied" in unseen.message


def test_a_malformed_document_is_undecided() -> None:
    """Guards against: a document that cannot be read, taken for one that allows nothing."""
    drift = drift_of(lambda body: trust(body).update(Effect="Perhaps"))
    assert told(drift, State.UNDECIDED) == ["trust_policy"]


def test_the_policy_of_an_existing_key_is_undecided_until_it_is_reviewed() -> None:
    """Guards against: a key policy that nobody looked at, taken for the one that was meant."""
    drift = drift_of(meant=intended(makes_key=False, rotation=intended().rotation))
    difference = only(drift)
    assert (difference.check, difference.state) == ("key_policy", State.UNDECIDED)
    assert difference.observed == found()["keys"][0]["policy"]


def _decided(body: Json, request: Request) -> bool:
    """Whether a snapshot's documents allow a request; others' own policies allow everything."""
    role = body["role"]
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    own = request.principal.startswith(role["arn"]) or "assumed-role/openai-ekm" in (
        request.principal
    )
    identity = [each["document"] for each in role["permission_policies"]] if own else [everything]
    is_sts = request.action.startswith("sts:")
    on_key = request.resource == KEY
    on_role = request.resource == role["arn"]
    resource = None
    if is_sts and on_role:
        resource = role["trust_policy"]
    elif on_key:
        resource = body["keys"][0]["policy"]
    session = everything if ":federated-user/" in request.principal else None
    policies = Policies(identity=identity, resource=resource, session=session)
    return decide(request, policies).allowed


MUTATIONS = [name for name, _ in weakenings(found())]


def test_a_mutation_is_text_only_or_shows_a_request_that_the_evaluator_confirms() -> None:
    """Guards against: a change that is missed, and an example that is none."""
    chosen = random.Random(20261129).sample(MUTATIONS, 24)
    bodies = dict(weakenings(found()))
    confirmed = 0
    for name in chosen:
        body = bodies[name]
        slots = slots_of(intended(), observed(body))
        differences = list(
            compare_policies(
                slots,
                Snapshot.from_json(body),
                Baseline(),
                NOW.isoformat(),
                protected=True,
            )
        )
        for each in differences:
            assert (each.state is State.NO_EFFECT) == (not each.more and not each.less), name
            for example in each.more:
                if not _decided(body, example.request):
                    continue  # open: the evaluator leaves it to what nobody saw
                assert not _decided(found(), example.request), name
                confirmed += 1
            for example in each.less:
                assert _decided(found(), example.request), name
                assert not _decided(body, example.request), name
                confirmed += 1
    assert confirmed > len(chosen)


def test_the_sample_is_the_module_s() -> None:
    """Guards against: a sample whose trust policy is another one than the module's."""
    assert trust(found()) == TRUST
