"""Small universes: documents at random, and every request over a small alphabet."""

from __future__ import annotations

import copy
from fnmatch import fnmatchcase
from itertools import product
from typing import TYPE_CHECKING, Any

from tests.support.proof_sample import ACCOUNT, KEY, OPENAI, ROLE, ROOT, TRUST, document, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Json = Any
OTHER = "444455556666"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/q/s"
COLLEAGUE = f"arn:aws:iam::{ACCOUNT}:role/q"
TAG = "aws:PrincipalTag/t"
EXTERNAL_ID = "sts:ExternalId"
AGE = "aws:MultiFactorAuthAge"
TIME = "aws:CurrentTime"
PAIR = "kms:EncryptionContext:k"
PRINCIPALS: list[Json] = [
    {"AWS": ROOT},
    {"AWS": OTHER},
    {"AWS": COLLEAGUE},
    {"AWS": SESSION},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:user/u"},
    {"AWS": OPENAI},
    {"AWS": ROLE},
    {"Service": "s3.amazonaws.com"},
    "*",
]
# Every principal that the documents above can tell apart, and one more of each kind.
ASKERS = [
    OPENAI,
    "arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service",
    COLLEAGUE,
    SESSION,
    f"arn:aws:iam::{ACCOUNT}:role/z",
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/z.amazonaws.com/z",
    f"arn:aws:iam::{ACCOUNT}:user/u",
    f"arn:aws:iam::{ACCOUNT}:user/z",
    ROLE,
    ROOT,
    f"arn:aws:iam::{OTHER}:role/q",
    f"arn:aws:iam::{OTHER}:role/aws-service-role/z.amazonaws.com/z",
    f"arn:aws:iam::{OTHER}:root",
    "arn:aws:iam::000000000000:role/z",
    "arn:aws:iam::000000000000:role/aws-service-role/z.amazonaws.com/z",
    f"arn:aws:sts::{ACCOUNT}:federated-user/z",
    "s3.amazonaws.com",
    "z.amazonaws.com",
]
TEXTS = ["".join(each) for size in range(4) for each in product("ab", repeat=size)]
TEXTS += ["c", "cc", "ac", "ca", "cb", "bc", "cab", "bac"]
PATTERNS = ["a", "b", "ab", "a*", "*b", "?", "a?", "*", "*a*", "A"]
TEXTS += [each for each in PATTERNS if each not in TEXTS] + ["B", "org-abc123"]
FILLED = (ACCOUNT, OTHER, "000000000000", "790389265272", "eu-west-1")
TEXTS += FILLED
OPERATORS = [
    *("StringEquals", "StringLike", "StringNotEquals", "StringNotLike"),
    *("StringEqualsIfExists", "StringNotLikeIfExists", "StringEqualsIgnoreCase"),
]
NUMBERS = ["0", "1", "1.5", "2", "2.5", "3", "4"]
DATES = ["2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]
# Before, at and after each date, and on either side of the tests' now.
INSTANTS = [
    *DATES,
    *(f"{year}-0{month}-02T00:00:00Z" for year in (2024, 2025, 2027) for month in (1, 9)),
]
INSTANTS += ["2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z", "2029-01-01T00:00:00Z"]
IDS = ("a", "ab", "b", "org-abc123")
ALPHABET = {EXTERNAL_ID: TEXTS, TAG: TEXTS, AGE: NUMBERS, TIME: INSTANTS, PAIR: ["v", "w"]}
# Keys and other resources that the role's policies can tell apart.
RESOURCES = [
    KEY,
    KEY[:-1] + "9",
    KEY.replace("eu-west-1", "us-east-1"),
    f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/a",
    ROLE,
    f"arn:aws:iam::{ACCOUNT}:role/z",
    "arn:aws:s3:::b/k",
    f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1",
    "*",
]
# Of another account, whose own policies may let the role in.
ABROAD = [
    f"arn:aws:kms:eu-west-1:{OTHER}:key/a",
    f"arn:aws:iam::{OTHER}:role/z",
    f"arn:aws:ec2:eu-west-1:{OTHER}:instance/i-1",
]
PLACES = ["*", KEY, f"arn:aws:kms:*:{ACCOUNT}:key/*", f"arn:aws:kms:*:{ACCOUNT}:alias/*"]
PLACES += [f"arn:aws:iam::{ACCOUNT}:role/*", "arn:aws:s3:::b/*"]
KEY_ACTIONS = ["kms:Decrypt", "kms:*crypt", "kms:PutKeyPolicy", "kms:DisableKey", "kms:*"]
TRUST_ACTIONS = ["sts:AssumeRole", "sts:*", "sts:TagSession", "sts:AssumeRole"]
OWN_ACTIONS = ["kms:Decrypt", "kms:*crypt", "kms:De*", "sts:AssumeRole", "s3:Get*", "kms:List*"]
ADMINISTRATORS: list[list[str]] = [
    # Every account administers, so that (c) and (f) are about services and the role.
    [ACCOUNT, OTHER, "000000000000", "790389265272"],
    [ROOT],
    [COLLEAGUE],
    [SESSION, f"arn:aws:iam::{ACCOUNT}:user/u"],
    [f"arn:aws:iam::{OTHER}:root"],
    [],
]


def conditions(random: Random, key: str, second: str = AGE) -> Json:
    """At most one condition on a text, one on a key that lies on a line, and a few besides."""
    found: Json = {}
    if random.random() < 0.7:
        values = random.sample(PATTERNS, random.choice([1, 1, 2]))
        found[random.choice(OPERATORS)] = {key: values}
    if random.random() < 0.25:
        operator = random.choice(["LessThan", "Equals", "GreaterThanEquals"])
        if second == TIME:
            found[f"Date{operator}"] = {TIME: random.choice(DATES)}
        else:
            found[f"Numeric{operator}"] = {AGE: random.choice(["1", "2", "3"])}
    if random.random() < 0.2:
        found["Null"] = {key: random.choice(["true", "false"])}
    if random.random() < 0.2:
        values = random.choice([[ROLE], [f"arn:aws:iam::{ACCOUNT}:role/*"], [OPENAI]])
        found[random.choice(["ArnLike", "ArnNotLike"])] = {"aws:PrincipalArn": values}
    return found


def statement(
    random: Random, actions: list[str], key: str, *, resource: bool, second: str = AGE
) -> Json:
    """One statement of a resource policy."""
    found: Json = {
        "Effect": random.choice(["Allow", "Allow", "Deny"]),
        "Principal": random.choice(PRINCIPALS),
        "Action": random.choice(actions),
    }
    if resource:
        found["Resource"] = "*"
    block = conditions(random, key, second)
    if block:
        found["Condition"] = block
    return found


def universe(random: Random) -> Json:
    """A snapshot with random trust policy and key policy."""
    found = snapshot()
    second = random.choice([AGE, TIME])
    found["registration"]["external_ids"] = random.sample(["a", "ab", "b"], 2)
    trust = [
        statement(random, TRUST_ACTIONS, EXTERNAL_ID, resource=False, second=second)
        for _ in range(random.choice([1, 2, 3]))
    ]
    key = [
        statement(random, KEY_ACTIONS, TAG, resource=True, second=second)
        for _ in range(random.choice([1, 2, 3]))
    ]
    found["role"]["trust_policy"]["Statement"] = trust
    found["keys"][0]["policy"]["Statement"] = key
    return found


def neighbour(random: Random) -> Json:
    """A snapshot near the module's own, whose claims may all hold: at most a little is wrong."""
    found = universe(random)
    own = snapshot()
    if random.random() < 0.6:
        drawn = found["role"]["trust_policy"]["Statement"]
        found["role"]["trust_policy"] = document(TRUST, *drawn[: random.choice([0, 0, 1])])
    if random.random() < 0.7:
        drawn = found["keys"][0]["policy"]["Statement"]
        kept = own["keys"][0]["policy"]["Statement"]
        found["keys"][0]["policy"] = document(*kept, *drawn[: random.choice([0, 1, 1])])
    policy = found["role"]["permission_policies"][0]["document"]
    policy["Statement"] += [_own(random) for _ in range(random.choice([0, 0, 1, 2]))]
    found["administrators"] = random.choice(ADMINISTRATORS)
    if random.random() < 0.3:
        found["caller"] = random.choice([COLLEAGUE, ROLE, f"arn:aws:iam::{ACCOUNT}:user/u", ROOT])
    if random.random() < 0.25:
        found["grants"] = [_grant(random)]
    if random.random() < 0.2:
        found["scps"] = [[document(_everything(), _deny(random))]]
    if random.random() < 0.2:
        anyone = {"Principal": "*"}
        found["rcps"] = [[document({**_everything(), **anyone}, {**_deny(random), **anyone})]]
    if random.random() < 0.15:
        found["role"]["permissions_boundary"] = document(_own(random) | {"Effect": "Allow"})
    # Last, so that the seeds of before still draw what they drew.
    if random.random() < 0.3:
        allow = {"Effect": "Allow", "Action": random.choice(OWN_ACTIONS)}
        policy["Statement"].append(
            {**allow, "Resource": random.choice([*ABROAD, "arn:aws:kms:*:4*:key/*"])}
        )
    # The role has no tags: where they are not seen, a proof that asks for them is undecided.
    found["role"]["tags"] = {}
    return copy.deepcopy(found)


def _everything() -> Json:
    return {"Effect": "Allow", "Action": "*", "Resource": "*"}


def _deny(random: Random) -> Json:
    action = random.choice(["kms:Decrypt", "kms:*", "sts:AssumeRole", "kms:PutKeyPolicy"])
    found = {"Effect": "Deny", "Action": action, "Resource": random.choice(["*", "*", KEY])}
    block = {"ArnNotLike": {"aws:PrincipalArn": random.choice([[ROLE, OPENAI], COLLEAGUE])}}
    return {**found, "Condition": block} if random.random() < 0.7 else found


def _own(random: Random) -> Json:
    """One statement of the role's own policies."""
    actions, resources = random.choice(OWN_ACTIONS), random.choice(PLACES)
    found: Json = {
        "Effect": random.choice(["Allow", "Allow", "Deny"]),
        random.choice(["Action", "Action", "Action", "NotAction"]): actions,
        random.choice(["Resource", "Resource", "Resource", "NotResource"]): resources,
    }
    if random.random() < 0.4:
        found["Condition"] = {random.choice(OPERATORS): {TAG: random.sample(PATTERNS, 1)}}
    return found


def _grant(random: Random) -> Json:
    grantee = random.choice([COLLEAGUE, ROLE, SESSION, "s3.amazonaws.com", ROOT])
    return {
        "grantee_principal": grantee,
        "operations": random.choice([["Decrypt"], ["Encrypt", "CreateGrant"], ["DescribeKey"]]),
        "key_arn": random.choice([KEY, KEY, KEY[:-1] + "9"]),
        "constraints": random.choice([{}, {"EncryptionContextSubset": {"k": "v"}}]),
    }


def contexts(documents: Json, carried: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """Every context over the alphabet, of the keys that documents ask for.

    Args:
        documents: They are looked through as text.
        carried: The keys that a request may hold; empty for all.
    """
    asked = str(documents)
    if "EncryptionContextSubset" in asked:
        asked += PAIR
    keys = [key for key in ALPHABET if key in asked and key in (carried or ALPHABET)]
    for chosen in product(*([None, *_apart(key, asked)] for key in keys)):
        pairs = zip(keys, chosen, strict=True)
        yield {key: value for key, value in pairs if value is not None}


def _apart(key: str, asked: str) -> list[str]:
    """The values of a key, one of those that no literal of the documents tells apart."""
    literals = [each for each in (*PATTERNS, *DATES, "1", "2", "3") if f"'{each}'" in asked]
    found: dict[object, str] = {}
    for value in ALPHABET[key]:
        if key in (TIME, AGE):
            # Compared as texts: dates of one form, and numbers below ten.
            marks = [*literals, "2026-06-01T00:00:00Z"]
            signature: object = tuple((value < each, value == each) for each in marks)
        else:
            told = [
                (value == each, value.lower() == each.lower(), fnmatchcase(value, each))
                for each in literals
            ]
            filled = "${" in asked and value in FILLED and value
            signature = (value in IDS and value, filled, not value, tuple(told))
        found.setdefault(signature, value)
    return list(found.values())
