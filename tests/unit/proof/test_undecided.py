"""What was not seen and could break a claim leaves it undecided, and nothing else does."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import fields
from functools import cache
from typing import Any

import pytest

from openai_ekm.evaluation.grants import OPERATIONS
from openai_ekm.proof import EXIT_CODES, Answer, Claim, prove
from openai_ekm.proof.gaps import ABSENT, COULD_BREAK
from openai_ekm.snapshot import Customer, Key, Role, Snapshot
from tests.support.proof_sample import (
    ACCOUNT,
    ADMINISTRATOR,
    KEY,
    ROLE,
    ROOT,
    document,
    proven,
    snapshot,
)

Json = Any
OTHER = "444455556666"
MULTI_REGION = KEY.replace("11111111-2222-3333-4444-555555555555", f"mrk-{'1' * 32}")
REPLICA = MULTI_REGION.replace("eu-west-1", "us-east-1")
ALLOW = {"Effect": "Allow", "Principal": "*"}
DENY = {"Effect": "Deny", "Principal": "*"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ABSENCE = object()


def whole() -> Json:
    """The module's own documents, and every other member of a snapshot."""
    found = snapshot()
    found["role"] |= {"tags": {"team": "red"}, "max_session_duration": 3600}
    found["keys"][0] |= {"tags": {"team": "red"}, "related": []}
    found["customer"]["organization"] = "o-mine"
    return found


def asking() -> Json:
    """The same with a condition on each fact that a condition can ask for."""
    found = whole()
    found["aliases"] = [{"arn": f"{KEY.rpartition(':')[0]}:alias/a", "target": KEY}]
    use = found["keys"][0]["policy"]["Statement"][1]["Condition"]
    use["StringEquals"] = {
        "kms:KeySpec": "SYMMETRIC_DEFAULT",
        "kms:KeyOrigin": "AWS_KMS",
        "kms:KeyUsage": "ENCRYPT_DECRYPT",
        "aws:PrincipalTag/team": "red",
    }
    own = found["role"]["permission_policies"][0]["document"]["Statement"][0]
    own["Condition"] = {
        "StringEquals": {"aws:ResourceTag/team": "red", "aws:ResourceOrgID": "o-mine"},
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"},
        "Bool": {"kms:MultiRegion": "false"},
    }
    return found


def closed() -> Json:
    """A key whose policy denies everything else to everybody else, whatever grants say."""
    found = whole()
    administrators = {"ArnNotEquals": {"aws:PrincipalArn": [ROLE, ADMINISTRATOR]}}
    use = ["kms:Encrypt", "kms:Decrypt"]
    found["keys"][0]["policy"] = document(
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": use, "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": ADMINISTRATOR},
            "Action": ["kms:PutKeyPolicy", "kms:DisableKey"],
            "Resource": "*",
        },
        {**DENY, "Action": "kms:*", "Resource": "*", "Condition": administrators},
        {**DENY, "NotAction": use, "Resource": "*", "Condition": {"ArnEquals": {
            "aws:PrincipalArn": ROLE}}},
        {**DENY, "NotAction": ["kms:PutKeyPolicy", "kms:DisableKey"], "Resource": "*",
         "Condition": {"ArnEquals": {"aws:PrincipalArn": ADMINISTRATOR}}},
    )  # fmt: skip
    found["administrators"] = [ADMINISTRATOR]
    return found


def regional() -> Json:
    """A multi-Region key and its one replica."""
    found = json.loads(json.dumps(whole()).replace(KEY, MULTI_REGION))
    key = found["keys"][0]
    key |= {"multi_region": "PRIMARY", "related": [REPLICA]}
    found["keys"].append({**copy.deepcopy(key), "arn": REPLICA, "multi_region": "REPLICA"})
    return found


def alone() -> Json:
    """An account that is in no organization, so that no guardrail bears on it."""
    found = whole()
    found["customer"]["organization"] = None
    return found


