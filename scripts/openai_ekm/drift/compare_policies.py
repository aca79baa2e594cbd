"""Compare policy documents by what they allow, and not by how they are written.

Each document that differs is put in the place of the one that was meant, by itself. The proof then
says which requests are allowed more or less. One that changes nothing so is also taken out of the
documents that are there: it may change something together with another one.

Source: docs/proof.md
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drift.difference import Difference, State, canonical, decoded, not_compared
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.proof.difference import Change, change
from openai_ekm.proof.documents import read_documents
from openai_ekm.snapshot import UNSEEN, NamedPolicy, Role, Snapshot
from openai_ekm.value_classes.string_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openai_ekm.drift.baseline import Baseline
    from openai_ekm.proof.result import Counterexample

__all__ = ["BOUNDARY", "KEY_POLICY", "TRUST_POLICY", "Slot", "compare_policies"]

TRUST_POLICY: Final = "trust policy"
KEY_POLICY: Final = "key policy"
BOUNDARY: Final = "permissions boundary"
_SCHEDULE: Final = "kms:schedulekeydeletion"
_SHOWN: Final = 12  # examples of each direction in a report
# What lets somebody at the data, or at the access to it, before everything else.
_GRAVEST: Final = (
    *("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt", "kms:ReEncryptFrom"),
    *("kms:CreateGrant", "kms:ReplicateKey", "kms:PutKeyPolicy", "sts:AssumeRole"),
    *("kms:ScheduleKeyDeletion", "kms:DisableKey"),
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place where a document stands.

    Args:
        check: Id of the check.
        subject: What the document is called.
        kind: Whose document it is.
        meant: The document that was meant; None for none, unseen where nothing says it.
        observed: The document that is there; likewise.
        made: Whether the module writes it. Of another one a baseline says what was meant.
        reason: Why `meant` or `observed` is unseen.
    """

    check: str
    subject: str
    kind: DocumentKind
    meant: Any
    observed: Any
    made: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Compared:
    """A slot whose document is another one, and what that changes."""

    slot: Slot
    change: Change
    accepted: bool


def compare_policies(
    slots: Sequence[Slot], around: Snapshot, baseline: Baseline, now: str, *, protected: bool
) -> Iterator[Difference]:
    """Yield what differs in the documents.

    Args:
        slots: Every place of a document.
        around: The snapshot of what is there; its documents are replaced.
        baseline: What was reviewed.
        now: ISO 8601.
        protected: Whether the key was meant to be protected from deletion.
    """
    changed: list[Slot] = []
    for slot in slots:
        if slot.meant is UNSEEN or slot.observed is UNSEEN:
            yield not_compared(slot.check, slot.subject, slot.reason)
        elif not slot.made and slot.observed is None:
            # Of a boundary, a baseline alone says that there was one.
            if (
                slot.check == "permission_policies"
                or baseline.reviewed(slot.check, slot.subject, None) is not None
            ):
                yield Difference(
                    check=slot.check,
                    subject=slot.subject,
                    message=f"The {slot.subject} is gone, and was meant to be there.",
                    meant=slot.subject,
                )
        elif canonical(decoded(slot.meant)) != canonical(decoded(slot.observed)):
            changed.append(slot)
    settled = [_with_accepted(slot, baseline) for slot in slots]
    for slot in changed:
        found = _compare(slot, settled, around, baseline, now)
        if isinstance(found, Difference):
            yield found
            continue
        yield from _differences(found, protected=protected)


def _compare(
    slot: Slot, slots: Sequence[Slot], around: Snapshot, baseline: Baseline, now: str
) -> _Compared | Difference:
    """Return what a document changes; or a difference that says why that is not known."""
    before = slot.meant if slot.made else None
    reviewed = baseline.reviewed(slot.check, slot.subject, slot.meant if slot.made else None)
    if not slot.made:
        if reviewed is None:
            return _unreviewed(slot)
        before = reviewed
    for document, whose in ((before, "was meant"), (slot.observed, "is there")):
        if (fault := _fault(document, slot.kind)) is not None:
            return _undecided(slot, f"the document that {whose} is malformed: {fault}")
    try:
        found = _effect(around, slots, slot, before, now)
        accepted = reviewed is not None and (
            canonical(decoded(reviewed)) == canonical(decoded(slot.observed))
            or (
                _fault(reviewed, slot.kind) is None
                and _effect(around, slots, slot, reviewed, now) == Change()
            )
        )
    except Undecidable as reason:
        return _undecided(slot, reason.reason)
    return _Compared(replace(slot, meant=before), found, accepted)


def _unreviewed(slot: Slot) -> Difference:
    return Difference(
        check=slot.check,
        subject=slot.subject,
        message=f"The module does not write the {slot.subject}, and no baseline has it: nothing "
        "says what was meant.",
        state=State.UNDECIDED,
        remedy="Review the document, and accept it with `ekm drift accept`: from then on every "
        "change of it is drift.",
        observed=decoded(slot.observed),
        document=True,
    )


def _undecided(slot: Slot, reason: str) -> Difference:
    return Difference(
        check=slot.check,
        subject=slot.subject,
        message=f"The {slot.subject} differs, and what that changes is undecided: {reason}.",
        state=State.UNDECIDED,
        remedy="Compare the two documents by eye, or accept the difference with `ekm drift "
        "accept`.",
        meant=decoded(slot.meant) if slot.made else None,
        observed=decoded(slot.observed),
        document=True,
    )


def _fault(document: Any, kind: DocumentKind) -> str | None:
    if document is None:
        return None
    try:
        parse_document(document, kind)
    except (MalformedPolicy, RecursionError) as fault:
        return str(fault)
    return None


