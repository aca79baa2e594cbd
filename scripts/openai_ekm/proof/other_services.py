"""Requests of the role to services other than KMS and STS.

Only its identity policies count, because resource policies elsewhere are not seen. The classes are
made of the actions that an Allow of its identity policies covers, and those that every statement
covers alike are one. A large read-only policy has thousands of action patterns, of which few make
a class of their own, and the search ends with the first request that is surely allowed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from openai_ekm.policy import DocumentKind, Effect
from openai_ekm.policy.pattern import compile_pattern
from openai_ekm.proof import request_classes
from openai_ekm.proof.actions import OWN, Action, about_others
from openai_ekm.proof.request_classes import make_request_class
from openai_ekm.proof.witnesses import Search, find_witness
from openai_ekm.value_classes.string_classes import (
    LOWER,
    WORD,
    TextPattern,
    Undecidable,
    class_texts,
    many,
    one,
    wildcard,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from openai_ekm.policy import Statement
    from openai_ekm.proof.documents import DocumentPart
    from openai_ekm.proof.principals import PrincipalClass
    from openai_ekm.proof.request_classes import RequestClass
    from openai_ekm.proof.universe import Universe

__all__ = ["acting_elsewhere", "requests_elsewhere"]

# Shown before others, where an identity policy allows them.
FAMILIAR: Final = (
    "s3:GetObject",
    "iam:PassRole",
    "ec2:RunInstances",
    "secretsmanager:GetSecretValue",
)
LIMITING = frozenset({DocumentKind.IDENTITY, DocumentKind.SCP})
IN_FORCE = LIMITING | {DocumentKind.RCP}
# Of the role and its account: they follow from who asks, or about what.
KNOWN: Final = ("aws:principala", "aws:resourceaccount", "aws:requestedregion")
SOME_VALUE: Final = "a"
# Classes of an action and a resource that are asked for one by one.
MOST_CLASSES = 20_000


def acting_elsewhere(universe: Universe) -> Search:
    """Look for an action of another service that the role is allowed.

    Args:
        universe: The universe of requests.

    Returns:
        What was found, at the latest with the first request that is surely allowed.

    Raises:
        Undecidable: There are too many classes, and none of those looked at is surely allowed.
    """
    found = Search()
    for number, request_class in enumerate(requests_elsewhere(universe)):
        if number == MOST_CLASSES:
            raise Undecidable(f"more than {MOST_CLASSES} classes of actions of other services")
        universe.elsewhere.fill([request_class])
        found.add(find_witness(universe.elsewhere, request_class))
        if found.witness is not None and found.witness.decision.allowed:
            break
    return found


def requests_elsewhere(universe: Universe) -> Iterator[RequestClass]:
    """Yield the role's requests to other services, a class each."""
    classes: list[tuple[Action, list[Statement]]] | None = None
    for principal in _role(universe):
        own = universe.policies(principal, None, principal.account)
        abroad = universe.policies(principal, None, "")
        kept: list[tuple[Action, list[Statement]]] = []
        for action, covering in _classes(universe) if classes is None else classes:
            kept.append((action, covering))
            for told, names in _with_variables(universe, principal, covering):
                for place in request_classes.others(universe, told, covering):
                    policies = abroad if place.shared else own
                    request_class = make_request_class(told, action, place, policies, names)
                    if request_class is not None:
                        yield request_class
        classes = kept


def _with_variables(
    universe: Universe, principal: PrincipalClass, covering: Iterable[Statement]
) -> Iterator[tuple[PrincipalClass, Mapping[str, str]]]:
    """Yield who asks, with values for the variables of statements so that one is met, and with any.

    Yields:
        The role, and how documents spell condition keys, by lower-case name.
    """
    names = universe.elsewhere.names
    variables = {
        key: SOME_VALUE
        for statement in covering
        for each in (*(statement.resources or ()), *statement.conditions)
        for key in each.variables
        if key not in principal.fixed and not key.startswith(KNOWN)
    }
    if variables:
        spelt = {**dict(zip(variables, variables, strict=True)), **names}
        yield replace(principal, fixed={**principal.fixed, **variables}), spelt
    yield principal, names


def _role(universe: Universe) -> Iterable[PrincipalClass]:
    """Return the role's sessions. Their unique id is a condition key of the request here."""
    found: dict[object, PrincipalClass] = {}
    for principal in universe.principals:
        if universe.is_role(principal):
            fixed = {key: value for key, value in principal.fixed.items() if key != "aws:userid"}
            found.setdefault((principal.principal, str(fixed)), replace(principal, fixed=fixed))
    return found.values()