WORLDS = {each.__name__: each for each in (whole, asking, closed, regional, alone)}
GRANTEES = [ROLE, f"arn:aws:iam::{OTHER}:role/x", f"arn:aws:iam::{ACCOUNT}:role/x", ADMINISTRATOR]
# Values of each member that between them do to each claim the worst and the best there is.
EXTREMES: dict[str, list[Json]] = {
    "role/trust_policy": [
        document({**ALLOW, "Action": "sts:*"}),
        document({**DENY, "Action": "sts:*"}),
    ],
    "role/permission_policies": [
        [{"name": "all", "document": document(EVERYTHING)}],
        [{"name": "none", "document": document({**EVERYTHING, "Effect": "Deny"})}],
    ],
    "role/permissions_boundary": [document({**EVERYTHING, "Effect": "Deny"})],
    "role/tags": [{}, {"team": "blue"}],
    "role/max_session_duration": [3600, 43200],
    "keys/0/policy": [
        document({**ALLOW, "Action": "kms:*", "Resource": "*"}),
        document({**DENY, "Action": "kms:*", "Resource": "*"}),
    ],
    "keys/1/policy": [document({**ALLOW, "Action": "kms:*", "Resource": "*"})],
    "keys/0/state": ["Disabled", "PendingImport"],
    "keys/0/spec": ["RSA_4096"],
    "keys/0/usage": ["SIGN_VERIFY"],
    "keys/0/origin": ["EXTERNAL"],
    "keys/0/multi_region": ["PRIMARY"],
    "keys/0/tags": [{}],
    "aliases": [[]],
    "grants": [
        [
            {"grantee_principal": who, "operations": sorted(OPERATIONS), "key_arn": KEY}
            for who in GRANTEES
        ]
    ],
    "scps": [[[document({**EVERYTHING, "Effect": "Deny"})]]],
    "rcps": [[[document({**DENY, "Action": "*", "Resource": "*"})]]],
    "customer/organization": ["o-other", None],
    "customer/account": [ACCOUNT],
}


def put(body: Json, path: str, value: Json) -> Json:
    """A copy with one member set, or taken out."""
    found = copy.deepcopy(body)
    *steps, last = path.split("/")
    place = found
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if value is ABSENCE:
        del place[last]
    else:
        place[last] = value
    return found


@cache
def claims(world: str, path: str = "", index: int = -1) -> dict[str, Claim]:
    """The claims in a world: as it is, with one member at an extreme, or without it."""
    body = WORLDS[world]()
    if path and index >= 0:
        value = json.loads(json.dumps(EXTREMES[path][index]).replace(KEY, body["keys"][0]["arn"]))
        body = put(body, path, value)
    elif path:
        body = put(body, path, ABSENCE)
    return {each.id: each for each in proven(body).claims}


def _there(world: str, path: str) -> bool:
    return path != "keys/1/policy" or world == "regional"


CASES = [(world, path) for world in WORLDS for path in EXTREMES if _there(world, path)]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("world", "path"), CASES)
def test_a_claim_is_undecided_exactly_when_a_value_of_what_is_missing_breaks_it(
    world: str, path: str
) -> None:
    """What nobody looked at passes as proven, blocks a gate needlessly, or is not named."""
    seen = claims(world)
    extremes = [claims(world, path, index) for index in range(len(EXTREMES[path]))]
    alone = path in {"scps", "rcps"} and world == "alone"
    for name, claim in claims(world, path).items():
        assert seen[name].answer is Answer.HOLDS
        broken = not alone and any(each[name].answer is Answer.FAILS for each in extremes)
        assert claim.answer is (Answer.UNDECIDED if broken else Answer.HOLDS), (name, extremes)
        assert [each.path for each in claim.undecided_by] == ([named(path)] if broken else [])
        assert (claim.message is not None) is broken


def named(path: str) -> str:
    """A path as a claim names it."""
    if path == "role/tags":
        return "role.tags"
    return re.sub(r"keys/(\d)/", r"keys[\1].", path.removeprefix("role/")).replace("/", ".")


def test_role_and_key_that_were_not_read_are_named_whole() -> None:
    """A role that AWS refused to show is taken for one that does not exist."""
    for member, undecided in (("role", set("abcdf")), ("keys", set("bcdef"))):
        claims = proven(put(whole(), member, ABSENCE)).claims
        assert {each.id for each in claims if each.holds is None} == undecided
        assert {gap.path for each in claims for gap in each.undecided_by} == {member}
    aliased = put(put(whole(), "keys", ABSENCE), "registration/kms_arn", "alias")
    aliased["registration"]["kms_arn"] = f"{KEY.rpartition(':')[0]}:alias/a"
    assert proven(aliased).answer is Answer.UNDECIDED


