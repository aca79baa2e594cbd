"""Search for the smallest change of one statement that flips the evaluator's decision.

If a document also applies to others than the caller, the search takes the change that gives least
to them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.combined_repairs import repair_ways, ways_as_written
from openai_ekm.diagnosis.near_misses import exceptions_not_met, near_grants, near_statements, unmet
from openai_ekm.diagnosis.refusing_layer import documents_by_layer, how_far, refusing_layer
from openai_ekm.diagnosis.repairs import deny, missing_statement, ownership, version
from openai_ekm.diagnosis.repairs.gains import Gain, gain_of
from openai_ekm.diagnosis.repairs.repair import Repair, Site
from openai_ekm.evaluation import Decision, Outcome, StatementRef
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.statements import examine
from openai_ekm.policy import MalformedPolicy
from openai_ekm.policy.statement import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from openai_ekm.diagnosis.result import Change, Fault, NearMiss
    from openai_ekm.evaluation.policies import NamedDocument, PreparedPolicies
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.openai_calls.call_decisions import Asked
    from openai_ekm.snapshot import Snapshot

__all__ = ["Question", "faults_of", "near_misses_of"]

_MOST_STATEMENTS: Final = 40  # that are tried, the nearest first
_MOST_DENIES: Final = 20  # that are named at once
# Documents that bear on others than the caller: of several repairs the one that gives them least.
_OF_MANY: Final = {"permissions_boundary", "scps", "rcps"}


@dataclass(frozen=True, slots=True)
class Question:
    """A call that was refused, and how to ask it again of a changed snapshot.

    Args:
        snapshot: What was collected.
        asked: The call as it was decided.
        ask: Decides the same call of another snapshot.
        path: A document's name in a decision -> its snapshot path.
    """

    snapshot: Snapshot
    asked: Asked
    ask: Callable[[Snapshot], Asked | None]
    path: Callable[[str], str]


def faults_of(question: Question) -> tuple[Fault, ...]:
    """Return what is at fault in a refused call, each with the smallest fix.

    Args:
        question: A call whose decision is a denial, not an error.

    Returns:
        The faults; applying their fixes in order takes the call past this refusal. Where no fix
        does, the statement that denies is named without one; empty when there is none.
    """
    policies = question.asked.policies
    try:
        prepared = policies.prepare(question.asked.request.action)
    except MalformedPolicy:
        return ()
    situation = _situation(question.asked)
    if isinstance(situation, OpenPoint):
        return ()
    if denying := _denying(question.asked, prepared, situation):
        return _denies(question, prepared, situation, denying)
    return _nothing_allows(question, prepared, situation)


def near_misses_of(question: Question) -> tuple[NearMiss, ...]:
    """Return what is there and comes near, for a refusal that no repair of one statement cures.

    Args:
        question: A call whose decision is a denial, not an error.
    """
    prepared = question.asked.policies.prepare(question.asked.request.action)
    situation = _situation(question.asked)
    if isinstance(situation, OpenPoint):
        return ()
    layer, documents, _ = refusing_layer(question.asked, prepared)
    sites = list(_allowing_sites(question, documents, layer, situation))
    return _near(prepared, layer, situation, sites)


def _situation(asked: Asked) -> Situation | OpenPoint:
    return read_context(asked.request, bounded=asked.policies.permissions_boundary is not None)


Denying = tuple[tuple[StatementRef, OpenPoint | None], ...]


def _denying(asked: Asked, prepared: PreparedPolicies, situation: Situation) -> Denying:
    """Return the statements that deny the call, or may deny it: what is open never lets it pass."""
    if asked.decision.outcome is Outcome.EXPLICITLY_DENIED:
        return tuple((ref, None) for ref in asked.decision.decided_by)
    if asked.decision.outcome is not Outcome.IMPLICITLY_DENIED:
        return ()
    documents = [named for _, named in documents_by_layer(prepared)]
    return tuple(examine(documents, situation).open_denies)


def _denies(
    question: Question, prepared: PreparedPolicies, situation: Situation, denying: Denying
) -> tuple[Fault, ...]:
    """Find an exception for every Deny that applies: the one that gives least to others.

    The last statement first, so that one that goes moves no other.
    """
    found: list[Fault] = []
    snapshot, asked = question.snapshot, question.asked
    ordered = sorted(denying, key=lambda each: (each[0].document, -each[0].statement))
    for ref, point in ordered[:_MOST_DENIES]:
        named = next(each for _, each in documents_by_layer(prepared) if each.name == ref.document)
        site = _site(question, patch.opened(snapshot), named, ref.statement, situation, snapshot)
        spared = exceptions_not_met(site)
        best: tuple[Gain, Repair, Snapshot, Asked] | None = None
        for repair in _exceptions(site):
            changed = patch.apply(snapshot, repair.changes)
            after = question.ask(changed)
            if after is None or not _spares(asked, after):
                continue
            gain = gain_of(asked, after, site.layer)
            if best is None or gain < best[0]:
                best = gain, repair, changed, after
        if best is not None:
            _, repair, snapshot, asked = best
            fault = repair.fault(site.document, ref.statement, ref.sid)
        elif (likely := next(deny.repairs(site), None)) is not None:
            fault = likely.fault(site.document, ref.statement, ref.sid)
            fault = replace(fault, needed="no such denial", remedy=deny.BY_HAND, fix=())
        else:
            continue
        message = fault.message if point is None else deny.may_deny(site, point)
        found.append(replace(fault, message=message, near_misses=spared))
    return tuple(found)


def _exceptions(site: Site) -> Iterator[Repair]:
    renewed = version.renewed(site)
    if renewed is not None and unmet(renewed):
        yield version.repair(site)
    yield from deny.repairs(site)


def _spares(before: Asked, after: Asked) -> bool:
    """Return whether fewer statements deny a call, or may deny it, than did."""
    if after.decision.outcome is Outcome.ERROR:
        return False
    return _count_of_denying(after) < _count_of_denying(before)


def _count_of_denying(asked: Asked) -> int:
    situation = _situation(asked)
    if isinstance(situation, OpenPoint):
        return 0
    return len(_denying(asked, asked.policies.prepare(asked.request.action), situation))


Candidate = tuple[float, str, int | None, str | None, tuple[Repair, ...]]


def _nothing_allows(
    question: Question, prepared: PreparedPolicies, situation: Situation
) -> tuple[Fault, ...]:
    """Find the smallest change of one statement, or a statement to add, that lets the call pass."""
    layer, documents, level = refusing_layer(question.asked, prepared)
    before = how_far(question.asked)
    sites = list(_allowing_sites(question, documents, layer, situation))
    near = _near(prepared, layer, situation, sites)
    candidates: list[Candidate] = []
    for site in sites:
        theirs = layer == "resource" and not site.assumes and not _is_for_role(site)
        extra = ownership.ANOTHERS if theirs else 0.0
        candidates += [
            (sum((r.cost for r in way), extra), site.document, site.statement.index,
             site.statement.sid, way)
            for way in repair_ways(site)
        ]  # fmt: skip
    candidates.append(_addition(question, layer, documents, level, situation, near))
    candidates.sort(key=lambda candidate: candidate[0])
    best: tuple[Gain, tuple[Fault, ...]] | None = None
    for _, document, index, sid, way in candidates[: _MOST_STATEMENTS * 2]:
        changed = patch.apply(question.snapshot, _changes(way))
        after = question.ask(changed)
        if after is None:
            continue
        faults = tuple(
            replace(repair.fault(document, index, sid), near_misses=near) for repair in way
        )
        if document.startswith("keys[") and gain_of(question.asked, after, layer).others_gain:
            continue
        if how_far(after) != before and _better(after.decision):
            if layer not in _OF_MANY:
                return faults
            gain = gain_of(question.asked, after, layer)
            if best is None or gain < best[0]:
                best = gain, faults
            continue
        elsewhere = how_far(after) == before and after.request != question.asked.request
        if index is not None and elsewhere:
            further = Question(changed, after, question.ask, question.path)
            rest = _in_another_call(further, document, index, before)
            if rest:
                return (*faults, *rest)
    return () if best is None else best[1]


def _is_for_role(site: Site) -> bool:
    """Return whether a statement is meant for the role, or names it once variables have values."""
    renewed = version.renewed(site)
    return ownership.is_for_role(site) or (renewed is not None and not unmet(renewed))


def _allowing_sites(
    question: Question, documents: Sequence[NamedDocument], layer: str, situation: Situation
) -> Iterator[Site]:
    body = patch.opened(question.snapshot)
    for named in documents:
        for statement in named.document.statements:
            if statement.effect is Effect.ALLOW:
                yield _site(
                    question, body, named, statement.index, situation, question.snapshot, layer
                )


def _near(
    prepared: PreparedPolicies, layer: str, situation: Situation, sites: Sequence[Site]
) -> tuple[NearMiss, ...]:
    grants = prepared.grants if layer == "resource" else ()
    return (*near_statements(sites), *near_grants(grants, situation))


def _in_another_call(
    question: Question, document: str, index: int, before: tuple[str, ...]
) -> tuple[Fault, ...]:
    """Return what else keeps a statement from applying to a call of another time or address.

    Args:
        question: The call that is refused once the statement was put right for the first one.
        document: Snapshot path of the statement's document.
        index: The statement.
        before: How far the call got.
    """
    prepared = question.asked.policies.prepare(question.asked.request.action)
    situation = _situation(question.asked)
    layer, documents, _ = refusing_layer(question.asked, prepared)
    body = patch.opened(question.snapshot)
    for named in documents:
        if isinstance(situation, OpenPoint) or question.path(named.name) != document:
            continue
        site = _site(question, body, named, index, situation, question.snapshot, layer)
        for way in sorted(
            ways_as_written(site), key=lambda way: sum(repair.cost for repair in way)
        ):
            after = question.ask(patch.apply(question.snapshot, _changes(way)))
            if after is not None and how_far(after) != before and _better(after.decision):
                sid = site.statement.sid
                return tuple(repair.fault(document, index, sid) for repair in way)
    return ()


def _changes(way: tuple[Repair, ...]) -> list[Change]:
    return [change for repair in way for change in repair.changes]


def _better(decision: Decision) -> bool:
    return decision.outcome is not Outcome.ERROR


def _site(  # noqa: PLR0917 - what a candidate is made of
    question: Question,
    body: Any,
    named: NamedDocument,
    index: int,
    situation: Situation,
    snapshot: Snapshot,
    layer: str | None = None,
) -> Site:
    document = question.path(named.name)
    pointer = patch.document_pointer(document)
    whole = patch.at(body, pointer)
    raw = whole["Statement"]
    listed = isinstance(raw, list)
    return Site(
        document=document,
        pointer=(*pointer, "Statement", index) if listed else (*pointer, "Statement"),
        raw=raw[index] if listed else raw,
        whole=whole,
        kind=named.document.kind,
        statement=named.document.statements[index],
        situation=situation,
        layer=layer or named.name.split("[", 1)[0],
        snapshot=snapshot,
    )


def _addition(  # noqa: PLR0917 - what a candidate is made of
    question: Question,
    layer: str,
    documents: Sequence[NamedDocument],
    level: int | None,
    situation: Situation,
    near: Sequence[NearMiss],
) -> Candidate:
    """Return the candidate that adds a statement of its own."""
    body = patch.opened(question.snapshot)
    if layer == "rcps":
        repair = missing_statement.full_access(level or 0, situation)
        return repair.cost, f"rcps[{level}]", None, None, (repair,)
    if documents:
        path = question.path(documents[0].name)
        pointer = patch.document_pointer(path)
        document = patch.at(body, pointer)
    else:
        path = question.path(f"{layer}[{level}][0]" if layer == "scps" else layer)
        path = "permission_policies" if layer == "identity" else path
        pointer, document = patch.document_pointer(path), None
        if layer == "scps":
            pointer = ("scps", level or 0, "-")
        elif layer == "identity":
            pointer = ("role", "permission_policies", "-")
    repair = missing_statement.addition(
        layer, pointer, document, situation, question.snapshot, near
    )
    return repair.cost, path, None, None, (repair,)