def _classes(universe: Universe) -> Iterator[tuple[Action, list[Statement]]]:
    """Yield actions that no statement tells apart, each with the statements that cover it."""
    documents = universe.documents
    # Two snapshots that are compared have the same classes.
    sources: Iterable[DocumentPart] = documents.identity
    if documents.beside:
        sources = [each for each in documents.parts if each.document.kind is DocumentKind.IDENTITY]
    allows = _allows(sources)
    statements = [
        statement
        for part in documents.parts
        if part.document.kind in IN_FORCE
        for statement in part.document.statements
        if about_others(statement)
    ]
    seen: set[tuple[bool, ...]] = set()
    for action in _candidates(_narrow(universe, allows), statements):
        covers = [each.actions.cover(action.lookup) is not each.not_action for each in statements]
        allowed = (each.actions.cover(action.lookup) is not each.not_action for each in allows)
        if tuple(covers) not in seen and any(allowed):
            seen.add(tuple(covers))
            covering = zip(statements, covers, strict=True)
            yield action, [statement for statement, covered in covering if covered]


def _allows(parts: Iterable[DocumentPart]) -> list[Statement]:
    """Return the statements of identity policies or guardrails that allow actions elsewhere."""
    return [
        statement
        for part in parts
        if part.document.kind in LIMITING
        for statement in part.document.statements
        if statement.effect is Effect.ALLOW and about_others(statement)
    ]


def _narrow(universe: Universe, allows: list[Statement]) -> list[Statement]:
    """Return the statements of a layer that names services: they cover whatever is allowed."""
    documents = universe.documents
    layers = [allows]
    if not documents.beside:
        boundary = (documents.boundary,) if documents.boundary is not None else ()
        layers += [_allows(level) for level in (boundary, *documents.scps) if level]
    for layer in layers:
        if all(not each.not_action and _names_services(each) for each in layer):
            return layer
    return allows


def _names_services(statement: Statement) -> bool:
    before = [text.partition(":")[0] for text in statement.actions.texts]
    return not any("*" in each or "?" in each for each in before)


def _candidates(allows: Sequence[Statement], statements: Sequence[Statement]) -> Iterator[Action]:
    """Yield actions of which every class that an Allow covers has one at least."""
    for name in FAMILIAR:
        yield Action(name, (name,))
    texts = {"*" for each in allows if each.not_action}
    texts.update(text for each in allows if not each.not_action for text in each.actions.texts)
    wild: list[str] = []
    for text in sorted(texts):
        if "*" in text or "?" in text:
            wild.append(text.lower())
        elif not text.lower().startswith(OWN):
            yield Action(text, (text,))
    by_service = _by_service({text.lower() for each in statements for text in each.actions.texts})
    for pattern in dict.fromkeys(wild):
        for name in _split(pattern, _beside(pattern, by_service)):
            if not name.startswith(OWN):
                yield Action(name, (), exists=False)


def _by_service(patterns: Iterable[str]) -> dict[str, list[str]]:
    """Return patterns by the service that they name; those that name none for sure under ""."""
    found: dict[str, list[str]] = {}
    for pattern in sorted(patterns):
        service = pattern.partition(":")[0]
        found.setdefault("" if "*" in service or "?" in service else service, []).append(pattern)
    return found


def _beside(pattern: str, by_service: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the patterns that match some, and not all, of what a pattern matches."""
    service = pattern.partition(":")[0]
    if "*" in service or "?" in service:
        near = [each for group in by_service.values() for each in group]
    else:
        near = [*by_service.get(service, ()), *by_service.get("", ())]
    return [each for each in near if _meets(each, pattern) and not _holds_all(each, pattern)]


def _meets(one_: str, other: str) -> bool:
    """Return whether two patterns may match one text, by how they begin and how they end."""
    head, tail = _ends(one_)
    start, end = _ends(other)
    fits = head.startswith(start) or start.startswith(head)
    return fits and (tail.endswith(end) or end.endswith(tail))


def _ends(pattern: str) -> tuple[str, str]:
    """Return what stands before the first and after the last wildcard."""
    plain = pattern.replace("?", "*")
    return plain.partition("*")[0], plain.rpartition("*")[2]


def _holds_all(wide: str, pattern: str) -> bool:
    """Return whether a pattern surely matches all that another does: its stars take the other's."""
    return "?" not in wide and compile_pattern(wide).matches(pattern)


def _split(pattern: str, others: Sequence[str]) -> Iterable[str]:
    """Return what a pattern matches, a text for each class that the others make of it."""
    if not others:
        filled = pattern.replace("?", "a").replace("*", "a")
        return (filled if ":" in filled else f"{filled}:a",)
    text_patterns = [wildcard(each) for each in (pattern, *others)]
    matches = compile_pattern(pattern).matches
    return [each for each in class_texts([_around(pattern)], text_patterns) if matches(each)]


def _around(pattern: str) -> TextPattern:
    """Return actions that begin as a pattern does."""
    head = _ends(pattern)[0]
    if ":" in head:
        after = one(LOWER) if head.endswith(":") else []
        return TextPattern((*one(head), *after, *many(LOWER)))
    service = [*one(head), *many(WORD)] if head else [*many(WORD), *one(LOWER)]
    return TextPattern((*service, *one(":"), *one(LOWER), *many(LOWER)))
