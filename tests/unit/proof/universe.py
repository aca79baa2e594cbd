"""Small universes: documents at random, and every request over a small alphabet."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from sample import ACCOUNT, OPENAI, ROLE, ROOT, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

Json = Any
OTHER = "444455556666"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/q/s"
PRINCIPALS = [
    {"AWS": ROOT},
    {"AWS": OTHER},
    {"AWS": f"arn:aws:iam::{ACCOUNT}:role/q"},
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
    f"arn:aws:iam::{ACCOUNT}:role/q",
    SESSION,
    f"arn:aws:iam::{ACCOUNT}:role/z",
    f"arn:aws:iam::{ACCOUNT}:user/u",
    f"arn:aws:iam::{ACCOUNT}:user/z",
    ROLE,
    ROOT,
    f"arn:aws:iam::{OTHER}:role/q",
    f"arn:aws:iam::{OTHER}:root",
    "arn:aws:iam::000000000000:role/z",
    f"arn:aws:sts::{ACCOUNT}:federated-user/z",
    "s3.amazonaws.com",
    "z.amazonaws.com",
]
TEXTS = ["".join(each) for size in range(4) for each in product("abc", repeat=size)]
PATTERNS = ["a", "b", "ab", "a*", "*b", "?", "a?", "*", "*a*", "A"]
TEXTS += [each for each in PATTERNS if each not in TEXTS] + ["B"]
OPERATORS = [
    *("StringEquals", "StringLike", "StringNotEquals", "StringNotLike"),
    *("StringEqualsIfExists", "StringNotLikeIfExists", "StringEqualsIgnoreCase"),
]
NUMBERS = ["0", "1", "1.5", "2", "2.5", "3", "4"]


def conditions(random: Random, key: str) -> Json:
    """At most one condition on a text, one on a number."""
    found: Json = {}
    if random.random() < 0.7:
        values = random.sample(PATTERNS, random.choice([1, 1, 2]))
        found[random.choice(OPERATORS)] = {key: values}
    if random.random() < 0.25:
        operator = random.choice(["NumericLessThan", "NumericEquals", "NumericGreaterThanEquals"])
        found[operator] = {"aws:MultiFactorAuthAge": random.choice(["1", "2", "3"])}
    if random.random() < 0.2:
        found["Null"] = {key: random.choice(["true", "false"])}
    if random.random() < 0.2:
        values = random.choice([[ROLE], [f"arn:aws:iam::{ACCOUNT}:role/*"], [OPENAI]])
        found[random.choice(["ArnLike", "ArnNotLike"])] = {"aws:PrincipalArn": values}
    return found


def statement(random: Random, actions: list[str], key: str, *, resource: bool) -> Json:
    """One statement of a resource policy."""
    found: Json = {
        "Effect": random.choice(["Allow", "Allow", "Deny"]),
        "Principal": random.choice(PRINCIPALS),
        "Action": random.choice(actions),
    }
    if resource:
        found["Resource"] = "*"
    block = conditions(random, key)
    if block:
        found["Condition"] = block
    return found


def universe(random: Random) -> Json:
    """A snapshot with random trust policy and key policy."""
    found = snapshot()
    found["registration"]["external_ids"] = random.sample(["a", "ab", "b"], 2)
    trust = ["sts:AssumeRole", "sts:*", "sts:TagSession", "sts:AssumeRole"]
    found["role"]["trust_policy"]["Statement"] = [
        statement(random, trust, "sts:ExternalId", resource=False)
        for _ in range(random.choice([1, 2, 3]))
    ]
    key = ["kms:Decrypt", "kms:*crypt", "kms:PutKeyPolicy", "kms:DisableKey", "kms:*"]
    found["keys"][0]["policy"]["Statement"] = [
        statement(random, key, "aws:PrincipalTag/t", resource=True)
        for _ in range(random.choice([1, 2, 3]))
    ]
    return found


def contexts(key: str, documents: Json) -> Iterator[dict[str, str]]:
    """Every context over the alphabet, of the keys that documents ask for."""
    asked = str(documents)
    texts: list[str | None] = [None, *TEXTS] if key in asked else [None]
    numbers: list[str | None] = [None, *NUMBERS] if "MultiFactorAuthAge" in asked else [None]
    for text, number in product(texts, numbers):
        found = {} if text is None else {key: text}
        yield found if number is None else {**found, "aws:MultiFactorAuthAge": number}
