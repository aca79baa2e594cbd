"""Warnings from the proof: each statement by which a claim fails.

`ekm prove` and `ekm diagnose` therefore agree on who else gets in. An undecided claim gives no
warning; the member that it lacks is listed as unseen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.repairs.repair import shown
from openai_ekm.diagnosis.result import Change, Warned
from openai_ekm.errors import BadInput
from openai_ekm.evaluation.request import parse_caller
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_ARN
from openai_ekm.policy import PrincipalForm
from openai_ekm.proof.breaches import Breach, Matter, breaches
from openai_ekm.proof.documents import Documents, read_documents
from openai_ekm.snapshot import UNSEEN
from openai_ekm.value_classes import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from openai_ekm.evaluation import Request, StatementRef
    from openai_ekm.policy import Principal, Statement
    from openai_ekm.snapshot import Snapshot

__all__ = ["NEEDLESS", "may_be_openai", "warnings"]

_TWO: Final = frozenset({"kms:encrypt", "kms:decrypt"})
_ADMINISTRATION: Final = "kms:putkeypolicy"
_EXTERNAL_ID: Final = "sts:ExternalId"
BRITTLE: Final = frozenset({PrincipalForm.SESSION, PrincipalForm.UNIQUE_ID})
NEEDLESS: Final = (
    "Remove the statement, unless somebody else is meant to have the role: OpenAI comes in by "
    "another."
)


def warnings(
    snapshot: Snapshot, *, passes: bool, now: datetime | None
) -> tuple[list[Warned], tuple[str, ...]]:
    """Say by which statements a claim fails.

    Args:
        snapshot: What was collected.
        passes: Whether OpenAI can assume the role and use the key.
        now: From when on something must be possible; None for the clock's time.

    Returns:
        The warnings, and the snapshot paths that a claim lacks to be decided.
    """
    try:
        documents, found = read_documents(snapshot), breaches(snapshot, now=now)
    except Undecidable as fault:
        return [_unproven("Nothing could be proven", fault.reason)], ()
    except BadInput as fault:
        return [_unproven("Nothing could be proven", fault.message)], ()
    told = [
        warned
        for breach in found
        if breach.claim.holds is False
        for warned in _warnings(breach, documents, passes=passes)
    ]
    gaps = (gap.path for breach in found for gap in breach.claim.undecided_by)
    return told, tuple(dict.fromkeys(gaps))


def _warnings(breach: Breach, documents: Documents, *, passes: bool) -> Iterator[Warned]:
    if breach.matter in {Matter.LOCKED, Matter.LEFT_TO_IAM}:
        yield _locked_warning(breach, documents)
    elif breach.matter is Matter.UNPROVEN:
        # While OpenAI itself is refused, the fault says what is wrong with the role's own use.
        if passes or breach.claim.id != "b":
            claim = breach.claim
            yield _unproven(f'"{claim.title}" does not hold', str(claim.message))
    else:
        for ref in breach.statements:
            if not _is_brittle(breach, ref, documents):
                yield _statement(breach, ref, documents, passes=passes)


def _is_brittle(breach: Breach, ref: StatementRef, documents: Documents) -> bool:
    """Return whether only sessions and unique ids break it: `principal_brittle` says so then."""
    if breach.matter is not Matter.ASSUMED_BY_OTHERS:
        return False
    named = _find(ref, documents).principals or ()
    others = [each for each in named if each.text != OPENAI_ROLE_ARN]
    return bool(others) and all(each.form in BRITTLE for each in others)


def _unproven(what: str, why: str) -> Warned:
    return Warned(
        "not_proven",
        "snapshot",
        None,
        None,
        None,
        None,
        None,
        f"{what}: {why}",
        "Read what the proof says of it: ekm prove.",
    )


def _locked_warning(breach: Breach, documents: Documents) -> Warned:
    ref = next(iter(breach.statements), None)
    key = documents.key_policy
    nobody = "no administrator and no root user may call kms:PutKeyPolicy"
    if breach.matter is Matter.LEFT_TO_IAM:
        message = (
            f"By the key policy alone nobody can change it again: {nobody}. A principal of the "
            "account can whose own IAM policies allow it; none was seen."
        )
    else:
        guarded = ref is not None and ref.document.startswith(("scps", "rcps"))
        way_out = (
            "The organization's management account can change the policy that denies it."
            if guarded
            else "AWS Support alone could mend that."
        )
        message = f"Nobody can change the key's policy again: {nobody}. {way_out}"
    return Warned(
        "key_policy_locked",
        ref.document if ref is not None else key.path if key is not None else "keys",
        ref.statement if ref is not None else None,
        ref.sid if ref is not None else None,
        "Action",
        str(breach.claim.message),
        "kms:PutKeyPolicy for an administrator or the account's root user",
        message,
        "Let an administrator, or the account's root user, call kms:PutKeyPolicy before this "
        "policy takes effect.",
    )


def _statement(breach: Breach, ref: StatementRef, documents: Documents, *, passes: bool) -> Warned:
    assert breach.claim.counterexample is not None  # nosec B101 # narrows the type
    request = breach.claim.counterexample.request
    if ref.document.startswith("grants"):
        return _grant(breach, ref, documents, request)
    statement = _find(ref, documents)
    if breach.matter is Matter.EXTERNAL_ID:
        return _external_id(ref, statement, request, documents)
    if breach.matter is Matter.ASSUMED_BY_OTHERS:
        return _assumed_by_others(ref, statement, request, passes=passes)
    if breach.matter is Matter.DOES_MORE or ref.document.startswith("permission_policies"):
        return _does_more(ref, statement, request, documents)
    return _key_policy(breach.matter, ref, statement, request, documents)


def _find(ref: StatementRef, documents: Documents) -> Statement:
    part = next(each for each in documents.parts if each.path == ref.document)
    return part.document.statements[ref.statement]


def _at(id: str, ref: StatementRef, *members: Any) -> Warned:
    return Warned(id, ref.document, ref.statement, ref.sid, *members)


def _names_of(statement: Statement) -> str:
    texts = shown([each.text for each in statement.principals or ()])
    return f"everybody but {texts}" if statement.not_principal else texts


def _external_id(
    ref: StatementRef, statement: Statement, request: Request, documents: Documents
) -> Warned:
    registered = documents.snapshot.registration.external_id
    needed = f"StringEquals {_EXTERNAL_ID}: {registered}"
    asked = [each for each in statement.conditions if each.lookup == _EXTERNAL_ID.lower()]
    sent = request.context.get(_EXTERNAL_ID)
    if not asked:
        return _at(
            "external_id_missing",
            ref,
            "Condition",
            f"no condition on {_EXTERNAL_ID}",
            needed,
            "OpenAI's role may assume the role for any other customer of OpenAI: nothing asks "
            "for your external id.",
            f"Add the condition StringEquals {_EXTERNAL_ID}.",
        )
    if sent is None:
        condition = asked[0]
        return _at(
            "external_id_optional",
            ref,
            f"Condition.{condition.operator.text}.{condition.key}",
            condition.operator.text,
            "StringEquals",
            f"A call without an external id passes: {condition.operator.text} is true when it is "
            "missing.",
            "Use StringEquals.",
        )
    return _at(
        "external_id_too_broad",
        ref,
        "Condition",
        shown([value for condition in asked for value in condition.values]),
        needed,
        f"An external id that was not registered passes, such as {sent!r}.",
        "Compare by StringEquals with the registered ids alone.",
    )


def _assumed_by_others(
    ref: StatementRef, statement: Statement, request: Request, *, passes: bool
) -> Warned:
    named = _names_of(statement)
    if request.context.get("aws:PrincipalArn", request.principal) == OPENAI_ROLE_ARN:
        return _at(
            "trust_action_too_broad",
            ref,
            "Action",
            shown(list(statement.actions.texts)),
            "sts:AssumeRole",
            f"OpenAI's role may do more to the role than assume it, such as {request.action}.",
            "Write sts:AssumeRole as its only action.",
        )
    anyone = statement.not_principal or any(
        each.form is PrincipalForm.ANYONE for each in statement.principals or ()
    )
    if anyone:
        return _at(
            "principal_wildcard",
            ref,
            "Principal",
            named,
            OPENAI_ROLE_ARN,
            "Anybody in any AWS account who meets the statement's conditions may assume the role: "
            f"{_such_as(request)}.",
            f"Name {OPENAI_ROLE_ARN}.",
        )
    others = [each.text for each in statement.principals or () if each.text != OPENAI_ROLE_ARN]
    needless = passes and not any(map(may_be_openai, statement.principals or ()))
    return _at(
        "principal_too_broad",
        ref,
        "Principal",
        named,
        OPENAI_ROLE_ARN,
        f"More than OpenAI's one role may assume the role: {shown(others) or named}.",
        NEEDLESS if needless else f"Name {OPENAI_ROLE_ARN} alone.",
        # Offered and never taken by itself: somebody may have meant the statement.
        (Change("remove", ("role", "trust_policy", "Statement", ref.statement)),)
        if needless
        else (),
    )


def may_be_openai(principal: Principal) -> bool:
    """Return whether OpenAI's role may be among those whom a principal names."""
    return principal.form is PrincipalForm.ANYONE or principal.account == OPENAI_ACCOUNT


