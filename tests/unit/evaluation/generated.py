"""Cases made at random from a small alphabet, so that statements and requests often meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

Json = Any

OURS, THEIRS = "111122223333", "444455556666"
KEYS = [f"arn:aws:kms:eu-west-1:{OURS}:key/{name}" for name in ("a", "ab", "b")]
ROLES = [f"arn:aws:iam::{account}:role/{name}" for account in (OURS, THEIRS) for name in ("r", "q")]
SESSIONS = [
    f"arn:aws:sts::{account}:assumed-role/{name}/s"
    for account in (OURS, THEIRS)
    for name in ("r", "q")
]
USERS = [f"arn:aws:iam::{account}:user/u" for account in (OURS, THEIRS)]
ROOTS = [f"arn:aws:iam::{account}:root" for account in (OURS, THEIRS)]
CALLERS = [*ROLES, *SESSIONS, *SESSIONS, *USERS, *ROOTS, "ec2.amazonaws.com"]
ACTIONS = ["kms:Encrypt", "kms:Decrypt", "kms:Sign"]
ACTION_PATTERNS = [*ACTIONS, "kms:*", "*", "kms:*crypt", "KMS:En?rypt", "s3:*"]
RESOURCE_PATTERNS = [
    *KEYS,
    "*",
    f"arn:aws:kms:*:{OURS}:key/*",
    f"arn:aws:kms:eu-west-1:{OURS}:key/a?",
    f"arn:aws:kms:*:{THEIRS}:key/*",
    f"arn:aws:kms:*:{OURS}:key/${{aws:PrincipalTag/t}}",
    f"arn:aws:kms:*:{OURS}:key/${{aws:PrincipalTag/t, 'ab'}}",
]
TEXTS = ["a", "A", "ab", "b", "*"]
TEXT_PATTERNS = [*TEXTS, "a*", "?", "*b", "${aws:PrincipalTag/t}", "${*}", "a${?}"]
TEXT_OPERATORS = ["StringEquals", "StringEqualsIgnoreCase", "StringLike"]
TEXT_OPERATORS += ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"]
ARN_OPERATORS = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
NUMBERS = ["1", "2", "2.0", "10", "x"]
DATES = ["2020-01-01T00:00:00Z", "2020-01-01T02:00:00+02:00", "2021-06-01T12:30:00Z", "x"]
ADDRESSES = ["10.0.0.1", "10.1.0.1", "2001:db8::1", "x"]
RANGES = ["10.0.0.0/16", "10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "x"]


def case(random: Random) -> Json:
    """One case: well-formed documents, a request that may or may not meet them."""
    policies: Json = {"identity": [document(random) for _ in range(random.choice([0, 1, 1, 2]))]}
    if random.random() < 0.95:
        policies["resource"] = document(random, principals=True)
    if random.random() < 0.25:
        policies["permissions_boundary"] = document(random)
    if random.random() < 0.25:
        policies["session"] = document(random)
    for name in ("scps", "rcps"):
        if random.random() < 0.2:
            policies[name] = [level(random, name) for _ in range(random.choice([1, 2]))]
    if random.random() < 0.2:
        policies["grants"] = [grant(random) for _ in range(random.choice([1, 2]))]
    request = {
        "principal": random.choice(CALLERS),
        "action": random.choice(ACTIONS),
        "resource": random.choice(KEYS[:2]),
        "context": context(random),
    }
    return {"id": "generated", "request": request, "policies": policies}


def context(random: Random) -> Json:
    """Some keys, some of them with several values."""
    values: Json = {}
    for key in ("aws:x", "aws:PrincipalTag/t", "kms:EncryptionContext:k"):
        if random.random() < 0.6:
            values[key] = random.choice(TEXTS)
    if random.random() < 0.5:
        values["aws:TagKeys"] = random.sample(TEXTS, random.choice([0, 1, 2, 3]))
    for key, alphabet in (("aws:n", NUMBERS), ("aws:d", DATES), ("aws:SourceIp", ADDRESSES)):
        if random.random() < 0.4:
            values[key] = random.choice(alphabet)
    if random.random() < 0.4:
        values["aws:SecureTransport"] = random.choice(["true", "false"])
    return values


def document(random: Random, *, principals: bool = False) -> Json:
    """One document with one to three statements."""
    statements = [
        statement(random, principals=principals) for _ in range(random.choice([1, 1, 2, 3]))
    ]
    made: Json = {"Version": random.choice(["2012-10-17"] * 4 + ["2008-10-17"])}
    made["Statement"] = statements[0] if len(statements) == 1 else statements
    return made


def level(random: Random, name: str) -> list[Json]:
    """One level of guardrails."""
    if name == "scps":
        return [document(random) for _ in range(random.choice([1, 2]))]
    full = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    deny = {**statement(random), "Effect": "Deny", "Principal": "*"}
    deny.pop("NotAction", None)
    deny.setdefault("Action", "kms:*")
    statements = [full, deny] if random.random() < 0.8 else [deny]
    return [{"Version": "2012-10-17", "Statement": statements}]


def statement(random: Random, *, principals: bool = False, effect: str | None = None) -> Json:
    """One statement; Allow more often than Deny, broad more often than narrow."""
    made: Json = {"Effect": effect or random.choice(["Allow", "Allow", "Allow", "Deny"])}
    if principals:
        negated = made["Effect"] == "Deny" and random.random() < 0.3
        made["NotPrincipal" if negated else "Principal"] = principal(random)
    _some(random, made, "Action", ACTION_PATTERNS)
    _some(random, made, "Resource", RESOURCE_PATTERNS)
    if random.random() < 0.45:
        made["Condition"] = {}
        for _ in range(random.choice([1, 1, 2])):
            operator, block = condition(random)
            made["Condition"][operator] = block
    return made


def _some(random: Random, made: Json, element: str, alphabet: list[str]) -> None:
    chosen = random.sample(alphabet, random.choice([1, 1, 2]))
    name = f"Not{element}" if random.random() < 0.1 else element
    if name == "NotResource":
        chosen = [text for text in chosen if "${" not in text] or ["*"]
    made[name] = chosen[0] if len(chosen) == 1 and random.random() < 0.5 else chosen


def principal(random: Random) -> Json:
    """Everyone, or one to three principals."""
    if random.random() < 0.2:
        return "*"
    named = random.sample(
        [*ROLES, *SESSIONS, *USERS, *ROOTS, OURS, THEIRS, ROLES[0], "*"],
        random.choice([1, 1, 2, 3]),
    )
    made: Json = {"AWS": named[0] if len(named) == 1 else named}
    if random.random() < 0.2:
        made["Service"] = "ec2.amazonaws.com"
    return made


def condition(random: Random) -> tuple[str, Json]:
    """One operator with one key."""
    kind = random.randrange(8)
    if kind <= 2:
        operator, alphabet = random.choice(TEXT_OPERATORS), TEXT_PATTERNS
        key = random.choice(["aws:x", "AWS:X", "aws:TagKeys", "kms:EncryptionContext:k"])
    elif kind == 3:
        operator, key = random.choice(ARN_OPERATORS), "aws:PrincipalArn"
        alphabet = [*ROLES, *USERS, f"arn:aws:iam::{OURS}:role/*", "arn:aws:iam::*:*/r"]
    elif kind == 4:
        operator, key, alphabet = f"Numeric{random.choice(ORDERS)}", "aws:n", NUMBERS
    elif kind == 5:
        operator, key, alphabet = f"Date{random.choice(ORDERS)}", "aws:d", DATES
    elif kind == 6:
        operator, key = random.choice(["IpAddress", "NotIpAddress"]), "aws:SourceIp"
        alphabet = RANGES
    else:
        operator, key, alphabet = "Bool", "aws:SecureTransport", ["true", "false"]
        if random.random() < 0.5:
            key = random.choice(["aws:x", "aws:TagKeys", "aws:PrincipalArn"])
            return "Null", {key: random.choice(["true", "false", True])}
    if random.random() < 0.3:
        operator = f"{random.choice(['ForAnyValue', 'ForAllValues'])}:{operator}"
    if random.random() < 0.2:
        operator += "IfExists"
    values = random.sample(alphabet, 1 if alphabet[0] == "true" else random.choice([1, 1, 2]))
    return operator, {key: values[0] if len(values) == 1 else values}


def grant(random: Random) -> Json:
    """One grant."""
    made: Json = {
        "grantee_principal": random.choice([*ROLES, *SESSIONS, *USERS, *ROOTS]),
        "operations": random.sample(["Encrypt", "Decrypt"], random.choice([1, 2])),
        "key_arn": random.choice(KEYS[:2]),
    }
    if random.random() < 0.5:
        kind = random.choice(["EncryptionContextEquals", "EncryptionContextSubset"])
        made["constraints"] = {kind: random.choice([{}, {"k": "a"}, {"k": "b"}])}
    return made
