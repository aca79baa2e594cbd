"""The proof against brute force: it says "holds" exactly when no request breaks the claim."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sample import ACCOUNT, KEY, OPENAI, ROLE, failing
from universe import ASKERS, contexts, universe

from ekm.evaluation import Policies, Request
from ekm.evaluation.caller import parse_caller
from ekm.policy import DocumentKind, parse_document
from ekm.proof.actions import Action
from ekm.proof.askers import Asker
from ekm.proof.constants import ALLOW_ALL
from ekm.proof.one import allows
from ekm.proof.scene import Place, set_scene

if TYPE_CHECKING:
    from ekm.evaluation.policies import PreparedPolicies

# `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "6"))
USING = ("kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:Sign")
ASSUMING = ("sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithSAML")


def _asker(text: str) -> Asker:
    caller = parse_caller(text)
    assert caller is not None
    context = {"aws:PrincipalArn": caller.role_arn} if ":assumed-role/" in text else {}
    return Asker(text, caller, caller.role_arn, context)


def _passes(
    asker: Asker, action: str, place: Place, policies: PreparedPolicies, context: dict[str, str]
) -> bool:
    if ":federated-user/" in asker.principal:
        session = Policies(session=ALLOW_ALL).prepare(action).session
        policies = replace(policies, session=session)
    scene = set_scene(asker, Action(action, (action,)), place, policies, {})
    if scene is None or not scene.by_resource:
        return False
    request = scene.request(context)
    assert isinstance(request, Request)
    return allows(scene, request, lenient=True)


def _breaks_a(found: dict[str, Any]) -> bool:
    trust = found["role"]["trust_policy"]
    document = parse_document(trust, DocumentKind.TRUST)
    policies = Policies(identity=(ALLOW_ALL,), resource=document).prepare("sts:AssumeRole")
    registered = {"org-abc123", *found["registration"]["external_ids"]}
    place = Place(ROLE, ACCOUNT)
    every = list(contexts("sts:ExternalId", trust))
    for text in ASKERS:
        asker = _asker(text)
        for action in ASSUMING:
            for context in every:
                meant = asker.role_arn == OPENAI and action == "sts:AssumeRole"
                if meant and context.get("sts:ExternalId") in registered:
                    continue
                if _passes(asker, action, place, policies, context):
                    return True
    return False


def _breaks_c(found: dict[str, Any]) -> bool:
    policy = found["keys"][0]["policy"]
    document = parse_document(policy, DocumentKind.KEY)
    others = Policies(identity=(ALLOW_ALL,), resource=document).prepare("kms:Decrypt")
    own = found["role"]["permission_policies"][0]["document"]
    role = Policies(identity=(own,), resource=document).prepare("kms:Decrypt")
    place = Place(KEY, ACCOUNT)
    every = list(contexts("aws:PrincipalTag/t", policy))
    for asker in map(_asker, ASKERS):
        is_role = asker.role_arn == ROLE
        # Every account is an administrator, and stands for its principals: not for services.
        changes = ("kms:PutKeyPolicy",) if is_role or not asker.account else ()
        for action in (*(() if is_role else USING), *changes):
            for context in every:
                if _passes(asker, action, place, role if is_role else others, context):
                    return True
    return False


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_claim_holds_exactly_when_no_request_breaks_it(seed: int) -> None:
    """A document lets somebody in and the proof does not see it, or it sees ghosts."""
    found = universe(Random(seed))
    # Every account administers, so that (c) is about use, and about services and the role.
    found["administrators"] = [ACCOUNT, "444455556666", "000000000000", "790389265272"]
    claims = failing(found)
    assert ("a" in claims) == _breaks_a(found)
    assert ("c" in claims) == _breaks_c(found)
