"""A policy document, read and checked as AWS checks it at save.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ekm.policy import grammar
from ekm.policy.json_text import loads, members
from ekm.policy.kinds import DocumentKind
from ekm.policy.light import light
from ekm.policy.malformed import MalformedPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.policy.statement import Statement

__all__ = ["Document", "DocumentKind", "parse_document"]

ELEMENTS = frozenset({"Version", "Id", "Statement"})
TAKES_ID = frozenset({DocumentKind.TRUST, DocumentKind.KEY})
VARIABLES_SINCE = "2012-10-17"
VERSIONS = ("2008-10-17", VARIABLES_SINCE)


@light(frozen=True, slots=True)
class Document:
    """A well-formed policy document.

    Args:
        version: `2012-10-17` or `2008-10-17`; the latter when the document says none.
        id: Its Id, or None.
        statements: In the document's order.
        kind: What it was read as.
    """

    version: str
    id: str | None
    statements: tuple[Statement, ...]
    kind: DocumentKind


def parse_document(value: str | Mapping[str, Any], kind: DocumentKind) -> Document:
    """Read a policy document.

    Args:
        value: JSON text, or what it decodes to. Repeated members show in text only (or in what
            `ekm.policy.json_text.loads` returned).
        kind: Which rules apply; a permissions boundary and a session policy are `IDENTITY`.

    Returns:
        The document.

    Raises:
        MalformedPolicy: AWS would refuse to save it; `place` says where.
    """
    if isinstance(value, str):
        try:
            value = loads(value)
        except ValueError as error:
            raise MalformedPolicy(f"not JSON: {error}") from None
    value = members(value, "a policy document is a JSON object", "element")
    if not value.keys() <= ELEMENTS:
        unknown = next(name for name in value if name not in ELEMENTS)
        raise MalformedPolicy(f"{unknown!r} is not an element of a policy document")
    version = _version(value, kind)
    identifier = _identifier(value, kind) if "Id" in value else None
    if "Statement" not in value:
        raise MalformedPolicy("the document has no Statement")
    raw = value["Statement"]
    if not isinstance(raw, list):
        raw = [raw]
    if not raw:
        raise MalformedPolicy("must hold at least one statement", "Statement")
    variables = version == VARIABLES_SINCE
    statements = tuple(
        [
            grammar.statement(each, index, kind, variables=variables)
            for index, each in enumerate(raw)
        ]
    )
    grammar.unique_sids(statements, kind)
    return Document(version, identifier, statements, kind)


def _version(value: Mapping[str, Any], kind: DocumentKind) -> str:
    version = value.get("Version", VERSIONS[0])
    if not isinstance(version, str) or version not in VERSIONS:
        raise MalformedPolicy(f"{version!r} is not one of {', '.join(VERSIONS)}", "Version")
    if kind is DocumentKind.RCP and version != VARIABLES_SINCE:
        raise MalformedPolicy(f"a resource control policy says {VARIABLES_SINCE!r}", "Version")
    return version


def _identifier(value: Mapping[str, Any], kind: DocumentKind) -> str:
    identifier = value["Id"]
    if kind not in TAKES_ID:
        raise MalformedPolicy(f"no Id stands in policies of kind {kind.value}", "Id")
    if not isinstance(identifier, str):
        raise MalformedPolicy("must be a string", "Id")
    return identifier
