"""What the role may do besides Encrypt and Decrypt with the one key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ekm.diagnosis.judge import registered_key
from ekm.diagnosis.repairs.repair import shown
from ekm.diagnosis.value import Warned
from ekm.policy import DocumentKind, MalformedPolicy, parse_document
from ekm.policy.statement import Effect
from ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.snapshot import Snapshot

__all__ = ["warnings"]

_TWO: Final = {"kms:encrypt", "kms:decrypt"}


def warnings(snapshot: Snapshot) -> Iterator[Warned]:
    """Yield the warnings about the role's own policies; statements that deny are left aside."""
    role, key = snapshot.role, registered_key(snapshot)
    if not isinstance(role, Role) or role.permission_policies is UNSEEN:
        return
    for number, policy in enumerate(role.permission_policies):
        try:
            document = parse_document(policy.document, DocumentKind.IDENTITY)
        except MalformedPolicy:
            continue
        for statement in document.statements:
            if statement.effect is not Effect.ALLOW:
                continue
            actions = [text for text in statement.actions.texts if text.lower() not in _TWO]
            resources = [
                each.text
                for each in statement.resources or ()
                if key is not None and each.text != key.arn and ":alias/" not in each.text
            ]
            if not (actions or resources or statement.not_action or statement.not_resource):
                continue
            element = "Action" if actions or statement.not_action else "Resource"
            found = [f"Not{element}"] if statement.not_action or statement.not_resource else []
            yield Warned(
                "permissions_too_broad",
                f"permission_policies[{number}]",
                statement.index,
                statement.sid,
                element,
                shown(found or actions or resources),
                "kms:Decrypt, kms:Encrypt on the one key",
                "The role may do more than Encrypt and Decrypt with this key.",
                "Allow kms:Encrypt and kms:Decrypt on "
                f"{key.arn if key is not None else 'the key'} alone.",
            )
