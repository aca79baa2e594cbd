"""Boxes against the plain product: every class of every key, asked of the evaluator one by one."""

from __future__ import annotations

import os
from itertools import islice, product
from random import Random
from typing import Any

import pytest

from openai_ekm.evaluation import OpenPoints, decide
from openai_ekm.evaluation.decide import exceeded_limit
from openai_ekm.proof.allowed_set import find_allowed_set
from openai_ekm.proof.claims_forbidden import every_request_class
from openai_ekm.proof.documents import read_documents
from openai_ekm.proof.universe import make_universe
from openai_ekm.snapshot import Snapshot
from tests.proof.universe import conditions, universe
from tests.support.proof_sample import ACCOUNT, KEY, NOW, document

# `make fuzz` asks for more.
EXAMPLES = int(os.environ.get("EKM_FUZZ_EXAMPLES", "4"))
MOST_SCENES, MOST_REQUESTS = 40, 60
BUSY = frozenset({"kms:decrypt", "kms:encrypt", "sts:assumerole"})
TAG = "aws:PrincipalTag/t"


def _plain(random: Random, effect: str) -> dict[str, Any]:
    """A statement of a document that names nobody."""
    found: dict[str, Any] = {
        "Effect": effect,
        "Action": random.choice(["*", "kms:*", "kms:Decrypt", "sts:*"]),
        "Resource": random.choice(["*", KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*"]),
    }
    block = conditions(random, TAG)
    return {**found, "Condition": block} if block else found


def _layered(random: Random) -> dict[str, Any]:
    """A snapshot with guardrails, a boundary and grants."""
    found: dict[str, Any] = universe(random)
    found["role"]["permissions_boundary"] = document(_plain(random, "Allow"))
    found["role"]["permission_policies"][0]["document"]["Statement"].append(_plain(random, "Allow"))
    found["scps"] = [[document(_plain(random, "Allow"), _plain(random, "Deny"))]]
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    denied = {**_plain(random, "Deny"), "Principal": "*"}
    denied["Action"] = random.choice(["kms:Decrypt", "sts:AssumeRole"])
    found["rcps"] = [[document(full), document(denied)]]
    constraint = random.choice([{"EncryptionContextSubset": {"k": "v"}}, {}])
    found["grants"] = [
        {
            "grantee_principal": f"arn:aws:iam::{ACCOUNT}:role/q",
            "operations": ["Decrypt", "Encrypt"],
            "key_arn": KEY,
            "constraints": constraint,
        }
    ]
    return found


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_region_is_what_the_evaluator_allows_class_by_class(seed: int) -> None:
    """A layer of policies is forgotten, or open points are taken the wrong way."""
    random = Random(seed)
    documents = read_documents(Snapshot.from_json(_layered(random)))
    assert not documents.faults
    universe = make_universe(documents, NOW.isoformat())
    all_domains = universe.domains
    # Where most statements meet; elsewhere nearly everything is denied for want of an Allow.
    request_classes = [each for each in every_request_class(universe) if each.action.lookup in BUSY]
    for request_class in random.sample(request_classes, min(MOST_SCENES, len(request_classes))):
        for lenient in (True, False):
            open_points = OpenPoints.ALLOWED if lenient else OpenPoints.DENIED
            found = find_allowed_set(all_domains, request_class, lenient=lenient)
            keys = sorted(found.keys)
            domains = [all_domains.domain(key) for key in keys]
            classes = product(*(range(len(each.values)) for each in domains))
            for chosen in islice(classes, MOST_REQUESTS):
                inside = any(
                    all(box.get(key, -1) >> at & 1 for key, at in zip(keys, chosen, strict=True))
                    for box in found.boxes
                )
                values = zip(domains, chosen, strict=True)
                request = request_class.request({each.key: each.values[at] for each, at in values})
                assert inside == request_class.allows(request, open_points), request
                known = request_class.action.exists and bool(
                    request_class.principal.caller.partition
                )
                # What no policy can allow is no matter of policies.
                known = known and exceeded_limit(request_class.situation) is None
                if known and not lenient:
                    assert inside == decide(request, request_class.policies).allowed, request
