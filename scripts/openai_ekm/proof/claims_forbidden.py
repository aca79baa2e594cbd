"""Claims that a request is impossible: (a), (c), (f), and the greater part of (b)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation.grants import OPERATIONS
from openai_ekm.openai import OPENAI_ROLE_ARN
from openai_ekm.policy import DocumentKind
from openai_ekm.proof import request_classes
from openai_ekm.proof.actions import (
    DELETING,
    PUT_KEY_POLICY,
    USING,
    Action,
    classes_of,
    future,
    is_about,
    known,
)
from openai_ekm.proof.administrators import is_administrator
from openai_ekm.proof.boxes import EVERYTHING, Box
from openai_ekm.proof.documents import delegating
from openai_ekm.proof.other_services import acting_elsewhere, requests_elsewhere
from openai_ekm.proof.request_classes import RequestClass, ResourceClass, make_request_class
from openai_ekm.proof.result import Reported
from openai_ekm.proof.witnesses import Search, example, find_witness
from openai_ekm.value_classes.string_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.proof.documents import KeyAndPolicy
    from openai_ekm.proof.principals import PrincipalClass
    from openai_ekm.proof.universe import Universe

__all__ = [
    "assuming",
    "changing_policy",
    "changing_policy_by_iam",
    "deleting",
    "doing_else",
    "every_request_class",
    "reports",
    "using",
    "using_key",
]

ASSUME_ROLE = "sts:assumerole"
SCHEDULE_KEY_DELETION = Action("kms:ScheduleKeyDeletion", ("kms:ScheduleKeyDeletion",))
ENCRYPT_DECRYPT = frozenset({"kms:encrypt", "kms:decrypt"})
EXTERNAL_ID = "sts:externalid"
SERVICE_LINKED = ":role/aws-service-role/"
CREATE_GRANT = "kms:creategrant"  # by a grant it is left open


def assuming(universe: Universe, *, by_openai: bool | None = None) -> Search:
    """Search for what (a) forbids: others than OpenAI's role, or an unregistered external id.

    Args:
        universe: The universe.
        by_openai: Look at OpenAI's own AssumeRole alone, or at everything but that; None for all.
    """
    classes = [
        request_class
        for request_class in _on_role(universe)
        if by_openai is None or by_openai is _is_openais_call(request_class)
    ]
    universe.domains.fill(classes)
    return _all(
        universe,
        [(request_class, _but_openai(universe, request_class)) for request_class in classes],
    )


def every_request_class(universe: Universe) -> list[RequestClass]:
    """Return everybody on the role, everybody on the key, and the role everywhere."""
    found = [*_on_role(universe), *_on_key(universe, _kms(universe))]
    for principal in universe.principals:
        if universe.is_role(principal):
            found += _with_kms_and_sts(universe, principal)
    universe.domains.fill(found)
    elsewhere = list(requests_elsewhere(universe))
    universe.elsewhere.fill(elsewhere)
    return found + elsewhere


def _on_role(universe: Universe) -> Iterator[RequestClass]:
    """Yield everybody who asks for a session of the role, in whatever way."""
    part = universe.documents.trust
    if universe.documents.role is None or part is None:
        return
    actions = [
        *classes_of(known()["sts"], universe.patterns, [frozenset({ASSUME_ROLE})]),
        *future("sts", universe.patterns),
    ]
    place = universe.role_resource()
    for principal in universe.principals:
        policies = universe.policies(principal, part.document, place.account or "")
        for request_class in _request_classes(universe, principal, actions, [place], policies):
            if request_class.by_resource:
                yield request_class


def _but_openai(universe: Universe, request_class: RequestClass) -> Sequence[Box]:
    """Return the requests of a request class that claim (a) forbids."""
    if not _is_openais_call(request_class) or not universe.domains.has(EXTERNAL_ID):
        return (EVERYTHING,)
    domain = universe.domains.domain(EXTERNAL_ID)
    unregistered = domain.all & ~domain.where(universe.registered)
    return ({EXTERNAL_ID: unregistered},)


def _is_openais_call(request_class: RequestClass) -> bool:
    return (
        request_class.principal.role_arn == OPENAI_ROLE_ARN
        and request_class.action.lookup == ASSUME_ROLE
    )


def doing_else(universe: Universe) -> Search:
    """Search for what (b) forbids: anything but Encrypt and Decrypt by a session of the role.

    Raises:
        Undecidable: There are too many classes, and no request that is surely allowed was met.
    """
    found = Search()
    too_many: Undecidable | None = None
    for search in (acting_elsewhere, _anything_else):
        try:
            found.add(search(universe))
        except Undecidable as reason:
            too_many = reason
    if too_many is not None and not (found.witness and found.witness.decision.allowed):
        raise too_many
    return found


def _anything_else(universe: Universe) -> Search:
    principals = [each for each in universe.principals if universe.is_role(each)]
    return _everything(
        universe,
        [
            request_class
            for each in principals
            for request_class in _with_kms_and_sts(universe, each)
        ],
    )


def _with_kms_and_sts(universe: Universe, principal: PrincipalClass) -> Iterator[RequestClass]:
    """Yield every other action on the key, and every action of KMS and STS everywhere else."""
    kms = _kms(universe)
    sts = [*classes_of(known()["sts"], universe.patterns), *future("sts", universe.patterns)]
    documents = universe.documents
    yield from _on_keys_that_are_seen(universe, principal, kms)
    account = principal.account
    none = universe.policies(principal, None, account)
    role = delegating(DocumentKind.TRUST, documents.partition, account)
    key = delegating(DocumentKind.KEY, documents.partition, account)
    for place in request_classes.keys(universe, principal):
        other_keys = universe.policies(principal, key, place.account or "")
        yield from _request_classes(
            universe, principal, kms, [place], replace(other_keys, grants=documents.grants)
        )
    yield from _request_classes(
        universe,
        principal,
        kms,
        [*request_classes.aliases(universe, principal), request_classes.NOWHERE],
        none,
    )
    for place in request_classes.roles(universe, principal):
        other_roles = universe.policies(principal, role, place.account or "")
        yield from _request_classes(universe, principal, sts, [place], other_roles)
    if documents.trust is not None:
        own = universe.policies(principal, documents.trust.document, account)
        yield from _request_classes(universe, principal, sts, [universe.role_resource()], own)
    about_sts = [each for each in documents.statements if is_about(each, "sts")]
    everywhere = request_classes.others(universe, principal, about_sts)
    plain = [each for each in sts if each.exists]
    abroad = universe.policies(principal, None, "")
    for place in everywhere:
        policies = abroad if place.shared else none
        for request_class in _request_classes(universe, principal, plain, [place], policies):
            if not request_class.by_resource:
                yield request_class


def _on_keys_that_are_seen(
    universe: Universe, principal: PrincipalClass, kms: list[Action]
) -> Iterator[RequestClass]:
    """Yield all but Encrypt and Decrypt on the registered key, and everything on the other keys."""
    documents = universe.documents
    if documents.key is not None:
        others = [each for each in kms if each.lookup not in ENCRYPT_DECRYPT]
        policies = universe.key_policies(principal)
        yield from _request_classes(
            universe, principal, others, [universe.key_resource()], policies
        )
    for further in documents.further_keys:
        if further[1] is not None:
            policies = universe.key_policies(principal, related=further)
            yield from _request_classes(
                universe, principal, kms, [universe.key_resource(further)], policies
            )


def using(universe: Universe) -> Search:
    """Search for what (c) forbids: others use the key, get to use it, or change its policy."""
    found = using_key(universe)
    found.add(changing_policy(universe))
    return found


def using_key(universe: Universe) -> Search:
    """Search for the first part of (c): others than the role use the key or get to use it."""
    return _everything(
        universe,
        [
            request_class
            for request_class in _on_material(universe, _classes(universe, USING))
            if not universe.is_role(request_class.principal)
        ],
    )


def changing_policy(universe: Universe) -> Search:
    """Search for the second part of (c): others than administrators change a key's policy."""
    return _everything(
        universe,
        [
            request_class
            for request_class in _on_material(universe, [PUT_KEY_POLICY])
            if not _administers(universe, request_class)
        ],
    )


