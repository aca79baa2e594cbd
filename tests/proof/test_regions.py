"""Boxes against the plain product: every class of every key, asked of the evaluator one by one."""

from __future__ import annotations

import os
from itertools import islice, product
from random import Random
from typing import Any

import pytest
from proof_sample import ACCOUNT, KEY, NOW, OPENAI, document
from universe import conditions, universe

from ekm.evaluation import decide
from ekm.evaluation.reach import out_of_reach
from ekm.proof.impossible import every_scene
from ekm.proof.materials import read
from ekm.proof.one import allows
from ekm.proof.regions import region
from ekm.proof.setting import make_setting
from ekm.snapshot import Snapshot

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
    materials = read(Snapshot.from_json(_layered(random)))
    assert not materials.faults
    setting = make_setting(materials, OPENAI, "790389265272", NOW.isoformat())
    world = setting.world
    # Where most statements meet; elsewhere nearly everything is denied for want of an Allow.
    scenes = [each for each in every_scene(setting) if each.action.lookup in BUSY]
    for scene in random.sample(scenes, min(MOST_SCENES, len(scenes))):
        for lenient in (True, False):
            found = region(world, scene, lenient=lenient)
            keys = sorted(found.keys)
            domains = [world.domain(key) for key in keys]
            classes = product(*(range(len(each.values)) for each in domains))
            for chosen in islice(classes, MOST_REQUESTS):
                inside = any(
                    all(box.get(key, -1) >> at & 1 for key, at in zip(keys, chosen, strict=True))
                    for box in found.boxes
                )
                values = zip(domains, chosen, strict=True)
                request = scene.request({each.key: each.values[at] for each, at in values})
                assert inside == allows(scene, request, lenient=lenient), request
                known = scene.action.exists and bool(scene.asker.caller.partition)
                # What no policy can allow is no matter of policies.
                known = known and out_of_reach(scene.situation) is None
                if known and not lenient:
                    assert inside == decide(request, scene.policies).allowed, request
