"""Claims that a request is possible: (d), (e), and the lesser part of (b).

Open points count as denied here. A condition key that a call is not known to have is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from openai_ekm.arns import is_role_arn
from openai_ekm.evaluation import Decision, Request, decide
from openai_ekm.evaluation.request import CallerForm, parse_caller
from openai_ekm.openai import EXTERNAL_ID
from openai_ekm.openai_calls.call_decisions import every_assume_role, every_use, locate_statements
from openai_ekm.openai_calls.requests import (
    ASSUME_ROLE,
    DECRYPT,
    ENCRYPT,
    ENCRYPTION_ALGORITHM,
    names_key,
)
from openai_ekm.proof.actions import PUT_KEY_POLICY, Action
from openai_ekm.proof.condition_domains import TIMES
from openai_ekm.proof.documents import PRINCIPAL_TAG, RESOURCE_TAG, tags_of
from openai_ekm.proof.principals import PrincipalClass
from openai_ekm.proof.request_classes import make_request_class
from openai_ekm.proof.result import Counterexample
from openai_ekm.proof.witnesses import Search, find_witness, statements, witness_in, write_example
from openai_ekm.snapshot import UNSEEN
from openai_ekm.snapshot.sizes import too_large_documents
from openai_ekm.value_classes.condition_keys import may_be_carried

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_ekm.openai_calls.call_decisions import Asked
    from openai_ekm.proof.boxes import Box
    from openai_ekm.proof.documents import Documents
    from openai_ekm.proof.request_classes import RequestClass
    from openai_ekm.proof.universe import Universe
    from openai_ekm.snapshot import Key, Role

__all__ = ["Failure", "administering", "calling", "encrypting"]

CALLS: Final = (ENCRYPT, DECRYPT)


def calling(universe: Universe) -> Failure:
    """Check (d): every one of OpenAI's calls, under what is said of them, is allowed.

    The calls are those by which a diagnosis judges, so that the two never disagree.

    A call has what is known of it and lacks what it is not known to carry; whatever it
    carries with a value that nothing says (time, address, session name) must pass with any.
    """
    documents = universe.documents
    if lacking := _lacking(documents):
        return Failure(0, None, lacking)
    classes = 0
    for asked in _calls(universe):
        classes += 1
        request, decision = asked.request, asked.decision
        if not decision.allowed:
            key = None if request.action == ASSUME_ROLE else documents.key
            refs = locate_statements(documents.snapshot, decision.decided_by, key)
            return Failure(classes, Counterexample(request, refs), _why(request, decision))
        if request.action != ASSUME_ROLE and (state := _unusable(documents)) is not None:
            return Failure(classes, Counterexample(request, ()), state)
    return Failure(classes)


def _lacking(documents: Documents) -> str | None:
    """Return why there is no role or key to call, or AWS takes no such call or document."""
    snapshot, registration = documents.snapshot, documents.snapshot.registration
    for text, has_form in (
        (registration.role_arn, is_role_arn),
        (registration.kms_arn, names_key),
        (registration.external_id, EXTERNAL_ID.fullmatch),
    ):
        if not has_form(text):
            return f"{text!r} is registered, and AWS takes nothing of that form"
    if documents.role is None or documents.role.arn != registration.role_arn:
        return f"the role {registration.role_arn} was not found"
    if documents.key is None:
        return f"the key {registration.kms_arn} was not found"
    for operation in ("AssumeRole", "Encrypt"):
        for found in too_large_documents(snapshot, operation):
            return f"AWS saves no such document: {found}"
    return None


def _unusable(documents: Documents) -> str | None:
    """Return why KMS refuses to use the key whatever policies say."""
    key = documents.key
    assert key is not None  # nosec B101 # narrows the type
    if key.state is not UNSEEN and key.state != "Enabled":
        return f"the key {key.arn} is {key.state}, so KMS does not use it"
    for fact, wanted in ((key.spec, ENCRYPTION_ALGORITHM), (key.usage, "ENCRYPT_DECRYPT")):
        if fact is not UNSEEN and fact != wanted:
            return f"the key {key.arn} is of {fact}, and OpenAI encrypts with {wanted}"
    return None


def _calls(universe: Universe) -> Iterator[Asked]:
    """Yield AssumeRole on the role, then Encrypt and Decrypt by its session on the key."""
    snapshot, key, now = universe.documents.snapshot, universe.documents.key, universe.now
    sent = snapshot.registration.external_id
    yield from every_assume_role(snapshot, external_id=sent, session_name=None, now=now)
    assert key is not None  # nosec B101 # narrows the type
    for action in CALLS:
        yield from every_use(action, snapshot, key, session_name=None, now=now)


USES: Final = tuple(Action(name, (name,)) for name in ("kms:Encrypt", "kms:Decrypt"))
TLS: Final = "aws:securetransport"


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that should be possible and is not.

    Args:
        classes: How many classes were decided.
        counterexample: The request that is refused; None when none can be made.
        message: Why; None when it is possible after all.
        points: Open points that counted as denied.
    """

    classes: int
    counterexample: Counterexample | None = None
    message: str | None = None
    points: tuple[str, ...] = ()


