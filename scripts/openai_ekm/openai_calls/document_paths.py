"""Name the documents of a decision on one of OpenAI's calls by their path in the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation import StatementRef
    from openai_ekm.snapshot import Key, Snapshot

__all__ = ["document_path", "locate_statements"]


def document_path(snapshot: Snapshot, document: str, key: Key | None) -> str:
    """Return the snapshot path of a document that a decision names.

    Args:
        snapshot: The snapshot.
        document: The document as the decision names it, such as `resource` or `identity[0]`.
        key: The key that the call uses; None for AssumeRole.
    """
    if key is None:
        return "trust_policy" if document == "resource" else document
    if document == "resource" and snapshot.keys is not UNSEEN:
        return f"keys[{snapshot.keys.index(key)}].policy"
    return document.replace("identity", "permission_policies", 1)


def locate_statements(
    snapshot: Snapshot, statements: Iterable[StatementRef], key: Key | None
) -> tuple[StatementRef, ...]:
    """Return the statements that decide a call, by snapshot path.

    The result leaves out the policies that OpenAI's own role has when it assumes the role.

    Args:
        snapshot: The snapshot.
        statements: The statements as a decision names them.
        key: The key that the call uses; None for AssumeRole.
    """
    return tuple(
        statement.at(document_path(snapshot, statement.document, key))
        for statement in statements
        if key is not None or not statement.document.startswith("identity")
    )
