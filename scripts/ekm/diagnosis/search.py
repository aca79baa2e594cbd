"""Near misses: the smallest change of one statement that flips the evaluator's decision."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis import patch
from ekm.diagnosis.calls import Asked, lacking
from ekm.diagnosis.repairs import action, addition, condition, deny, meant, principal, resource
from ekm.diagnosis.repairs.repair import Repair, Site
from ekm.evaluation import Decision, Outcome, decide
from ekm.evaluation.conditions import holds
from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.matching import action_matches, resource_matches
from ekm.evaluation.principals import Level, level_of
from ekm.evaluation.situate import situate
from ekm.policy import MalformedPolicy
from ekm.policy.statement import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ekm.diagnosis.value import Change, Fault
    from ekm.evaluation.policies import NamedDocument, PreparedPolicies
    from ekm.evaluation.request import Situation
    from ekm.snapshot import Snapshot

__all__ = ["Question", "faults_of"]

_MOST_STATEMENTS: Final = 40  # that are tried, the nearest first
_MOST_DENIES: Final = 20  # that are named at once
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
        The faults; applying their fixes in order takes the call past this refusal.
    """
    policies = question.asked.policies
    try:
        prepared = policies.prepare(question.asked.request.action)
    except MalformedPolicy:
        return ()
    situation = situate(
        question.asked.request, bounded=question.asked.policies.permissions_boundary is not None
    )
    if isinstance(situation, OpenPoint):
        return ()
    if question.asked.decision.outcome is Outcome.EXPLICITLY_DENIED:
        return _denies(question, prepared, situation)
    return _near_misses(question, prepared, situation)


def _denies(
    question: Question, prepared: PreparedPolicies, situation: Situation
) -> tuple[Fault, ...]:
    """Find an exception for every Deny that applies.

    The last statement first, so that one that goes moves no other.
    """
    found: list[Fault] = []
    snapshot = question.snapshot
    refs = sorted(
        question.asked.decision.decided_by, key=lambda ref: (ref.document, -ref.statement)
    )
    for ref in refs[:_MOST_DENIES]:
        named = next(each for _, each in _all(prepared) if each.name == ref.document)
        body = patch.opened(snapshot)
        site = _site(question, body, named, ref.statement, situation, snapshot)
        before = len(_deciding(question, snapshot))
        for repair in deny.repairs(site):
            changed = patch.apply(snapshot, repair.changes)
            after = question.ask(changed)
            if after is None or after.decision.outcome is Outcome.ERROR:
                continue
            left = after.decision
            denied = left.outcome is Outcome.EXPLICITLY_DENIED
            if not denied or len(left.decided_by) < before:
                found.append(repair.fault(site.document, ref.statement, ref.sid))
                snapshot = changed
                break
    return tuple(found)


def _deciding(question: Question, snapshot: Snapshot) -> tuple[Any, ...]:
    asked = question.ask(snapshot)
    return () if asked is None else asked.decision.decided_by


def _near_misses(
    question: Question, prepared: PreparedPolicies, situation: Situation
) -> tuple[Fault, ...]:
    layer, documents, level = _lacking(question.asked, prepared)
    body = patch.opened(question.snapshot)
    before = _stage(question.asked)
    candidates: list[tuple[float, str, int | None, str | None, tuple[Repair, ...]]] = []
    for named in documents:
        for statement in named.document.statements:
            if statement.effect is not Effect.ALLOW:
                continue
            site = _site(
                question, body, named, statement.index, situation, question.snapshot, layer
            )
            theirs = layer == "resource" and not site.assumes and not meant.for_role(site)
            extra = meant.ANOTHERS if theirs else 0.0
            candidates += [
                (sum((r.cost for r in way), extra), site.document, statement.index, sid, way)
                for sid, way in ((statement.sid, way) for way in _ways(site))
            ]
    candidates.append(_added(question, body, layer, documents, level, situation))
    candidates.sort(key=lambda candidate: candidate[0])
    for _, document, index, sid, way in candidates[: _MOST_STATEMENTS * 2]:
        changed = patch.apply(question.snapshot, _changes(way))
        after = question.ask(changed)
        if after is None:
            continue
        faults = tuple(repair.fault(document, index, sid) for repair in way)
        if document.startswith("keys[") and meant.lets_more_in(question.asked, after):
            continue
        if _stage(after) != before and _better(after.decision):
            return faults
        elsewhere = _stage(after) == before and after.request != question.asked.request
        if index is not None and elsewhere:
            further = Question(changed, after, question.ask, question.path)
            rest = _in_another_call(further, document, index, before)
            if rest:
                return (*faults, *rest)
    return ()