def encrypting(universe: Universe) -> Failure:
    """Check the lesser part of (b): a session of the role can Encrypt and Decrypt somehow."""
    sessions = [each for each in universe.principals if universe.is_role(each)]
    groups: list[list[Meanings]] = [[[sessions]] if sessions else []] * len(USES)
    return _some(universe, groups, USES, generous=True)


def administering(universe: Universe) -> Failure:
    """Check (e): an administrator, the root user or another, can change the key's policy.

    The caller must, too, when it is given. Identity policies are taken to allow nothing, and
    KMS takes PutKeyPolicy from nobody outside the key's account.

    Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
    """
    if universe.documents.key is None:
        return Failure(0, None, "the key was not found, so nobody can change its policy")
    account = universe.documents.key_account
    names = dict.fromkeys((universe.documents.root, *universe.named))
    able = [_exactly(each, universe) for each in names]
    own = [each for each in able if each and each[0][0].account == account]
    groups = [own]
    caller = universe.documents.snapshot.caller
    if caller is not None:
        found = _exactly(caller, universe)
        groups.append([found])
        if not found:
            return Failure(0, None, f"the caller {caller!r} is not a principal that can be judged")
        if found[0][0].account != account:
            message = f"{caller} is of another account, and KMS lets none but {account} change it"
            return Failure(0, None, message)
    return _some(universe, groups, [PUT_KEY_POLICY] * len(groups), generous=False)


# What one name may mean: in each way some of its classes of principals must be able.
Meanings = list[list[PrincipalClass]]


def _exactly(text: str, universe: Universe) -> Meanings:
    """Return what a name of an administrator or caller means.

    A session's ARN leaves the path of its role out. Unless a document names the role, it may have
    any, so that each is a meaning of its own.
    """
    found = [each for each in universe.principals if text in (each.principal, each.fixed_id)]
    caller = parse_caller(text)
    if not found:
        return [] if caller is None else [[PrincipalClass(text, caller, caller.role_arn)]]
    if caller is None or caller.form is not CallerForm.SESSION:
        return [found]
    by_role: dict[str, list[PrincipalClass]] = {}
    for each in found:
        by_role.setdefault(each.role_arn, []).append(each)
    exact = {role: each for role, each in by_role.items() if role in universe.roles}
    return list((exact or by_role).values())


def _some(
    universe: Universe,
    groups: Sequence[Sequence[Meanings]],
    actions: Sequence[Action],
    *,
    generous: bool,
) -> Failure:
    """Check for each group and its action whether one of the group can do it."""
    classes = 0
    points: dict[str, None] = {}
    for group, action in zip(groups, actions, strict=True):
        if universe.documents.key is None or not group:
            return Failure(classes, None, f"there is nobody and nothing for {action.name}")
        able, first = False, None
        for means in group:
            refused: list[RequestClass] | None = None
            for principals in means:
                candidates = [
                    _on_key(universe, principal, action, generous=generous)
                    for principal in principals
                ]
                made = [each for each in candidates if each is not None]
                found = _search(universe, made)
                classes += found.classes
                points |= found.points
                if found.witness is None or not found.witness.decision.allowed:
                    refused = made
                    break
            able = refused is None
            if able:
                break
            first = first or refused
        if not able:
            return _refusal(universe, first or [], classes, tuple(points))
    return Failure(classes)