def _such_as(request: Request) -> str:
    """Return the request as an example: its principal stands for a class, and need not exist."""
    told = ", ".join(
        f"{key} {value if isinstance(value, str) else shown(list(value))}"
        for key, value in request.context.items()
        if key != "aws:PrincipalArn"
    )
    with_ = f" with {told}" if told else ""
    return f"for example {request.principal}, by {request.action}{with_}"


def _does_more(
    ref: StatementRef, statement: Statement, request: Request, documents: Documents
) -> Warned:
    key = documents.key.arn if documents.key is not None else "the key"
    other_action = request.action.lower() not in _TWO
    prefix = "Not" if (statement.not_action if other_action else statement.not_resource) else ""
    texts = (
        statement.actions.texts
        if other_action
        else tuple(each.text for each in statement.resources or ())
    )
    own = ref.document.startswith("permission_policies")
    if not own and documents.key is not None and _is_another_key(ref, documents):
        return _at(
            "permissions_too_broad",
            ref,
            "Principal",
            _names_of(statement),
            f"use of {key} alone",
            f"The policy of another key lets the role in, such as {request.action} on "
            f"{request.resource}.",
            f"Take the role out of that statement: it is for {key} alone.",
        )
    return _at(
        "permissions_too_broad",
        ref,
        f"{prefix}{'Action' if other_action else 'Resource'}",
        shown(list(texts)),
        "kms:Decrypt, kms:Encrypt on the one key",
        f"The role may do more than Encrypt and Decrypt with {key}, such as {request.action} on "
        f"{request.resource}.",
        f"Allow kms:Encrypt and kms:Decrypt on {key} alone."
        if own
        else f"Allow the role no more than kms:Encrypt and kms:Decrypt in {ref.document}.",
    )


