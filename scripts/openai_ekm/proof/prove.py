"""Prove: decide each claim of a snapshot, and show what breaks a failed claim.

A malformed document fails the claims that rest on it, and so does a witness that the evaluator does
not confirm. A claim is undecided if a member that was not collected could break it, or if the
documents make too many classes. The message says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.proof import claims_forbidden, claims_required
from openai_ekm.proof.documents import read_documents
from openai_ekm.proof.gaps import COULD_BREAK, Unseen, assume_none, combinations, find_gaps
from openai_ekm.proof.result import Answer, Claim, Gap, Proof, Reported
from openai_ekm.proof.universe import Universe, make_universe
from openai_ekm.proof.witnesses import Search, Witness, example
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot
from openai_ekm.value_classes.string_classes import Undecidable

if TYPE_CHECKING:
    from openai_ekm.proof.claims_required import Failure

__all__ = ["ASSUMED", "OUT_OF_SIGHT", "Judge", "impossible_claim", "prove"]

ASSUMED = (
    (
        "identity policies of principals other than the role allow everything for (a), (c) and "
        "(f), and nothing for (e); they have no permissions boundary and no session policy"
    ),
    (
        "resource policies of other keys, roles and services that were not seen, in whatever "
        "account, let the role do what its own policies allow, and name nobody"
    ),
    (
        "a condition key that AWS documents with one kind of value holds a value of that kind, "
        "and any text is a possible external id, session name or tag"
    ),
    (
        "calls of OpenAI and of administrators use TLS; for what must be possible, times are from "
        "now on, for what must be impossible, any time"
    ),
)
OUT_OF_SIGHT = (
    "IAM administrators of the account: they can write themselves a policy or a role",
    "resource policies elsewhere that name the role",
    "operations that need no permission",
    "grants on other keys, which may name the role",
)
Fills = tuple[Callable[[Snapshot], Snapshot], ...]
# The documents that a claim rests on, by the beginning of their snapshot path.
NEEDS = {
    "a": ("role", "trust_policy", "scps", "rcps"),
    "b": ("role", "trust_policy", "permission", "keys", "scps", "rcps", "grants"),
    "c": ("role", "permission", "keys", "scps", "rcps", "grants"),
    "d": ("role", "trust_policy", "permission", "keys", "scps", "rcps", "grants"),
    "e": ("keys", "scps", "rcps"),
    "f": ("role", "permission", "keys", "scps", "rcps", "grants"),
}


def prove(
    snapshot: Snapshot,
    *,
    now: datetime | None = None,
    assume: tuple[str, ...] = (),
    only: Sequence[str] = (),
) -> Proof:
    """Decide every claim.

    Args:
        snapshot: What was collected, live or from a plan.
        now: From when on something must be possible; None for the clock's time.
        assume: Members that are taken for empty where they were not seen (`gaps.ABSENT`).
        only: The claims that are decided; empty for all. Then nothing is reported besides.

    Returns:
        The proof.

    Raises:
        BadInput: `document_too_large`.
    """
    told, taken = assume_none(snapshot, assume)
    assumed = (
        *ASSUMED,
        *(f"{each}: none; not seen, and taken for none as asked" for each in taken),
    )
    judge = Judge(told, now)
    unseen = (*snapshot.unseen(), *OUT_OF_SIGHT)
    wanted = only or tuple(NEEDS)
    try:
        universe = judge.universe()
        judge.look_for_gaps()
    except Undecidable as too_many:
        claims = tuple(_too_many_classes(name, too_many) for name in wanted)
        return Proof(claims, (), assumed, unseen)
    claims = tuple(judge.claim(name) for name in wanted)
    opened = tuple(f"left open by AWS's documents: {text}" for text in judge.points)
    reported = () if only else _reports(universe)
    return Proof(claims, reported, (*assumed, *opened), unseen)


class Judge:
    """Decides claims, at first over what was seen, then over the worst that was not.

    Args:
        snapshot: What was collected.
        now: From when on something must be possible; None for the clock's time.
    """

    def __init__(self, snapshot: Snapshot, now: datetime | None) -> None:
        self.snapshot, self.lost = _place_unseen(snapshot)
        self.whole = frozenset(
            name for name in ("role", "keys") if getattr(snapshot, name) is UNSEEN
        )
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        self.instant = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.points: dict[str, None] = {}
        self.gaps: list[Unseen] = []
        self._settings: dict[object, Universe] = {}

    def look_for_gaps(self) -> None:
        """Find what was not seen."""
        self.gaps = [
            replace(each, cause=self.snapshot.reasons.get(each.path))
            for each in find_gaps(self.snapshot, self.universe(), self.whole)
        ]

    def universe(self, fills: Fills = (), *, granting: bool = False) -> Universe:
        """Return the universe with some members filled in.

        Raises:
            Undecidable: There are too many classes.
        """
        key = (fills, granting)
        if key not in self._settings:
            snapshot = self.snapshot
            for fill in fills:
                snapshot = fill(snapshot)
            self._settings[key] = make_universe(
                read_documents(snapshot, granting=granting), self.instant
            )
        return self._settings[key]

    def claim(self, id: str) -> Claim:
        """Decide one claim."""
        documents = self.universe().documents
        for path, fault in documents.faults.items():
            if not path.startswith(NEEDS[id]):
                continue
            if path in documents.disputed:
                gap = Gap(path, f"it is open whether AWS saves it: {fault}")
                return Claim(id, None, 0, None, f"{path}: {gap.reason}", (gap,))
            message = f"{path} is malformed, and AWS would not have saved it: {fault}"
            return Claim(id, holds=False, classes=0, message=message)
        if self.lost is not None and id in COULD_BREAK["policy"]:
            return _undecided_claim(id, 0, [self.lost])
        forbidden, required = FORBIDDEN.get(id), REQUIRED.get(id)
        try:
            found = [self._forbidden(id, forbidden)] if forbidden else []
            if required and (not found or found[0].answer is not Answer.FAILS):
                found.append(self._required(id, required))
        except Undecidable as too_many:
            return _too_many_classes(id, too_many)
        return _together(id, found)

    def _bearing(self, id: str) -> list[Unseen]:
        return [each for each in self.gaps if id in COULD_BREAK[each.row]]

    def _forbidden(self, id: str, decide: Callable[[Universe], Search]) -> Claim:
        """Return what must be impossible: under what was seen, then under what allows most."""

        def under(*gaps: Unseen) -> Claim:
            fills = tuple(each.most for each in gaps if each.most is not None)
            universe = self.universe(fills, granting=any(each.grants for each in gaps))
            return impossible_claim(id, universe, decide(universe), self.points if not gaps else {})

        seen = under()
        bearing = [each for each in self._bearing(id) if each.most is not None]
        if not seen.holds:
            return seen
        if not bearing or _holds(under, *bearing):
            return seen
        alone = [each for each in bearing if not _holds(under, each)]
        return _undecided_claim(id, seen.classes, [each.gap(id) for each in alone or bearing])

    def _required(self, id: str, decide: Callable[[Universe], Failure]) -> Claim:
        """Return what must be possible: under some value of what was not seen, then under each."""
        bearing = self._bearing(id)
        documents = [each for each in bearing if each.least is not None]
        facts = [each for each in bearing if each.values]

        def under(closed: list[Unseen], values: Fills) -> Claim:
            least = tuple(each.least for each in closed if each.least is not None)
            most = tuple(e.most for e in documents if e.most is not None and e not in closed)
            points = {} if least or values else self.points
            return _possible(id, decide(self.universe((*most, *least, *values))), points)

        every = combinations(facts)
        first = under([], tuple(each.values[0] for each in facts))
        best, chosen = first, tuple(each.values[0] for each in facts)
        for values in every or ():
            if best.holds:
                break
            best, chosen = under([], values), values
        if not best.holds:
            return (
                first if every is not None else _undecided_claim(id, 0, [e.gap(id) for e in facts])
            )
        if not documents and not facts:
            return best
        if every is not None and all(_holds(under, documents, values) for values in every):
            return best

        def breaks(gap: Unseen) -> bool:
            if gap.least is not None:
                return not _holds(under, [gap], chosen)
            at = facts.index(gap)
            return not all(
                _holds(under, [], (*chosen[:at], value, *chosen[at + 1 :])) for value in gap.values
            )

        asked = [*documents, *facts]
        alone = [each for each in asked if breaks(each)]
        return _undecided_claim(id, best.classes, [each.gap(id) for each in alone or asked])


def _holds(under: Callable[..., Claim], *given: Any) -> bool:
    """Return whether a claim holds under a worst value; it does not with too many classes."""
    try:
        return under(*given).holds is True
    except Undecidable:
        return False


def _place_unseen(snapshot: Snapshot) -> tuple[Snapshot, Gap | None]:
    """Return a role and key that were not seen, by the registered ARNs; and what is lost."""
    registration, lost = snapshot.registration, None
    if snapshot.role is UNSEEN:
        snapshot = replace(snapshot, role=Role(registration.role_arn))
    aliased = ":alias/" in registration.kms_arn
    if snapshot.keys is UNSEEN:
        if aliased:
            lost = Gap("keys", "nothing says which key the alias points to")
        else:
            snapshot = replace(snapshot, keys=(Key(registration.kms_arn),))
    elif aliased and snapshot.aliases is UNSEEN and len(snapshot.keys) != 1:
        lost = Gap("aliases", "nothing says which key the alias points to")
    return snapshot, lost


def _too_many_classes(id: str, found: Undecidable) -> Claim:
    """Return a claim over documents that make more classes than are gone through."""
    gap = Gap("documents", f"they make too many classes: {found.reason}")
    return Claim(id, None, 0, None, f"not decided: {gap.path} ({gap.reason})", (gap,))


def _undecided_claim(id: str, classes: int, gaps: list[Gap]) -> Claim:
    by: dict[str, Gap] = {}
    for each in gaps:
        known = by.get(each.path)
        if known is None or each.reason in known.reason:
            by.setdefault(each.path, each)
        else:
            by[each.path] = replace(known, reason=f"{known.reason}; {each.reason}")
    told = "; ".join(map(str, by.values()))
    return Claim(id, None, classes, None, f"not seen: {told}", tuple(by.values()))


def _together(id: str, found: list[Claim]) -> Claim:
    """Return a claim of two halves: one that fails, else what leaves any undecided."""
    classes = sum(each.classes for each in found)
    failing = next((each for each in found if each.answer is Answer.FAILS), None)
    if failing is not None:
        return replace(failing, classes=classes)
    gaps = [gap for each in found for gap in each.undecided_by]
    return _undecided_claim(id, classes, gaps) if gaps else Claim(id, holds=True, classes=classes)


# What no request may do, and what some request must; (b) says both.
FORBIDDEN: Final[dict[str, Callable[[Universe], Search]]] = {
    "a": claims_forbidden.assuming,
    "b": claims_forbidden.doing_else,
    "c": claims_forbidden.using,
    "f": claims_forbidden.deleting,
}
REQUIRED: Final[dict[str, Callable[[Universe], Failure]]] = {
    "b": claims_required.encrypting,
    "d": claims_required.calling,
    "e": claims_required.administering,
}


def _possible(id: str, failure: Failure, points: dict[str, None]) -> Claim:
    points |= dict.fromkeys(failure.points)
    if failure.message is None:
        return Claim(id, holds=True, classes=failure.classes)
    return Claim(id, False, failure.classes, failure.counterexample, failure.message)


def impossible_claim(id: str, universe: Universe, found: Search, points: dict[str, None]) -> Claim:
    """Return the answer to a claim that something is impossible.

    Args:
        id: The claim.
        universe: What it was decided over.
        found: What was found.
        points: Takes the open points that were met.
    """
    points |= found.points
    if found.witness is None:
        return Claim(id, holds=True, classes=found.classes)
    return Claim(
        id,
        holds=False,
        classes=found.classes,
        counterexample=example(universe, found.witness) if found.witness.confirmed else None,
        message=_words(found.witness, found),
    )


def _words(witness: Witness, found: Search) -> str:
    """Return what breaks a claim, in a sentence."""
    request, decision = witness.request, witness.decision
    if witness.confirmed:
        return _of_request(witness)
    if found.points:
        return f"is left open, and so counts as allowed: {'; '.join(found.points)}"
    return (
        f"this is a defect: the proof takes {request.action} by {request.principal} as "
        f"allowed, and the evaluator answers {decision.outcome.value}"
    )


def _of_request(witness: Witness) -> str:
    """Return a request that is allowed, or may be, in a sentence."""
    request, decision = witness.request, witness.decision
    principal = witness.request_class.principal.in_words
    if decision.allowed:
        return f"{principal} is allowed {request.action} on {request.resource}"
    if witness.request_class.place.shared and not witness.request_class.by_resource:
        return (
            f"the role's own policies allow {principal} {request.action} on "
            f"{request.resource}, and account {witness.request_class.place.account} may let it in"
        )
    if not witness.request_class.action.exists:
        return f"{request.action} does not exist yet; {principal} would be allowed it"
    if decision.message is None:
        # A list of AWS's may grow, so that no claim rests on what is not in it.
        return (
            f"policies allow {principal} {request.action} on {request.resource}, though "
            f"AWS does not carry it out today: {'; '.join(map(str, decision.missing))}"
        )
    return (
        f"{principal} may be allowed {request.action} on {request.resource}: AWS's "
        f"documents leave open {decision.message}"
    )


def _reports(universe: Universe) -> tuple[Reported, ...]:
    if universe.documents.faults or universe.documents.key_policy is None:
        return ()
    try:
        return tuple(claims_forbidden.reports(universe))
    except Undecidable:
        return ()