def _search(universe: Universe, candidates: Sequence[RequestClass]) -> Search:
    """Return the first request of some classes of requests that is surely allowed."""
    universe.domains.fill(candidates)
    found = Search()
    for request_class in candidates:
        within = _to_come(universe, request_class)
        found.add(find_witness(universe.domains, request_class, within, lenient=False))
        if found.witness is None:
            # A whole class may be open where the evaluator decides each request of it.
            found.add(_plainest(universe, request_class, within))
        if found.witness is not None:
            break
    return found


def _plainest(universe: Universe, request_class: RequestClass, within: Sequence[Box]) -> Search:
    """Return the plainest request of each box, where the evaluator surely allows it."""
    found = Search()
    for box in within:
        tried = witness_in(universe.domains, request_class, box)
        if tried.decision.allowed:
            found.add(Search(0, tried))
    return found


def _on_key(
    universe: Universe, principal: PrincipalClass, action: Action, *, generous: bool
) -> RequestClass | None:
    """Return somebody and one action on the registered key (`generous`: `Universe.policies`)."""
    policies = universe.key_policies(principal, generous=generous)
    return make_request_class(
        principal, action, universe.key_resource(), policies, universe.domains.names
    )


def _to_come(universe: Universe, request_class: RequestClass) -> Sequence[Box]:
    """Return requests over TLS, from now on, without what such a request never carries."""
    box: Box = {
        lookup: universe.domains.domain(lookup).where([None])
        for lookup in universe.domains.lookups
        if not may_be_carried(lookup, request_class.action.lookup)
    }
    for lookup in TIMES:
        if universe.domains.has(lookup):
            box[lookup] = universe.domains.still_to_come(lookup)
    if universe.domains.has(TLS) and not request_class.known(TLS)[0]:
        box[TLS] = universe.domains.domain(TLS).where(["true"])
    box |= _tag_boxes(universe, request_class)
    return (box,) if all(box.values()) else ()


def _tag_boxes(universe: Universe, request_class: RequestClass) -> Box:
    """Return requests with the key's tags, and with the role's where it asks and is seen."""
    role, key = universe.documents.role, universe.documents.key
    assert key is not None  # nosec B101 # narrows the type
    holders: list[tuple[str, Key | Role]] = [(RESOURCE_TAG, key)]
    if role is not None and universe.is_role(request_class.principal) and role.tags is not UNSEEN:
        holders.append((PRINCIPAL_TAG, role))
    box: Box = {}
    for prefix, holder in holders:
        tags = tags_of(holder, prefix)
        for lookup in universe.domains.lookups:
            if lookup.startswith(f"{prefix}/"):
                box[lookup] = universe.domains.domain(lookup).where([tags.get(lookup)])
    return box


def _refusal(
    universe: Universe, candidates: Sequence[RequestClass], classes: int, points: tuple[str, ...]
) -> Failure:
    """Return the plainest request that is refused, and why."""
    if not candidates:
        return Failure(classes, None, "no request can be made", points)
    request_class = candidates[0]
    request = request_class.request(
        write_example(universe.domains, _tag_boxes(universe, request_class))
    )
    decision = decide(request, request_class.policies)
    refs = statements(universe, request_class, decision.decided_by)
    return Failure(classes, Counterexample(request, refs), _why(request, decision), points)


def _why(request: Request, decision: Decision) -> str:
    """Say why a request is refused."""
    if decision.decided_by:
        by = ", ".join(map(str, decision.decided_by))
        return f"{request.principal} is denied {request.action} by {by}"
    reasons = "; ".join(decision.missing) or decision.message or decision.outcome.value
    return f"{request.principal} is not allowed {request.action}: {reasons}"
