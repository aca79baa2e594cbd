"""Search for the smallest change of one statement that flips the evaluator's decision.

If a document also applies to others than the caller, the search takes the change that gives least
to them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.near_misses import (
    exceptions_not_met,
    failing_conditions,
    near_grants,
    near_statements,
    unmet,
)
from openai_ekm.diagnosis.repairs import (
    action,
    condition,
    deny,
    missing_statement,
    ownership,
    principal,
    resource,
    version,
)
from openai_ekm.diagnosis.repairs.gains import Gain, gain_of
from openai_ekm.diagnosis.repairs.repair import Repair, Site
from openai_ekm.evaluation import Decision, Outcome, StatementRef, decide
from openai_ekm.evaluation.context import read_context
from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.statements import examine
from openai_ekm.openai_calls.requests import Asked, lacking
from openai_ekm.policy import ALLOW_ALL, MalformedPolicy
from openai_ekm.policy.statement import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from openai_ekm.diagnosis.result import Change, Fault, NearMiss
    from openai_ekm.evaluation.policies import NamedDocument, PreparedPolicies
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.snapshot import Snapshot

__all__ = ["Question", "faults_of", "near_misses_of"]

_MOST_STATEMENTS: Final = 40  # that are tried, the nearest first
_MOST_DENIES: Final = 20  # that are named at once
# Documents that bear on others than the caller: of several repairs the one that gives them least.
_OF_MANY: Final = {"permissions_boundary", "scps", "rcps"}
_MOST_WAYS: Final = 12  # of putting the elements of one statement right, together


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
    layer, documents, _ = _lacking(question.asked, prepared)
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
    documents = [named for _, named in _all(prepared)]
    return tuple(examine(documents, situation).open_denies)


def _denies(
    question: Question,
    prepared: PreparedPolicies,
    situation: Situation,
    denying: Denying,
) -> tuple[Fault, ...]:
    """Find an exception for every Deny that applies: the one that gives least to others.

    The last statement first, so that one that goes moves no other.
    """
    found: list[Fault] = []
    snapshot, asked = question.snapshot, question.asked
    ordered = sorted(denying, key=lambda each: (each[0].document, -each[0].statement))
    for ref, point in ordered[:_MOST_DENIES]:
        named = next(each for _, each in _all(prepared) if each.name == ref.document)
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
    layer, documents, level = _lacking(question.asked, prepared)
    before = _refusing_layer(question.asked)
    sites = list(_allowing_sites(question, documents, layer, situation))
    near = _near(prepared, layer, situation, sites)
    candidates: list[Candidate] = []
    for site in sites:
        theirs = layer == "resource" and not site.assumes and not _is_for_role(site)
        extra = ownership.ANOTHERS if theirs else 0.0
        candidates += [
            (sum((r.cost for r in way), extra), site.document, site.statement.index,
             site.statement.sid, way)
            for way in _ways_of_any_version(site)
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
        if _refusing_layer(after) != before and _better(after.decision):
            if layer not in _OF_MANY:
                return faults
            gain = gain_of(question.asked, after, layer)
            if best is None or gain < best[0]:
                best = gain, faults
            continue
        elsewhere = _refusing_layer(after) == before and after.request != question.asked.request
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


def _ways_of_any_version(site: Site) -> list[tuple[Repair, ...]]:
    """Return the ways to put a statement right, by the newer Version where that settles more."""
    renewed = version.renewed(site)
    if renewed is None or len(unmet(renewed)) >= len(unmet(site)):
        return _ways(site)
    first = version.repair(site)
    return [(first, *way) for way in (_ways(renewed) if unmet(renewed) else [()])]


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
    layer, documents, _ = _lacking(question.asked, prepared)
    body = patch.opened(question.snapshot)
    for named in documents:
        if isinstance(situation, OpenPoint) or question.path(named.name) != document:
            continue
        site = _site(question, body, named, index, situation, question.snapshot, layer)
        for way in sorted(_ways(site), key=lambda way: sum(repair.cost for repair in way)):
            after = question.ask(patch.apply(question.snapshot, _changes(way)))
            if after is not None and _refusing_layer(after) != before and _better(after.decision):
                sid = site.statement.sid
                return tuple(repair.fault(document, index, sid) for repair in way)
    return ()


def _changes(way: tuple[Repair, ...]) -> list[Change]:
    return [change for repair in way for change in repair.changes]


def _better(decision: Decision) -> bool:
    return decision.outcome is not Outcome.ERROR


def _refusing_layer(asked: Asked) -> tuple[str, ...]:
    """Return how far a call gets: the layer that refuses it, and the level of that layer."""
    if asked.decision.outcome is not Outcome.IMPLICITLY_DENIED:
        return (str(asked.decision.outcome),)
    try:
        prepared = asked.policies.prepare(asked.request.action)
    except MalformedPolicy:
        return ("error",)
    layer, _, level = _lacking(asked, prepared)
    return layer, str(level)


def _lacking(
    asked: Asked, prepared: PreparedPolicies
) -> tuple[str, Sequence[NamedDocument], int | None]:
    """Return the layer that does not allow, its documents, and its level of guardrails."""
    layer = "resource"
    if asked.request.action.startswith("kms:"):
        layer = lacking(asked.request, asked.policies)
    elif asked.policies.rcps:
        alone = Asked(asked.request, _without_rcps(asked), asked.decision)
        if decide(alone.request, alone.policies).allowed:
            layer = "rcps"
    if layer in {"scps", "rcps"}:
        levels = prepared.scps if layer == "scps" else prepared.rcps
        for index, documents in enumerate(levels):
            if not _level_allows(asked, layer, index):
                return layer, documents, index
        return layer, (), 0
    return layer, [named for name, named in _all(prepared) if name == layer], None


def _level_allows(asked: Asked, layer: str, index: int) -> bool:
    """Return whether one level of organization policies allows, the other levels aside."""
    kept = getattr(asked.policies, layer)[index]
    alone = replace(
        asked.policies,
        scps=(),
        rcps=(),
        identity=(*asked.policies.identity, ALLOW_ALL),
        permissions_boundary=None,
    )
    one = replace(alone, scps=(kept,)) if layer == "scps" else replace(alone, rcps=(kept,))
    return decide(asked.request, one).allowed


def _without_rcps(asked: Asked) -> Any:
    return replace(asked.policies, rcps=())


def _all(prepared: PreparedPolicies) -> Iterator[tuple[str, NamedDocument]]:
    for each in prepared.identity:
        yield "identity", each
    if prepared.resource is not None:
        yield "resource", prepared.resource
    if prepared.permissions_boundary is not None:
        yield "permissions_boundary", prepared.permissions_boundary
    for layer in ("scps", "rcps"):
        for level in getattr(prepared, layer):
            for each in level:
                yield layer, each


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


_REPAIRS: Final[Mapping[str, Callable[[Site], Iterator[Repair]]]] = {
    "Action": action.repairs,
    "NotAction": action.repairs,
    "Resource": resource.repairs,
    "NotResource": resource.repairs,
    "Principal": principal.repairs,
    "NotPrincipal": principal.repairs,
}


def _ways(site: Site) -> list[tuple[Repair, ...]]:
    """Return every way to put right what keeps a statement from applying, element by element."""
    choices: list[list[Repair]] = []
    choices += [list(_REPAIRS[each](site)) for each in unmet(site) if each in _REPAIRS]
    choices += [list(condition.repairs(site, each)) for each in failing_conditions(site)]
    if not choices or any(not choice for choice in choices):
        return []
    ways = itertools.islice(itertools.product(*choices), _MOST_WAYS)
    return [_together(site, way) for way in ways]


def _together(site: Site, way: tuple[Repair, ...]) -> tuple[Repair, ...]:
    """Make the patches of one statement's repairs suppose each other.

    Repairs that rewrite or remove conditions are each made from the statement as it was; the
    later ones are made anew from the statement as the earlier ones leave it.
    """
    if sum(_touches_conditions(repair) for repair in way) <= 1:
        return way
    return _restate(site, way)


def _touches_conditions(repair: Repair) -> bool:
    return any("Condition" in change.path for change in repair.changes)


def _restate(site: Site, way: tuple[Repair, ...]) -> tuple[Repair, ...]:
    """Turn each repair of conditions into the removal or rewriting of what is then there."""
    block = site.raw.get("Condition", {})
    now = {name: dict(keys) for name, keys in block.items()}
    done: list[Repair] = []
    depth = len(site.pointer)
    for repair in way:
        if not _touches_conditions(repair):
            done.append(repair)
            continue
        wanted = {"Condition": {name: dict(keys) for name, keys in block.items()}}
        for change in repair.changes:
            patch.apply_to(wanted, replace(change, path=change.path[depth:]))
        after = wanted.get("Condition", {})
        merged = _merge(block, after, now)
        change = (
            site.change("replace", "Condition", value=merged)
            if merged
            else site.change("remove", "Condition")
        )
        now = merged
        done.append(replace(repair, changes=(change,)))
    return tuple(done)


def _merge(before: Any, after: Any, now: Any) -> dict[str, Any]:
    """Return what `now` becomes when the step from `before` to `after` is made on it."""
    flat = {(op, key): value for op, keys in now.items() for key, value in keys.items()}
    old = {(op, key): value for op, keys in before.items() for key, value in keys.items()}
    new = {(op, key): value for op, keys in after.items() for key, value in keys.items()}
    for name in old.keys() - new.keys():
        flat.pop(name, None)
    flat |= {name: value for name, value in new.items() if old.get(name) != value}
    merged: dict[str, Any] = {}
    for (operator, key), value in flat.items():
        merged.setdefault(operator, {})[key] = value
    return merged


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