def _in_another_call(
    question: Question, document: str, index: int, before: tuple[str, ...]
) -> tuple[Fault, ...]:
    """What else keeps a statement from applying to a call of another time or address.

    Args:
        question: The call that is refused once the statement was put right for the first one.
        document: Snapshot path of the statement's document.
        index: The statement.
        before: How far the call got.
    """
    prepared = question.asked.policies.prepare(question.asked.request.action)
    bounded = prepared.permissions_boundary is not None
    situation = situate(question.asked.request, bounded=bounded)
    layer, documents, _ = _lacking(question.asked, prepared)
    body = patch.opened(question.snapshot)
    for named in documents:
        if isinstance(situation, OpenPoint) or question.path(named.name) != document:
            continue
        site = _site(question, body, named, index, situation, question.snapshot, layer)
        for way in sorted(_ways(site), key=lambda way: sum(repair.cost for repair in way)):
            after = question.ask(patch.apply(question.snapshot, _changes(way)))
            if after is not None and _stage(after) != before and _better(after.decision):
                sid = site.statement.sid
                return tuple(repair.fault(document, index, sid) for repair in way)
    return ()


def _changes(way: tuple[Repair, ...]) -> list[Change]:
    return [change for repair in way for change in repair.changes]


def _better(decision: Decision) -> bool:
    return decision.outcome is not Outcome.ERROR


def _stage(asked: Asked) -> tuple[str, ...]:
    """How far a call gets: nowhere is named by the layer, and the level of it, that refuses."""
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
    """The layer that does not allow, its documents, and for organization policies the level."""
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
    """Whether one level of organization policies allows, the other levels aside."""
    from dataclasses import replace  # noqa: PLC0415 - one use

    kept = getattr(asked.policies, layer)[index]
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    open_handed = {"Version": "2012-10-17", "Statement": [allow]}
    alone = replace(
        asked.policies,
        scps=(),
        rcps=(),
        identity=(*asked.policies.identity, open_handed),
        permissions_boundary=None,
    )
    one = replace(alone, scps=(kept,)) if layer == "scps" else replace(alone, rcps=(kept,))
    return decide(asked.request, one).allowed


def _without_rcps(asked: Asked) -> Any:
    from dataclasses import replace  # noqa: PLC0415 - one use

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
    raw = patch.at(body, pointer)["Statement"]
    listed = isinstance(raw, list)
    return Site(
        document=document,
        pointer=(*pointer, "Statement", index) if listed else (*pointer, "Statement"),
        raw=raw[index] if listed else raw,
        statement=named.document.statements[index],
        situation=situation,
        layer=layer or named.name.split("[", 1)[0],
        snapshot=snapshot,
    )


def _ways(site: Site) -> list[tuple[Repair, ...]]:
    """Every way to put right what keeps a statement from applying, element by element."""
    choices: list[list[Repair]] = []
    statement, situation = site.statement, site.situation
    if action_matches(statement, situation.action) is not True:
        choices.append(list(action.repairs(site)))
    if resource_matches(statement, situation) is not True:
        choices.append(list(resource.repairs(site)))
    if not isinstance(level_of(statement, situation), Level):
        choices.append(list(principal.repairs(site)))
    failing = [each for each in statement.conditions if holds(each, situation.context) is not True]
    choices += [list(condition.repairs(site, each)) for each in failing]
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
    return _restated(site, way)


def _touches_conditions(repair: Repair) -> bool:
    return any("Condition" in change.path for change in repair.changes)


def _restated(site: Site, way: tuple[Repair, ...]) -> tuple[Repair, ...]:
    """Turn each repair of conditions into the removal or rewriting of what is then there."""
    from dataclasses import replace  # noqa: PLC0415 - one use

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
        merged = _merged(block, after, now)
        change = (
            site.change("replace", "Condition", value=merged)
            if merged
            else site.change("remove", "Condition")
        )
        now = merged
        done.append(replace(repair, changes=(change,)))
    return tuple(done)


def _merged(before: Any, after: Any, now: Any) -> dict[str, Any]:
    """What `now` becomes when the step from `before` to `after` is made on it."""
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


def _added(  # noqa: PLR0917 - what a candidate is made of
    question: Question,
    body: Any,
    layer: str,
    documents: Sequence[NamedDocument],
    level: int | None,
    situation: Situation,
) -> tuple[float, str, int | None, str | None, tuple[Repair, ...]]:
    """The candidate that adds a statement of its own."""
    if layer == "rcps":
        repair = addition.full_access(level or 0, situation)
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
    repair = addition.addition(layer, pointer, document, situation, question.snapshot)
    return repair.cost, path, None, None, (repair,)
