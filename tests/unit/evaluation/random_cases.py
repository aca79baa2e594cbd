"""Cases made at random from a small alphabet, so that statements and requests often meet.

The request is drawn first. Half of what a statement names is drawn from what bears on that
request, the other half from everything; the rest is left to luck.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.unit.evaluation.sample_values import (
    ACTION_PATTERNS,
    ALIAS,
    CALLERS,
    CONDITIONS,
    CONTEXT,
    GRANT_OPERATIONS,
    KEYS,
    ODD,
    OURS,
    PRINCIPALS,
    PROVIDER,
    RESERVED,
    RESOURCE_PATTERNS,
    ROLES,
    SERVICES,
    TEXTS,
    THEIRS,
    names_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

Json = Any


def case(random: Random) -> Json:
    """One case: well-formed documents, a request that may or may not meet them."""
    asked = request(random)
    foreign = asked["action"].startswith("s3:")
    policies: Json = {
        "identity": [document(random, asked) for _ in range(random.choice([0, 1, 1, 2]))]
    }
    if random.random() < 0.95 and not foreign:
        policies["resource"] = document(random, asked, principals=True)
    for name in ("permissions_boundary", "session"):
        if random.random() < 0.2:
            policies[name] = document(random, asked)
    for name in ("scps", "rcps"):
        if random.random() < 0.2:
            policies[name] = [level(random, asked, name) for _ in range(random.choice([1, 2]))]
    if random.random() < 0.35:
        policies["grants"] = [grant(random, asked) for _ in range(random.choice([1, 2]))]
    return {"id": "generated", "request": asked, "policies": policies}


def request(random: Random) -> Json:
    """Who does what to what; the action says what kind of resource it is about."""
    made: Json = {"principal": random.choice(CALLERS), "action": "", "resource": ""}
    kind = random.random()
    if kind < 0.12:
        made["action"] = random.choice(["sts:AssumeRole", "sts:AssumeRole", "sts:TagSession"])
        made["resource"] = random.choice(ROLES[:2])
    elif kind < 0.17:
        made["action"], made["resource"] = "kms:ListKeys", "*"
    elif kind < 0.2:
        made["action"] = random.choice(["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"])
        made["resource"] = random.choice([ALIAS, ALIAS, RESERVED])
    elif kind < 0.23:
        made |= {"action": "s3:GetObject", "resource": "arn:aws:s3:::b/o"}
        made |= random.choice([{}, {"resource_account": OURS}, {"resource_account": THEIRS}])
    else:
        made["action"] = random.choice(
            ["kms:Encrypt", "kms:Decrypt"] * 3
            + ["kms:CreateGrant", "kms:Sign"] * 2
            + ["kms:DescribeKey", "kms:RetireGrant", "kms:PutKeyPolicy"]
        )
        made["resource"] = random.choice(KEYS[:2])
    made["context"] = context(random, made["principal"])
    return made


def context(random: Random, who: str) -> Json:
    """Some keys, some of them with several values."""
    values: Json = {
        key: random.choice(alphabet) for key, alphabet, share in CONTEXT if random.random() < share
    }
    for key, alphabet in (("aws:TagKeys", TEXTS), ("kms:GrantOperations", GRANT_OPERATIONS)):
        if random.random() < 0.5:
            values[key] = random.sample(alphabet, random.choice([0, 1, 2, 3]))
    for key, odd in ODD:
        if random.random() < 0.05:
            values[key] = random.choice(odd)
    if ":assumed-role/" in who and random.random() < 0.3:
        account, name = who.split(":")[4], who.split("/")[1]
        path = random.choice(["", "p/"]) if random.random() < 0.9 else "p/x"
        values["aws:PrincipalArn"] = f"arn:aws:iam::{account}:role/{path}{name}"
    return values


def document(random: Random, asked: Json, *, principals: bool = False) -> Json:
    """One document with one to three statements."""
    statements = [
        statement(random, asked, principals=principals) for _ in range(random.choice([1, 1, 2, 3]))
    ]
    made: Json = {"Version": random.choice(["2012-10-17"] * 4 + ["2008-10-17"])}
    made["Statement"] = statements[0] if len(statements) == 1 else statements
    return made


def level(random: Random, asked: Json, name: str) -> list[Json]:
    """One level of guardrails."""
    if name == "scps":
        return [document(random, asked) for _ in range(random.choice([1, 2]))]
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    deny = {**statement(random, asked), "Effect": "Deny", "Principal": "*"}
    deny.pop("NotAction", None)
    deny.setdefault("Action", "kms:*")
    statements = [full, deny] if random.random() < 0.8 else [deny]
    return [{"Version": "2012-10-17", "Statement": statements}]


def statement(
    random: Random, asked: Json, *, principals: bool = False, effect: str | None = None
) -> Json:
    """One statement; Allow more often than Deny, broad more often than narrow."""
    made: Json = {"Effect": effect or ("Deny" if random.random() < 0.18 else "Allow")}
    action, service = asked["action"], asked["action"].split(":")[0]
    trust = principals and service == "sts"
    if principals:
        negated = made["Effect"] == "Deny" and not trust and random.random() < 0.3
        made["NotPrincipal" if negated else "Principal"] = principal(
            random, asked, trust=trust, several=negated
        )
    near = [action, f"{service}:*", "*", action.upper(), f"{action[:-1]}?"]
    everything = ["sts:*", "*", "sts:Assume*", "sts:AssumeRole"] if trust else ACTION_PATTERNS
    _some(random, made, "Action", near, everything)
    if not trust:
        _some(random, made, "Resource", [asked["resource"], "*"], RESOURCE_PATTERNS)
    if random.random() < 0.4:
        made["Condition"] = {}
        for _ in range(random.choice([1, 1, 2])):
            operator, block = condition(random)
            made["Condition"][operator] = block
    return made


def _some(
    random: Random, made: Json, element: str, near: Sequence[str], everything: Sequence[str]
) -> None:
    alphabet = near if random.random() < 0.5 else everything
    chosen = random.sample(alphabet, random.choice([1, 1, 1, 2]))
    name = f"Not{element}" if random.random() < 0.1 else element
    if random.random() < 0.01:
        chosen = []
    made[name] = chosen[0] if len(chosen) == 1 and random.random() < 0.5 else chosen


def principal(random: Random, asked: Json, *, trust: bool, several: bool) -> Json:
    """Everyone, or one to three principals."""
    if random.random() < 0.15:
        return "*"
    near = names_of(asked["principal"])
    if several and random.random() < 0.4:
        return {"AWS": near} if near else {"Service": SERVICES}
    alphabet = near if near and random.random() < 0.5 else PRINCIPALS
    named = random.sample(alphabet, min(len(alphabet), random.choice([1, 1, 2, 3])))
    made: Json = {"AWS": named[0] if len(named) == 1 else named}
    if random.random() < 0.3:
        made["Service"] = random.choice([*SERVICES, SERVICES])
    if trust and random.random() < 0.3:
        made["Federated"] = random.choice([PROVIDER, "accounts.example.com"])
    if random.random() < 0.01:
        made["AWS"] = []
    return made


def condition(random: Random) -> tuple[str, Json]:
    """One operator with one key."""
    operators, keys, alphabet = random.choice(CONDITIONS)
    operator, key = random.choice(operators), random.choice(keys)
    if operator == "Null":
        set_operator = "ForAnyValue:" if random.random() < 0.1 else ""
        return f"{set_operator}Null", {key: random.choice(alphabet)}
    several = 1 if operator == "Bool" else random.choice([1, 1, 2])
    if random.random() < 0.3:
        operator = f"{random.choice(['ForAnyValue', 'ForAllValues'])}:{operator}"
    if random.random() < 0.2:
        operator += "IfExists"
    values = random.sample(alphabet, several)
    if random.random() < 0.03:
        values = []
    return operator, {key: values[0] if len(values) == 1 else values}


def grant(random: Random, asked: Json) -> Json:
    """One grant, more often than not to the caller."""
    near = [text for text in names_of(asked["principal"]) if not text.isdigit()]
    made: Json = {
        "grantee_principal": random.choice(near if near and random.random() < 0.6 else CALLERS[:9]),
        "operations": random.sample(GRANT_OPERATIONS, random.choice([2, 3, 4])),
        "key_arn": random.choice(KEYS[:2]),
    }
    if random.random() < 0.1:
        made["grantee_principal"] = random.choice(SERVICES)
    if random.random() < 0.4:
        kinds = random.sample(
            ["EncryptionContextEquals", "EncryptionContextSubset"], random.choice([1, 1, 2])
        )
        made["constraints"] = {
            kind: random.choice([{}, {"k": "a"}, {"k": "b"}, {"K": "a"}]) for kind in kinds
        }
    return made