def changing_policy_by_iam(universe: Universe) -> Search:
    """Search for principals of the key's account whose IAM policies may let them change its policy.

    Service-linked roles are left out: nobody writes their policies but AWS.
    """
    account = universe.documents.key_account
    return _everything(
        universe,
        [
            request_class
            for request_class in _on_key(universe, [PUT_KEY_POLICY])
            if request_class.principal.account == account
            and not universe.is_role(request_class.principal)
            and SERVICE_LINKED not in request_class.principal.role_arn
        ],
    )


def deleting(universe: Universe) -> Search:
    """Search for what (f) forbids: others than administrators disable or delete the key."""
    return _everything(
        universe,
        [
            request_class
            for request_class in _on_key(universe, _classes(universe, DELETING))
            if not _administers(universe, request_class)
        ],
    )


def reports(universe: Universe) -> list[Reported]:
    """Report who changes the key's policy or deletes it, and whom a future action would let in."""
    wanted = [PUT_KEY_POLICY, SCHEDULE_KEY_DELETION, *future("kms", universe.patterns)]
    met: dict[object, list[Search]] = {}
    classes = list(_on_key(universe, wanted))
    universe.domains.fill(classes)
    for request_class in classes:
        if universe.is_role(request_class.principal) and not request_class.action.exists:
            continue  # (b) fails for it
        found = find_witness(universe.domains, request_class)
        if found.witness is not None:
            shown = example(universe, found.witness)
            action = request_class.action.name if request_class.action.exists else ""
            met.setdefault((action, shown.statements), []).append(found)
    return [_report(universe, found) for found in met.values()]