def _differences(found: _Compared, *, protected: bool) -> Iterator[Difference]:
    """Yield a document's difference; deletion protection that is off is one of its own."""
    slot, more, less = found.slot, found.change.more, found.change.less
    state = State.ACCEPTED if found.accepted else State.DRIFT
    unprotected: tuple[Counterexample, ...] = ()
    if slot.check == "key_policy" and protected:
        unprotected = tuple(each for each in more if _deletes(each))
        more = tuple(each for each in more if not _deletes(each))
    if unprotected:
        yield _difference(
            slot,
            state,
            "Deletion protection is off: the key policy lets "
            f"{unprotected[0].request.principal} schedule the key's deletion.",
            more=unprotected,
            check="deletion_protection",
        )
    if more or less:
        yield _difference(slot, state, _said(slot, more, less), more=more, less=less)
    elif not slot.made and found.accepted:
        there = f"The module does not write the {slot.subject}; it allows what was reviewed."
        yield _difference(slot, State.ACCEPTED, there)
    elif not unprotected:
        effect = "only its text differs, and no request is decided differently"
        there = f"The {slot.subject} is written differently than was meant: {effect}."
        if slot.meant is None:
            there = f"The {slot.subject} was not meant; {effect.partition(', and ')[2]}."
        elif slot.observed is None:
            there = f"The {slot.subject} is gone; {effect.partition(', and ')[2]}."
        yield _difference(slot, State.NO_EFFECT, there)


def _difference(
    slot: Slot,
    state: State,
    message: str,
    *,
    more: tuple[Counterexample, ...] = (),
    less: tuple[Counterexample, ...] = (),
    check: str | None = None,
) -> Difference:
    return Difference(
        check=check or slot.check,
        subject=slot.subject,
        message=message,
        state=state,
        meant=decoded(slot.meant) if slot.made else None,
        observed=decoded(slot.observed),
        more=more[:_SHOWN],
        less=less[:_SHOWN],
        document=True,
    )


def _deletes(found: Counterexample) -> bool:
    return found.request.action.lower() == _SCHEDULE


def _said(slot: Slot, more: Sequence[Counterexample], less: Sequence[Counterexample]) -> str:
    told = [
        f"allows {which}: {_requests(found)}"
        for which, found in (("more than was meant", more), ("less than was meant", less))
        if found
    ]
    if slot.meant is None:
        return f"The {slot.subject} was not meant, and {' and '.join(told)}."
    if slot.observed is None:
        return f"The {slot.subject} is gone: what is left {' and '.join(told)}."
    return f"The {slot.subject} {' and '.join(told)}."


def _requests(found: Sequence[Counterexample]) -> str:
    """Return the first request in words, and how many classes of requests there are besides."""
    first = found[0].request
    others = len(found) - 1
    beside = f" (and {others} more {'class' if others == 1 else 'classes'} of requests)"
    told = f"{first.action} by {first.principal} on {first.resource}"
    return told + (beside if others else "")


def _with_accepted(slot: Slot, baseline: Baseline) -> Slot:
    """Return a slot with the document that counts as meant beside others: one that is accepted."""
    if not slot.made:
        return replace(slot, meant=slot.observed)
    reviewed = baseline.reviewed(slot.check, slot.subject, slot.meant)
    if reviewed is None or canonical(decoded(reviewed)) != canonical(decoded(slot.observed)):
        return slot if slot.meant is not UNSEEN else replace(slot, meant=slot.observed)
    return replace(slot, meant=slot.observed)


def _effect(around: Snapshot, slots: Sequence[Slot], slot: Slot, before: Any, now: str) -> Change:
    """Return what a document changes.

    Args:
        around: The snapshot of what is there.
        slots: Every place of a document.
        slot: The place of this one.
        before: The document before; the one that is there is the one after.
        now: ISO 8601.
    """
    found = Change()
    for name in ("meant", "observed"):
        others = {each.subject: getattr(each, name) for each in slots}
        first = read_documents(_filled(around, slots, {**others, slot.subject: before}))
        second = read_documents(_filled(around, slots, {**others, slot.subject: slot.observed}))
        found = change(first, second, now)
        if found != Change():
            break
    return Change(_sorted(found.more), _sorted(found.less))


def _sorted(found: Sequence[Counterexample]) -> tuple[Counterexample, ...]:
    """Return examples with those first that matter most."""
    ranks = {action: rank for rank, action in enumerate(_GRAVEST)}
    return tuple(sorted(found, key=lambda each: ranks.get(each.request.action, len(ranks))))


def _filled(around: Snapshot, slots: Sequence[Slot], chosen: Mapping[str, Any]) -> Snapshot:
    """Return a snapshot whose documents are those that are chosen, by subject."""
    role, key = around.role, around.registered_key
    if isinstance(role, Role):
        role = _filled_role(role, slots, chosen)
    keys = around.keys
    if key is not None and keys is not UNSEEN:
        policies = [chosen[each.subject] for each in slots if each.kind is DocumentKind.KEY]
        keys = tuple(
            replace(each, policy=policies[0]) if policies and each.arn == key.arn else each
            for each in keys
        )
    return replace(around, role=role, keys=keys, scps=UNSEEN, rcps=UNSEEN)


def _filled_role(role: Role, slots: Sequence[Slot], chosen: Mapping[str, Any]) -> Role:
    policies: list[NamedPolicy] = []
    for slot in slots:
        document = chosen[slot.subject]
        if slot.check == "trust_policy":
            role = replace(role, trust_policy=document)
        elif slot.check == "permissions_boundary":
            role = replace(role, permissions_boundary=document)
        elif slot.check == "permission_policies" and document is not None:
            policies.append(NamedPolicy(slot.subject, document))
    return replace(role, permission_policies=tuple(policies))
