"""Weakenings made from a snapshot's documents: one at a time, none of them by hand."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from tests.support.module_policies import ADMINISTER, DELEGATE_ALL, DELEGATE_USE, PROTECT, TRUST
from tests.support.proof_sample import ADMINISTRATOR, KEY, ROLE, ROOT, document, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
LOOSER = {
    "StringEquals": (
        *("StringLike", "StringEqualsIfExists", "StringEqualsIgnoreCase"),
        "ForAllValues:StringEquals",
    ),
    "ArnEquals": ("ArnLike", "ArnEqualsIfExists", "ForAllValues:ArnEquals"),
    "DateLessThan": ("DateLessThanIfExists",),
}


def modes() -> dict[str, Json]:
    """The module's documents in every mode that changes one, as tests/terraform/modes has them."""
    found = {name: snapshot() for name in MODES}

    def policy(name: str, *statements: Json) -> None:
        found[name]["keys"][0]["policy"] = document(*statements)

    policy("unprotected", ADMINISTER, DELEGATE_USE)
    policy("administrators", _by(ROOT, ADMINISTRATOR), DELEGATE_USE, PROTECT)
    policy("administrators alone", _by(ADMINISTRATOR), DELEGATE_USE, PROTECT)
    # Said beside the documents: whom the policy names as such would be broadened along with it.
    found["administrators alone"]["administrators"] = [ADMINISTRATOR]
    policy("root delegation", DELEGATE_ALL, PROTECT)
    policy("root delegation, administrators", DELEGATE_ALL, _by(ADMINISTRATOR), PROTECT)
    few = {**ADMINISTER, "Action": ["kms:DescribeKey", "kms:PutKeyPolicy"]}
    policy("existing", few, DELEGATE_USE)
    narrowed = found["narrowed"]
    ids = ["org-abc123", "proj_abc123"]
    narrowed["registration"]["external_ids"] = ids
    narrowed["calls"] = {"time": "2029-06-01T00:00:00Z"}
    condition = {
        "StringEquals": {"sts:ExternalId": ids},
        "DateLessThan": {"aws:CurrentTime": ["2030-01-01T00:00:00Z"]},
    }
    narrowed["role"]["trust_policy"] = document({**TRUST, "Condition": condition})
    use = narrowed["role"]["permission_policies"][0]["document"]["Statement"][0]
    use["Condition"] = {"StringEquals": {"aws:ResourceAccount": [KEY.split(":")[4]]}}
    text = json.dumps(found["multi-region"])
    text = text.replace(KEY, KEY.rpartition("/")[0] + f"/mrk-{'1' * 32}")
    text = text.replace(ROLE, ROLE.replace("role/", "role/security/"))
    found["multi-region"] = json.loads(text)
    found["multi-region"]["keys"][0] |= {"multi_region": "PRIMARY", "related": []}
    return found


MODES = (
    *("default", "unprotected", "administrators", "administrators alone", "multi-region"),
    *("narrowed", "existing", "root delegation", "root delegation, administrators"),
)


def _by(*principals: str) -> Json:
    return {**ADMINISTER, "Principal": {"AWS": list(principals)}}


def documents(found: Json) -> Iterator[tuple[str, Json]]:
    """Every document of a snapshot with its path."""
    yield "trust_policy", found["role"]["trust_policy"]
    for index, each in enumerate(found["role"]["permission_policies"]):
        yield f"permission_policies[{index}]", each["document"]
    for index, each in enumerate(found["keys"]):
        yield f"keys[{index}].policy", each["policy"]


def weakenings(found: Json) -> Iterator[tuple[str, Json]]:
    """Each weakened snapshot with what was done to it."""
    for path, policy in documents(found):
        for index, statement in enumerate(policy["Statement"]):
            for what, changed in _statement(statement, path):
                weakened = copy.deepcopy(found)
                target = dict(documents(weakened))[path]
                target["Statement"][index : index + 1] = [] if changed is None else [changed]
                if target["Statement"]:
                    yield f"{path} statement {index}: {what}", weakened


def _statement(statement: Json, path: str) -> Iterator[tuple[str, Json]]:
    yield "dropped", None
    if statement["Effect"] == "Deny":
        yield from _less_denied(statement)
        return
    actions = statement["Action"]
    listed = [actions] if isinstance(actions, str) else actions
    service = listed[0].split(":")[0]
    for action in ("*", f"{service}:*", *(f"{each}*" for each in listed)):
        if action not in listed:
            yield f"action {action} added", {**statement, "Action": [*listed, action]}
    if statement.get("Resource", "*") != "*":
        for resource in _wider_resources(statement["Resource"]):
            yield f"resource {resource}", {**statement, "Resource": resource}
    if "Principal" in statement:
        for principal in PRINCIPALS:
            if principal != statement["Principal"]:
                yield f"principal {principal}", {**statement, "Principal": principal}
    yield from _conditions(statement)


def _less_denied(statement: Json) -> Iterator[tuple[str, Json]]:
    """A Deny is weakened by covering less: fewer principals, only under a condition."""
    for principal in ({"AWS": ROOT}, {"AWS": ROLE}):
        yield f"principal {principal}", {**statement, "Principal": principal}
    for condition in (
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"ArnNotEquals": {"aws:PrincipalArn": ROLE}},
    ):
        yield f"condition {condition} added", {**statement, "Condition": condition}


def _wider_resources(arn: str) -> tuple[str, ...]:
    parts = arn.split(":", 5)
    anywhere = ":".join([*parts[:3], "*", *parts[4:]])
    return "*", f"{arn}*", f"{arn[:-1]}?", f"{arn.rpartition('/')[0]}/*", anywhere


PRINCIPALS: list[Json] = [
    *({"AWS": each} for each in (ROOT, "790389265272", "444455556666")),
    {"AWS": "arn:aws:iam::790389265272:role/Other"},
    {"Service": "s3.amazonaws.com"},
    "*",
]


def _conditions(statement: Json) -> Iterator[tuple[str, Json]]:
    block = statement.get("Condition", {})
    for operator, keys in block.items():
        for key, values in keys.items():
            rest = copy.deepcopy(statement)
            del rest["Condition"][operator][key]
            yield f"{operator} {key} removed", rest
            listed = [values] if isinstance(values, str) else values
            for looser in LOOSER.get(operator, ()):
                loosened = copy.deepcopy(rest)
                loosened["Condition"].setdefault(looser, {})[key] = listed
                yield f"{operator} {key} made {looser}", loosened
            for wider in ("*", f"{listed[0]}*", f"{listed[0]}?"):
                like = operator.replace("StringEquals", "StringLike")
                loosened = copy.deepcopy(rest)
                loosened["Condition"].setdefault(like, {})[key] = [*listed, wider]
                if not operator.startswith("Date"):
                    yield f"{like} {key} widened to {wider}", loosened