def _report(universe: Universe, found: list[Search]) -> Reported:
    witnesses = [each.witness for each in found if each.witness is not None]
    shown = example(universe, witnesses[0])
    principals = tuple(dict.fromkeys(each.request.principal for each in witnesses))
    name = witnesses[0].request.action
    claim = "c" if name != SCHEDULE_KEY_DELETION.name else "f"
    what = (
        name
        if witnesses[0].request_class.action.exists
        else "an action of KMS that does not exist yet"
    )
    who = witnesses[0].request_class.principal.in_words
    more = f" and {len(principals) - 1} other classes of principals" if len(principals) > 1 else ""
    by = "; ".join(map(str, shown.statements)) or "no statement that is seen"
    return Reported(claim, name, principals, shown.statements, f"{what}: {who}{more} ({by})")


def _administers(universe: Universe, request_class: RequestClass) -> bool:
    return is_administrator(request_class.principal, universe.named, universe.documents)


def _kms(universe: Universe) -> list[Action]:
    """Return every action of KMS, and those to come."""
    return [*_classes(universe, known()["kms"]), *future("kms", universe.patterns)]


def _classes(universe: Universe, names: Iterable[str]) -> list[Action]:
    return classes_of(names, universe.patterns, _apart(universe))


def _apart(universe: Universe) -> list[frozenset[str]]:
    """Return the actions that matter by name: the two of OpenAI's, and those that grants hold."""
    grants = universe.documents.grants
    operations = [frozenset(f"kms:{each}" for each in grant.operations) for grant in grants]
    if grants:
        operations += [frozenset({f"kms:{each}"}) for each in sorted(OPERATIONS)]
    if universe.documents.granting:
        operations += [frozenset(f"kms:{each}" for each in OPERATIONS), frozenset({CREATE_GRANT})]
    return [*(frozenset({each}) for each in sorted(ENCRYPT_DECRYPT)), *operations]


def _on_key(
    universe: Universe, actions: Sequence[Action], related: KeyAndPolicy | None = None
) -> Iterator[RequestClass]:
    """Yield everybody on the registered key, or on another."""
    if universe.documents.key is None:
        return
    place = universe.key_resource(related)
    for principal in universe.principals:
        policies = universe.key_policies(principal, related=related)
        yield from _request_classes(universe, principal, actions, [place], policies)


def _on_material(universe: Universe, actions: Sequence[Action]) -> Iterator[RequestClass]:
    """Yield everybody on the registered key, and on the keys elsewhere that share its material."""
    for related in (None, *universe.documents.related):
        yield from _on_key(universe, actions, related)


def _request_classes(
    universe: Universe,
    principal: PrincipalClass,
    actions: Iterable[Action],
    where: Iterable[ResourceClass],
    policies: PreparedPolicies,
) -> Iterator[RequestClass]:
    around = list(where)
    for action in actions:
        for place in around:
            request_class = make_request_class(
                principal, action, place, policies, universe.domains.names
            )
            if request_class is not None:
                yield request_class


def _everything(universe: Universe, classes: Sequence[RequestClass]) -> Search:
    universe.domains.fill(classes)
    return _all(universe, [(request_class, (EVERYTHING,)) for request_class in classes])


def _all(universe: Universe, classes: Iterable[tuple[RequestClass, Sequence[Box]]]) -> Search:
    found = Search()
    for request_class, within in classes:
        found.add(find_witness(universe.domains, request_class, within))
    return found
