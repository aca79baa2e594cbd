"""Find every statement by which a claim fails; a proof shows the smallest request alone.

The search leaves out the statements that let that request in and decides the claim again, until
the claim holds or nothing more can be left out. The administrators stay the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from openai_ekm.policy import Effect
from openai_ekm.policy.statement import parse_actions
from openai_ekm.proof import claims_forbidden
from openai_ekm.proof.prove import Judge, impossible_claim
from openai_ekm.proof.universe import make_universe
from openai_ekm.value_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from openai_ekm.evaluation import StatementRef
    from openai_ekm.proof.documents import DocumentPart, Documents
    from openai_ekm.proof.result import Claim
    from openai_ekm.proof.universe import Universe
    from openai_ekm.proof.witnesses import Search
    from openai_ekm.snapshot import Snapshot

__all__ = ["Breach", "Matter", "breaches"]


class Matter(StrEnum):
    """The matter of a breach; a claim may be broken in several."""

    EXTERNAL_ID = "OpenAI's role without a registered external id"
    ASSUMED_BY_OTHERS = "others than OpenAI's role, or in another way"
    DOES_MORE = "the role does more than Encrypt and Decrypt"
    USED_BY_OTHERS = "others use the key"
    POLICY_CHANGED = "others change the key's policy"
    DELETED = "others disable or delete the key"
    LOCKED = "nobody can change the key's policy"
    LEFT_TO_IAM = "IAM policies that were not seen may alone let somebody change the key's policy"
    UNPROVEN = "no statement says why"


SEARCHES: Final[dict[Matter, tuple[str, Callable[[Universe], Search]]]] = {
    Matter.EXTERNAL_ID: ("a", lambda universe: claims_forbidden.assuming(universe, by_openai=True)),
    Matter.ASSUMED_BY_OTHERS: (
        "a",
        lambda universe: claims_forbidden.assuming(universe, by_openai=False),
    ),
    Matter.DOES_MORE: ("b", claims_forbidden.doing_else),
    Matter.USED_BY_OTHERS: ("c", claims_forbidden.using_key),
    Matter.POLICY_CHANGED: ("c", claims_forbidden.changing_policy),
    Matter.DELETED: ("f", claims_forbidden.deleting),
}
# Where the statements stand that a claim is about: the first that has any is to blame. What lets
# a request pass besides (a guardrail, a boundary, delegation to the role) is not.
TO_BLAME: Final = {
    "a": (("trust_policy",),),
    "b": (("permission_policies",), ("keys", "grants", "trust_policy")),
    "c": (("permission_policies",), ("keys", "grants")),
    "f": (("permission_policies",), ("keys", "grants")),
}
MOST_ROUNDS: Final = 24
# A round more is not worth its time when one took this many classes of requests.
MOST_CLASSES: Final = 4_000
NO_ACTIONS: Final = parse_actions(())


@dataclass(frozen=True, slots=True)
class Breach:
    """One way in which a claim fails, or a claim that is undecided.

    Args:
        matter: What it is about.
        claim: The claim, decided without the statements of the breaches before it.
        statements: That are to blame; none when no statement is.
    """

    matter: Matter
    claim: Claim
    statements: tuple[StatementRef, ...] = ()


def breaches(snapshot: Snapshot, *, now: datetime | None = None) -> list[Breach]:
    """Find what breaks the claims about anybody but OpenAI.

    Args:
        snapshot: What was collected.
        now: From when on something must be possible; None for the clock's time.

    Returns:
        For each claim but (d) that does not hold, at least one; none when all hold.

    Raises:
        BadInput: `document_too_large`.
        Undecidable: There are too many classes of requests.
    """
    judge = Judge(snapshot, now)
    universe = judge.universe()
    judge.look_for_gaps()
    placed = universe.documents.snapshot
    documents = replace(universe.documents, snapshot=replace(placed, administrators=universe.named))
    found: list[Breach] = []
    for name in "abcef":
        claim = judge.claim(name)
        if claim.holds is True:
            continue
        broken = list(_all(claim, documents, judge.instant)) if claim.counterexample else []
        if claim.id == "e" and claim.holds is False:
            refs = claim.counterexample.statements if claim.counterexample else ()
            broken = [Breach(_locked_matter(universe), claim, refs)]
        found += broken or [Breach(Matter.UNPROVEN, claim)]
    return found


def _locked_matter(universe: Universe) -> Matter:
    if universe.documents.key is None:
        return Matter.LOCKED
    by_iam = claims_forbidden.changing_policy_by_iam(universe).witness
    return Matter.LEFT_TO_IAM if by_iam and by_iam.decision.allowed else Matter.LOCKED


def _all(claim: Claim, documents: Documents, instant: str) -> Iterator[Breach]:
    for matter, (name, search) in SEARCHES.items():
        if name == claim.id:
            yield from _of(matter, claim, documents, instant, search)


def _of(
    matter: Matter,
    claim: Claim,
    documents: Documents,
    instant: str,
    search: Callable[[Universe], Search],
) -> Iterator[Breach]:
    for _ in range(MOST_ROUNDS):
        try:
            universe = make_universe(documents, instant)
            found = impossible_claim(claim.id, universe, search(universe), {})
        except Undecidable:
            return
        blamed = _blamed_statements(found)
        if not blamed:
            return
        yield Breach(matter, found, blamed)
        if found.classes > MOST_CLASSES:
            return
        documents = _without(documents, blamed)


def _blamed_statements(claim: Claim) -> tuple[StatementRef, ...]:
    if claim.counterexample is None:
        return ()
    for places in TO_BLAME[claim.id]:
        found = tuple(
            each
            for each in claim.counterexample.statements
            if each.document.startswith(places) and each.effect == Effect.ALLOW
        )
        if found:
            return found
    return ()


def _without(documents: Documents, left_out: tuple[StatementRef, ...]) -> Documents:
    """Return the same documents and grants, with some statements about nothing."""
    gone = {(each.document, each.statement) for each in left_out}

    def without_actions(part: DocumentPart) -> DocumentPart:
        statements = tuple(
            replace(each, actions=NO_ACTIONS, not_action=False)
            if (part.path, each.index) in gone
            else each
            for each in part.document.statements
        )
        return replace(part, document=replace(part.document, statements=statements))

    return replace(
        documents,
        trust=documents.trust and without_actions(documents.trust),
        key_policy=documents.key_policy and without_actions(documents.key_policy),
        identity=tuple(without_actions(each) for each in documents.identity),
        related=tuple((key, part and without_actions(part)) for key, part in documents.related),
        other_keys=tuple(
            (key, part and without_actions(part)) for key, part in documents.other_keys
        ),
        grants=tuple(
            each
            for each in documents.grants
            if all(document != each.ref.document for document, _ in gone)
        ),
    )
