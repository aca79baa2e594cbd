"""A policy document, read and checked as AWS checks it at save.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.policy import elements
from openai_ekm.policy.elements import DocumentKind
from openai_ekm.policy.json_text import loads, members
from openai_ekm.policy.light import light
from openai_ekm.policy.malformed import MalformedPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.policy.statement import Statement

__all__ = ["ALLOW_ALL", "Document", "DocumentKind", "parse_document", "replaced"]

ELEMENTS = frozenset({"Version", "Id", "Statement"})
TAKES_ID = frozenset({DocumentKind.TRUST, DocumentKind.KEY})
VARIABLES_SINCE = "2012-10-17"
VERSIONS = ("2008-10-17", VARIABLES_SINCE)
# An identity policy that allows everything, as JSON.
ALLOW_ALL: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


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
            `openai_ekm.policy.json_text.loads` returned).
        kind: Which rules apply; a permissions boundary and a session policy are `IDENTITY`.

    Returns:
        The document.

    Raises:
        MalformedPolicy: AWS would refuse to save it, or its pages do not agree whether it would;
            `place` says where.
    """
    if isinstance(value, str):
        try:
            value = loads(value)
        except ValueError as error:
            raise MalformedPolicy(f"not JSON: {error}") from None
    try:
        return _parse(value, kind)
    except MalformedPolicy as fault:
        raise _worst(value, kind, fault) from None


_MOST_DISPUTED = 20


def _worst(value: Any, kind: DocumentKind, fault: MalformedPolicy) -> MalformedPolicy:
    """Return the surest fault: one that AWS refuses before one that its pages dispute."""
    first = fault
    for _ in range(_MOST_DISPUTED):
        if fault.instead is None:
            return fault
        value = replaced(value, fault.place, fault.instead)
        try:
            _parse(value, kind)
        except MalformedPolicy as next_fault:
            fault = next_fault
        else:
            break
    return first


def replaced(value: Mapping[str, Any], place: str, texts: tuple[str, ...]) -> dict[str, Any]:
    """Return a document in which other texts stand in the place of one.

    Args:
        value: The document, decoded.
        place: Of the text, as `MalformedPolicy` has it: `Statement[0].Action[1]`.
        texts: What stands there instead.
    """
    statement, _, element = place.partition(".")
    name, _, position = element.rstrip("]").partition("[")
    index = int(statement.partition("[")[2].rstrip("]"))
    statements = value["Statement"]
    listed = list(statements) if isinstance(statements, list) else [statements]
    old = listed[index][name]
    new = list(texts)
    if position:
        new = [*old[: int(position)], *texts, *old[int(position) + 1 :]]
    elif len(texts) == 1:
        new = texts[0]  # type: ignore[assignment]  # a text that stands alone
    listed[index] = {**listed[index], name: new}
    return {**value, "Statement": listed}


def _parse(value: Any, kind: DocumentKind) -> Document:
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
            elements.statement(each, index, kind, variables=variables)
            for index, each in enumerate(raw)
        ]
    )
    elements.unique_sids(statements, kind)
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
