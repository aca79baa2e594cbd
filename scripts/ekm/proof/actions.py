"""The actions there are, and the classes that patterns make of them and of those to come.

actions.json lists the operations of KMS and STS; tests/unit/proof/generate_actions.py makes it from
botocore's models, and a test compares the two. ReEncrypt is an operation and not a permission;
three permissions are no operation.

Sources:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from ekm.evaluation.services.kms import ALIAS_ACTIONS, KEYLESS_ACTIONS
from ekm.evaluation.services.sts import ROLE_ACTIONS, UNPERMISSIONED
from ekm.policy.statement import parse_action
from ekm.proof.shapes import Shape, chars, literal, many, one, wildcard
from ekm.proof.texts import class_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "DELETING",
    "USING",
    "Action",
    "classes_of",
    "future",
    "known",
    "of_other_services",
]

LETTER = chars("abcdefghijklmnopqrstuvwxyz0123456789")
PREFIX = chars("abcdefghijklmnopqrstuvwxyz0123456789-")
FAMILIAR: Final = (
    "s3:GetObject",
    "iam:PassRole",
    "ec2:RunInstances",
    "secretsmanager:GetSecretValue",
)

# What makes or reads ciphertext, or another cryptographic product, under a key; and what leads
# there in one step.
# Source: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#cryptographic-operations
USING: Final = (
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GenerateMac",
    "kms:DeriveSharedSecret",
    "kms:Sign",
    "kms:Verify",
    "kms:VerifyMac",
    "kms:CreateGrant",
    "kms:ReplicateKey",
)
DELETING: Final = ("kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:DeleteImportedKeyMaterial")


@dataclass(frozen=True, slots=True)
class Action:
    """A class of actions.

    Args:
        name: The witness, as a request spells it.
        members: All of them that exist; empty for a class of actions to come.
        exists: Whether the witness does.
    """

    name: str
    members: tuple[str, ...]
    exists: bool = True

    @property
    def lookup(self) -> str:
        """The witness in lower case."""
        return self.name.lower()


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[str, ...]]:
    """Every action of `kms` and of `sts`, by service."""
    text = resources.files("ekm.proof").joinpath("actions.json").read_text(encoding="utf-8")
    return {service: tuple(names) for service, names in json.loads(text).items()}


def classes_of(
    names: Iterable[str], patterns: Sequence[str], apart: Sequence[frozenset[str]] = ()
) -> list[Action]:
    """Put actions together that no pattern tells apart.

    Args:
        names: The actions.
        patterns: Of documents, in any case.
        apart: Sets of actions, in lower case, that matter otherwise.
    """
    shapes = [_matcher(pattern) for pattern in patterns]
    special = (frozenset({"kms:retiregrant"}), ALIAS_ACTIONS, KEYLESS_ACTIONS, ROLE_ACTIONS)
    found: dict[object, list[str]] = {}
    for name in names:
        lookup = name.lower()
        if lookup in UNPERMISSIONED:
            continue
        signature = (
            tuple(matches(lookup) for matches in shapes),
            tuple(lookup in each for each in (*apart, *special)),
        )
        found.setdefault(signature, []).append(name)
    return [Action(members[0], tuple(members)) for members in found.values()]


def future(service: str, patterns: Sequence[str]) -> list[Action]:
    """Classes of actions that a service does not have yet."""
    shapes = [wildcard(each) for each in _of(patterns)]
    taken = [literal(name.lower()) for name in known()[service]]
    within = Shape((*one(f"{service}:"), *one(LETTER), *many(LETTER)))
    names = {name.lower() for name in known()[service]} | UNPERMISSIONED | ROLE_ACTIONS
    return [
        Action(name, (), exists=False)
        for name in class_texts([within], [*shapes, *taken])
        if name not in names
    ]


def of_other_services(patterns: Sequence[str]) -> list[Action]:
    """Classes of actions of every service but KMS and STS."""
    shapes = [wildcard(each) for each in _of(patterns)]
    own = [wildcard("kms:*"), wildcard("sts:*")]
    within = Shape((*many(PREFIX), *one(LETTER), *one(":"), *one(LETTER), *many(LETTER)))
    matchers = [_matcher(each) for each in _of(patterns)]
    seen = {tuple(matches(each.lower()) for matches in matchers): each for each in FAMILIAR[::-1]}
    found: dict[object, Action] = {key: Action(name, (name,)) for key, name in seen.items()}
    for name in class_texts([within], [*shapes, *own]):
        if not name.startswith(("kms:", "sts:")):
            key = tuple(matches(name) for matches in matchers)
            found.setdefault(key, Action(name, (), exists=False))
    return list(found.values())


def _of(patterns: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(each.lower() for each in patterns))


def _matcher(pattern: str) -> Callable[[str], bool]:
    """Whether an action in lower case matches a pattern, as the evaluator compares them."""
    return parse_action(pattern).matches