def test_the_replicas_of_a_key_that_nobody_listed_leave_b_and_c_undecided() -> None:
    """A replica in a Region that nobody looked at decrypts everything, for everybody."""
    found = regional()
    assert proven(found).answer is Answer.HOLDS
    for change in (
        lambda body: body["keys"].pop(),
        lambda body: body["keys"][0].pop("related"),
        lambda body: (body["keys"].pop(), body["keys"][0].pop("related")),
    ):
        body = copy.deepcopy(found)
        change(body)
        open_ = [each for each in proven(body).claims if not each.holds]
        assert [each.id for each in open_] == ["b", "c"]
        for claim in open_:
            assert claim.answer is Answer.UNDECIDED
            assert [each.path for each in claim.undecided_by] == ["keys[0].related"]


def test_a_claim_that_what_was_seen_breaks_fails_whatever_was_not_seen() -> None:
    """A policy that is open to the account passes as undecided, since some SCP might close it."""
    found = whole()
    found["keys"][0]["policy"]["Statement"].append(
        {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"}
    )
    for path in ("scps", "rcps", "grants", "customer"):
        del found[path]
    proof = proven(found)
    assert {each.id for each in proof.claims if each.answer is Answer.FAILS} == {"c"}
    assert proof.answer is Answer.FAILS
    del found["keys"][0]["policy"]
    found["role"]["trust_policy"] = document({**ALLOW, "Action": "sts:AssumeRole"})
    assert {each.id for each in proven(found).claims if each.answer is Answer.FAILS} == {"a", "b"}


def test_what_is_assumed_to_be_none_is_said_and_never_covers_what_was_seen() -> None:
    """A gate can never be passed without reading grants and guardrails, or is passed by a lie."""
    found = regional()
    for member in ("grants", "scps", "rcps"):
        del found[member]
    del found["role"]["permissions_boundary"], found["keys"][0]["related"]
    read = Snapshot.from_json(found)
    assert prove(read).answer is Answer.UNDECIDED
    proof = prove(read, assume=ABSENT)
    assert proof.answer is Answer.HOLDS
    told = [each for each in proof.assumed if "taken for none" in each]
    paths = [each.partition(":")[0] for each in told]
    assert sorted(paths) == sorted((*set(ABSENT) - {"related"}, "keys[0].related"))
    found["grants"] = [
        {"grantee_principal": GRANTEES[1], "operations": ["Decrypt"], "key_arn": REPLICA}
    ]
    assert prove(Snapshot.from_json(found), assume=ABSENT).answer is Answer.FAILS


def test_every_member_of_a_snapshot_has_a_row() -> None:
    """A member is added to the snapshot, and not having seen it breaks no claim."""
    renamed = {"tags": {"role.tags", "key.tags"}, "keys": {"policy"}, "role": {"trust_policy"}}
    # What is asked, not what was collected; and the account's list of keys and roles itself.
    asked = {"registration", "administrators", "caller", "calls", "reasons", "extra", "arn"}
    asked |= {"unknown_account", "permissions_boundary_arn"}  # names, of what is judged by itself
    members = {each.name for kind in (Role, Key, Customer, Snapshot) for each in fields(kind)}
    for name in members - asked - {"customer"}:
        assert renamed.get(name, {name}) <= COULD_BREAK.keys(), name
    tried = {path.rpartition("/")[2] for path in EXTREMES} | {"related"}
    for row in COULD_BREAK:
        assert row.rpartition(".")[2] in tried, row


def test_documents_with_too_many_classes_leave_every_claim_undecided() -> None:
    """Guards against: a claim that nobody decided counts as broken, or as proven."""
    body = whole()
    body["scps"] = [
        [
            document(
                {
                    **EVERYTHING,
                    "Effect": "Deny",
                    "Condition": {
                        "ArnLike": {
                            "aws:PrincipalArn": [
                                f"arn:aws:iam::*:role/*{a}*{b}*{c}*"
                                for a, b, c in zip(
                                    "abcdefghij", "klmnopqrst", "uvwxyz0123", strict=True
                                )
                            ]
                        }
                    },
                }
            )
        ]
    ]
    found = proven(body)
    assert {claim.answer for claim in found.claims} == {Answer.UNDECIDED}
    assert all("too many classes" in (claim.message or "") for claim in found.claims)
    assert EXIT_CODES[found.answer] == 8