def _is_another_key(ref: StatementRef, documents: Documents) -> bool:
    own = documents.key_policy.path if documents.key_policy is not None else ""
    return ref.document.startswith("keys") and ref.document != own


def _key_policy(
    matter: Matter, ref: StatementRef, statement: Statement, request: Request, documents: Documents
) -> Warned:
    role = documents.role.arn if documents.role is not None else "the role"
    members = ("Principal", _names_of(statement))
    caller = parse_caller(request.principal)
    abroad = caller is not None and caller.account not in {"", documents.key_account}
    today = " AWS does not carry out that call from another account today." if abroad else ""
    if matter is Matter.DELETED:
        return _at(
            "key_deletable",
            ref,
            *members,
            "administrators alone",
            "The key policy lets others than the administrators disable the key or delete it: "
            f"{_such_as(request)}.{today}",
            "Take kms:DisableKey, kms:ScheduleKeyDeletion and kms:DeleteImportedKeyMaterial out "
            "of the statement, or list the principal among the administrators.",
        )
    if matter is Matter.POLICY_CHANGED:
        return _at(
            "key_policy_changeable",
            ref,
            *members,
            "administrators alone",
            "The key policy lets others than the administrators change it, and so give themselves "
            f"the use of the key: {_such_as(request)}.{today}",
            "Take kms:PutKeyPolicy out of the statement, or list the principal among the "
            "administrators.",
        )
    administers = statement.actions.cover(_ADMINISTRATION) is not statement.not_action
    return _at(
        "key_policy_too_broad",
        ref,
        *members,
        f"use by {role} alone",
        f"Others than the role can use the key, or get to use it: {_such_as(request)}.",
        "Keep its administration of the key, and take out of it the use of the key (Encrypt, "
        "Decrypt, ReEncrypt, GenerateDataKey and their like), kms:CreateGrant and "
        f"kms:ReplicateKey; let {role} in by a statement of its own, narrowed by ArnEquals "
        "aws:PrincipalArn."
        if administers
        else "Narrow the statement to the role by ArnEquals aws:PrincipalArn, or take the use of "
        "the key out of it.",
    )


def _grant(breach: Breach, ref: StatementRef, documents: Documents, request: Request) -> Warned:
    index = int(ref.document.removeprefix("grants[").removesuffix("]"))
    grants = documents.snapshot.grants
    grant = {} if grants is UNSEEN else grants[index]
    grantee = str(grant.get("grantee_principal"))
    operations = shown(list(grant.get("operations", ())))
    role = documents.role.arn if documents.role is not None else "the role"
    if breach.matter is Matter.DOES_MORE:
        name, needed = "permissions_too_broad", "kms:Decrypt, kms:Encrypt on the one key"
        message = f"The role may do more than Encrypt and Decrypt by a grant: {operations}."
    else:
        name, needed = "granted_to_others", f"no grant to others than {role}"
        message = (
            f"{grantee} may use the key by a grant: {operations}. For example {request.principal}, "
            f"by {request.action}."
        )
    return Warned(
        name,
        ref.document,
        None,
        None,
        "grantee_principal",
        grantee,
        needed,
        message,
        "Revoke the grant unless it is wanted.",
    )
