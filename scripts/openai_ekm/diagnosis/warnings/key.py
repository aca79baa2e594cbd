"""Warnings about brittle principals of the key policy, and about the form of the registration.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.diagnosis.result import Warned
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.principal import PrincipalForm
from openai_ekm.policy.statement import Effect
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.snapshot import Snapshot

__all__ = ["brittle", "registered"]


def brittle(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield a warning for each session or unique id that the key policy names."""
    key = snapshot.registered_key
    if key is None or snapshot.keys is UNSEEN or key.policy is UNSEEN or key.policy is None:
        return
    try:
        document = parse_document(key.policy, DocumentKind.KEY)
    except MalformedPolicy:
        return
    for statement in document.statements:
        for each in statement.principals or ():
            named = each.form in (PrincipalForm.SESSION, PrincipalForm.UNIQUE_ID)
            if statement.effect is Effect.ALLOW and named:
                yield Warned(
                    "principal_brittle",
                    f"keys[{snapshot.keys.index(key)}].policy",
                    statement.index,
                    statement.sid,
                    "Principal",
                    each.text,
                    "the account with aws:PrincipalArn, or the role",
                    f"{each.text} names one session, or a principal that was deleted.",
                    "Name the account and narrow it by ArnEquals aws:PrincipalArn.",
                )


def registered(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield the warnings about the registration."""
    arn = snapshot.registration.kms_arn
    if ":alias/" in arn:
        key = snapshot.registered_key
        yield Warned(
            "alias_registered",
            "registration",
            None,
            None,
            "kms_arn",
            arn,
            key.arn if key is not None else "the key's own ARN",
            "An alias is registered: if it is moved, OpenAI loses the key of its data.",
            "Register the key's own ARN.",
        )
