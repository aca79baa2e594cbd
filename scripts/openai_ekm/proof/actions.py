"""The actions that exist, and the classes of existing and future actions that patterns make.

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

from openai_ekm.evaluation.services.kms import ALIAS_ACTIONS, KEYLESS_ACTIONS
from openai_ekm.evaluation.services.sts import ROLE_ACTIONS, UNPERMISSIONED
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.policy.statement import parse_action
from openai_ekm.value_classes.string_classes import (
    LOWER,
    TextPattern,
    class_texts,
    literal,
    many,
    one,
    wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openai_ekm.policy import Statement

__all__ = [
    "DELETING",
    "OWN",
    "PUT_KEY_POLICY",
    "USING",
    "Action",
    "about_others",
    "classes_of",
    "future",
    "is_about",
    "known",
    "of_service",
]

# How the actions begin that are not those of other services.
OWN: Final = ("kms:", "sts:")
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
        """Return the witness in lower case."""
        return self.name.lower()


PUT_KEY_POLICY: Final = Action("kms:PutKeyPolicy", ("kms:PutKeyPolicy",))


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[str, ...]]:
    """Return every action of `kms` and of `sts`, by service."""
    text = resources.files("openai_ekm.proof").joinpath("actions.json").read_text(encoding="utf-8")
    return {service: tuple(names) for service, names in json.loads(text).items()}


def of_service(patterns: Iterable[str], service: str) -> list[str]:
    """Return the patterns that match actions of a service, in lower case, each once.

    Args:
        patterns: Of actions, in any case.
        service: `kms`, say.
    """
    return list(dict.fromkeys(each.lower() for each in patterns if _matches(each, service)))


def is_about(statement: Statement, service: str) -> bool:
    """Return whether a statement covers any action of a service.

    Args:
        statement: The statement.
        service: `kms`, say.
    """
    found = (_matches(each, service) for each in statement.actions.texts)
    return statement.not_action or any(found)


def about_others(statement: Statement) -> bool:
    """Return whether a statement covers any action of another service than KMS and STS."""
    return statement.not_action or not all(
        text.lower().startswith(OWN) for text in statement.actions.texts
    )


@lru_cache(maxsize=16_384)
def _matches(pattern: str, service: str) -> bool:
    before, colon, _ = pattern.lower().partition(":")
    return not colon or compile_pattern(before).matches(service)


def classes_of(
    names: Iterable[str], patterns: Sequence[str], apart: Sequence[frozenset[str]] = ()
) -> list[Action]:
    """Put actions together that no pattern tells apart.

    Args:
        names: The actions, of one service.
        patterns: Of documents, in any case.
        apart: Sets of actions, in lower case, that matter otherwise.
    """
    names = tuple(names)
    service = names[0].partition(":")[0] if names else ""
    text_patterns = [parse_action(each).matches for each in of_service(patterns, service)]
    special = (frozenset({"kms:retiregrant"}), ALIAS_ACTIONS, KEYLESS_ACTIONS, ROLE_ACTIONS)
    found: dict[object, list[str]] = {}
    for name in names:
        lookup = name.lower()
        if lookup in UNPERMISSIONED:
            continue
        signature = (
            tuple(matches(lookup) for matches in text_patterns),
            tuple(lookup in each for each in (*apart, *special)),
        )
        found.setdefault(signature, []).append(name)
    return [Action(members[0], tuple(members)) for members in found.values()]


def future(service: str, patterns: Sequence[str]) -> tuple[Action, ...]:
    """Return classes of actions that a service does not have yet.

    Args:
        service: `kms`, say.
        patterns: Of actions, of any service.
    """
    return _future(service, tuple(of_service(patterns, service)))


@lru_cache(maxsize=64)  # each claim asks for the same ones
def _future(service: str, patterns: tuple[str, ...]) -> tuple[Action, ...]:
    names = {name.lower() for name in known()[service]}
    within = TextPattern((*one(f"{service}:"), *one(LOWER), *many(LOWER)))
    text_patterns = [*map(wildcard, patterns), *map(literal, sorted(names))]
    return tuple(
        Action(name, (), exists=False)
        for name in class_texts([within], text_patterns)
        if name not in names | UNPERMISSIONED | ROLE_ACTIONS
    )
