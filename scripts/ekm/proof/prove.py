"""From a snapshot to a proof: each claim decided, failed claims with what breaks them.

Whatever keeps a claim from being decided (a malformed document, one that was not collected, too
many classes, a witness that the evaluator does not confirm) makes it fail, and says so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ekm.diagnosis.constants import OPENAI_ACCOUNT, OPENAI_ROLE_ARN, OPENAI_SESSION_ARN
from ekm.proof import impossible, possible
from ekm.proof.calling import calling
from ekm.proof.materials import RELATED, read
from ekm.proof.result import Claim, Proof, Reported
from ekm.proof.search import Search, Witness, example
from ekm.proof.setting import Setting, make_setting
from ekm.proof.undecidable import Undecidable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.proof.materials import Materials
    from ekm.proof.possible import Failure
    from ekm.snapshot import Snapshot

__all__ = ["ASSUMED", "OUT_OF_SIGHT", "prove"]

ASSUMED = (
    (
        "identity policies of principals other than the role allow everything for (a), (c) and "
        "(f), and nothing for (e); they have no permissions boundary and no session policy"
    ),
    (
        "resource policies of other keys, roles and services of the role's account delegate to "
        "the account and name nobody; those of other accounts let the role do nothing"
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
)
# What a claim cannot be decided without, by the beginning of its snapshot path.
NEEDS = {
    "a": ("role", "trust_policy", "scps", "rcps"),
    "b": ("role", "trust_policy", "permission", "keys", "scps", "rcps", "grants"),
    "c": ("role", "permission", "keys", RELATED, "scps", "rcps", "grants"),
    "d": ("role", "trust_policy", "permission", "keys", "scps", "rcps", "grants"),
    "e": ("keys", "scps", "rcps"),
    "f": ("role", "permission", "keys", "scps", "rcps", "grants"),
}


def prove(snapshot: Snapshot, *, now: datetime | None = None) -> Proof:
    """Decide every claim.

    Args:
        snapshot: What was collected, live or from a plan.
        now: From when on something must be possible; None for the clock's time.

    Returns:
        The proof.

    Raises:
        BadInput: `document_too_large`.
    """
    instant = (now or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    materials = read(snapshot)
    points: dict[str, None] = {}
    try:
        setting = make_setting(materials, OPENAI_ROLE_ARN, OPENAI_ACCOUNT, instant)
    except Undecidable as found:
        claims = tuple(Claim(name, holds=False, classes=0, message=found.reason) for name in NEEDS)
        return Proof(claims, (), ASSUMED, (*snapshot.unseen(), *OUT_OF_SIGHT))
    claims = tuple(_claim(name, setting, points) for name in NEEDS)
    reported = _reports(setting)
    opened = tuple(f"left open by AWS's documents: {text}" for text in points)
    unseen = (*snapshot.unseen(), *_replicas(materials), *OUT_OF_SIGHT)
    return Proof(claims, reported, (*ASSUMED, *opened), unseen)


def _replicas(materials: Materials) -> tuple[str, ...]:
    """A multi-Region key may have others of which the snapshot says nothing."""
    if materials.key is None or ":key/mrk-" not in materials.key.arn:
        return ()
    seen = ", ".join(key.arn for key, _ in materials.related) or "none"
    return (f"keys of other Regions with the same material, other than those read: {seen}",)


def _claim(id: str, setting: Setting, points: dict[str, None]) -> Claim:
    """Decide one claim."""
    materials = setting.materials
    for path, fault in materials.faults.items():
        if path.startswith(NEEDS[id]):
            message = f"{path} is malformed, and AWS would not have saved it: {fault}"
            return Claim(id, holds=False, classes=0, message=message)
    for path in sorted(materials.missing):
        if path.startswith(NEEDS[id]):
            return Claim(id, holds=False, classes=0, message=f"{path} was not collected")
    try:
        return DECIDE[id](setting, points)
    except Undecidable as found:
        return Claim(id, holds=False, classes=0, message=f"could not be decided: {found.reason}")


def _a(setting: Setting, points: dict[str, None]) -> Claim:
    return _impossible("a", setting, impossible.assuming(setting), points)


def _b(setting: Setting, points: dict[str, None]) -> Claim:
    """Nothing else, and then the two themselves."""
    claim = _impossible("b", setting, impossible.doing_else(setting), points)
    able = possible.encrypting(setting)
    return _possible("b", able, points, claim.classes) if claim.holds else claim


def _c(setting: Setting, points: dict[str, None]) -> Claim:
    return _impossible("c", setting, impossible.using(setting), points)


def _d(setting: Setting, points: dict[str, None]) -> Claim:
    return _possible("d", calling(setting, OPENAI_SESSION_ARN), points)


def _e(setting: Setting, points: dict[str, None]) -> Claim:
    return _possible("e", possible.administering(setting), points)


def _f(setting: Setting, points: dict[str, None]) -> Claim:
    return _impossible("f", setting, impossible.deleting(setting), points)


DECIDE: dict[str, Callable[[Setting, dict[str, None]], Claim]] = {
    "a": _a,
    "b": _b,
    "c": _c,
    "d": _d,
    "e": _e,
    "f": _f,
}


def _possible(id: str, failure: Failure, points: dict[str, None], classes: int = 0) -> Claim:
    points |= dict.fromkeys(failure.points)
    total = classes + failure.classes
    if failure.message is None:
        return Claim(id, holds=True, classes=total)
    return Claim(id, False, total, failure.counterexample, failure.message)


def _impossible(id: str, setting: Setting, found: Search, points: dict[str, None]) -> Claim:
    points |= found.points
    if found.witness is None:
        return Claim(id, holds=True, classes=found.classes)
    return Claim(
        id,
        holds=False,
        classes=found.classes,
        counterexample=example(setting, found.witness) if found.witness.confirmed else None,
        message=_words(found.witness, found),
    )


def _words(witness: Witness, found: Search) -> str:
    """What breaks a claim, in a sentence."""
    request, decision = witness.request, witness.decision
    if not witness.confirmed:
        if found.points:
            return f"is left open, and so counts as allowed: {'; '.join(found.points)}"
        return (
            f"this is a defect: the proof takes {request.action} by {request.principal} as "
            f"allowed, and the evaluator answers {decision.outcome.value}"
        )
    if decision.allowed:
        return f"{request.principal} is allowed {request.action} on {request.resource}"
    if not witness.scene.action.exists:
        return f"{request.action} does not exist yet; {request.principal} would be allowed it"
    if decision.message is None:
        # A list of AWS's may grow, so that no claim rests on what is not in it.
        return (
            f"policies allow {request.principal} {request.action} on {request.resource}, though "
            f"AWS does not carry it out today: {'; '.join(map(str, decision.missing))}"
        )
    return (
        f"{request.principal} may be allowed {request.action} on {request.resource}: AWS's "
        f"documents leave open {decision.message}"
    )


def _reports(setting: Setting) -> tuple[Reported, ...]:
    if setting.materials.faults or setting.materials.key_policy is None:
        return ()
    try:
        return tuple(impossible.reports(setting))
    except Undecidable:
        return ()
