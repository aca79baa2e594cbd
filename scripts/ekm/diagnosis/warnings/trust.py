"""Who else can assume the role, and without which external id.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis import calls, patch, sizes
from ekm.diagnosis.constants import OPENAI_ACCOUNT, OPENAI_ROLE_ARN
from ekm.diagnosis.repairs.repair import shown
from ekm.diagnosis.value import Change, Warned
from ekm.evaluation import Request, decide
from ekm.evaluation.services.sts import ROLE_ACTIONS
from ekm.policy import DocumentKind, MalformedPolicy, parse_document
from ekm.policy.principal import PrincipalForm
from ekm.policy.statement import Effect, Statement
from ekm.snapshot import UNSEEN, Role, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.evaluation import Decision
    from ekm.policy import Principal

__all__ = ["left_open", "warnings"]

_STRANGER: Final = "arn:aws:iam::999988887777:role/somebody-else"
_NEIGHBOUR: Final = f"arn:aws:iam::{OPENAI_ACCOUNT}:role/another-of-openais"
NEEDLESS: Final = (
    "Remove the statement, unless somebody else is meant to have the role: OpenAI comes in by "
    "another."
)
_BRITTLE: Final = {
    PrincipalForm.SESSION: "a session: with another session name OpenAI is refused",
    PrincipalForm.UNIQUE_ID: "the unique id of a principal that was deleted",
}


def warnings(snapshot: Snapshot, *, session_name: str | None) -> Iterator[Warned]:
    """Yield the warnings about the trust policy."""
    role = snapshot.role
    if not isinstance(role, Role) or role.trust_policy is UNSEEN or role.trust_policy is None:
        return
    try:
        document = parse_document(role.trust_policy, DocumentKind.TRUST)
    except MalformedPolicy:
        return
    allows = [each for each in document.statements if each.effect is Effect.ALLOW]
    yield from _external_id(snapshot, session_name, document.statements)
    yield from _principals(snapshot, session_name, allows)
    found = sizes.size(role.trust_policy)
    if sizes.TRUST_BY_DEFAULT < found <= sizes.TRUST_AT_MOST:
        yield Warned(
            "trust_policy_large",
            "trust_policy",
            None,
            None,
            None,
            f"{found} characters",
            f"at most {sizes.TRUST_BY_DEFAULT}",
            f"IAM saves a trust policy of {sizes.TRUST_BY_DEFAULT} characters unless the quota "
            "was raised.",
            "Use fewer external ids, or ask for the quota of 4096.",
        )


def left_open(
    snapshot: Snapshot, repaired: Snapshot, *, session_name: str | None
) -> Iterator[Warned]:
    """Yield the warnings that stay when OpenAI is let in again, about statements as they are now.

    A fix lets OpenAI in and takes away nobody: whom else the policy lets in is told beside it.

    Args:
        snapshot: What was collected; OpenAI is refused.
        repaired: The same with every fix applied.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
    """
    before, after = _statements(snapshot), _statements(repaired)
    for each in warnings(repaired, session_name=session_name):
        if each.statement is None or each.statement >= len(after):
            continue
        kept = after[each.statement]
        if kept not in before:
            continue  # the fix itself wrote it
        index = before.index(kept)
        fix = tuple(replace(change, path=(*change.path[:-1], index)) for change in each.fix)
        yield replace(each, statement=index, fix=fix)


def _statements(snapshot: Snapshot) -> list[Any]:
    """The statements of the trust policy, as they stand there."""
    body = patch.opened(snapshot)
    role = body.get("role")
    policy = role.get("trust_policy") if isinstance(role, dict) else None
    found = policy.get("Statement") if isinstance(policy, dict) else None
    return found if isinstance(found, list) else [found]


def _ask(snapshot: Snapshot, external_id: str | None, session_name: str | None) -> Decision:
    return calls.assume_role(snapshot, external_id=external_id, session_name=session_name).decision


def _external_id(
    snapshot: Snapshot, session_name: str | None, statements: tuple[Statement, ...]
) -> Iterator[Warned]:
    without = _ask(snapshot, None, session_name)
    bare = _allowing(without, statements) if without.allowed else []
    unasked: set[int] = set()
    for statement in bare:
        conditions = [c for c in statement.conditions if c.lookup == "sts:externalid"]
        if not conditions:
            unasked.add(statement.index)
            yield _warned(
                "external_id_missing",
                statement,
                "Condition",
                "no condition on sts:ExternalId",
                f"StringEquals sts:ExternalId: {snapshot.registration.external_id}",
                "OpenAI's role may assume the role for any other customer of OpenAI: nothing asks "
                "for your external id.",
                "Add the condition StringEquals sts:ExternalId.",
            )
            continue
        condition = conditions[0]
        yield _warned(
            "external_id_optional",
            statement,
            f"Condition.{condition.operator.text}.{condition.key}",
            condition.operator.text,
            "StringEquals",
            f"A call without an external id passes: {condition.operator.text} is true when it is "
            "missing.",
            "Use StringEquals.",
        )
    for probe in _probes(snapshot, statements):
        decision = _ask(snapshot, probe, session_name)
        passing = _allowing(decision, statements) if decision.allowed else []
        passing = [each for each in passing if each.index not in unasked]
        for statement in passing:
            yield _warned(
                "external_id_too_broad",
                statement,
                "Condition",
                shown(
                    [v for c in statement.conditions if "externalid" in c.lookup for v in c.values]
                ),
                f"StringEquals sts:ExternalId: {snapshot.registration.external_id}",
                f"An external id that was not registered passes, such as {probe!r}.",
                "Compare by StringEquals with the registered ids alone.",
            )
        if passing:
            return


def _probes(snapshot: Snapshot, statements: tuple[Statement, ...]) -> Iterator[str]:
    """Yield external ids that were not registered and might pass."""
    registration = snapshot.registration
    registered = {registration.external_id, *(registration.external_ids or ())}
    written = [
        value
        for statement in statements
        for condition in statement.conditions
        if condition.lookup == "sts:externalid"
        for value in condition.values
    ]
    probes = ["org-of-somebody-else"]
    probes += [value.replace("*", "x").replace("?", "x") for value in written]
    probes += [value.swapcase() for value in registered] + [f"{value}x" for value in registered]
    yield from (probe for probe in dict.fromkeys(probes) if probe and probe not in registered)


def _principals(
    snapshot: Snapshot, session_name: str | None, allows: list[Statement]
) -> Iterator[Warned]:
    strangers = _passing(snapshot, session_name, _STRANGER, allows)
    neighbours = _passing(snapshot, session_name, _NEIGHBOUR, allows)
    sent = snapshot.registration.external_id
    passes = _ask(snapshot, sent, session_name).allowed
    for statement in allows:
        if not any(
            statement.actions.cover(action) is not statement.not_action for action in ROLE_ACTIONS
        ):
            continue
        needless = passes and not any(map(_may_be_openai, statement.principals or ()))
        texts = [each.text for each in statement.principals or ()]
        others = [
            each.text
            for each in statement.principals or ()
            if each.text != OPENAI_ROLE_ARN
            and each.form not in _BRITTLE
            and each.form is not PrincipalForm.ANYONE
        ]
        if statement.index in strangers:
            yield _warned(
                "principal_wildcard",
                statement,
                "Principal",
                shown(texts),
                OPENAI_ROLE_ARN,
                "Anybody in any AWS account who knows the external id may assume the role.",
                f"Name {OPENAI_ROLE_ARN}.",
            )
        elif statement.index in neighbours or others:
            yield _warned(
                "principal_too_broad",
                statement,
                "Principal",
                shown(texts),
                OPENAI_ROLE_ARN,
                f"More than OpenAI's one role may assume the role: {shown(others or texts)}.",
                NEEDLESS if needless else f"Name {OPENAI_ROLE_ARN} alone.",
                _removal(statement) if needless else (),
            )
        for each in statement.principals or ():
            if each.form in _BRITTLE:
                yield _warned(
                    "principal_brittle",
                    statement,
                    "Principal",
                    each.text,
                    OPENAI_ROLE_ARN,
                    f"{each.text} names {_BRITTLE[each.form]}.",
                    NEEDLESS if needless else f"Name {OPENAI_ROLE_ARN}.",
                    _removal(statement) if needless else (),
                )


def _may_be_openai(principal: Principal) -> bool:
    return principal.form is PrincipalForm.ANYONE or principal.account == OPENAI_ACCOUNT


def _removal(statement: Statement) -> tuple[Change, ...]:
    """Offered and never taken by itself: somebody may have meant the statement."""
    return (Change("remove", ("role", "trust_policy", "Statement", statement.index)),)


def _passing(
    snapshot: Snapshot, session_name: str | None, principal: str, allows: list[Statement]
) -> set[int]:
    """Indices of the statements that let another role of some account in."""
    asked = calls.assume_role(
        snapshot, external_id=snapshot.registration.external_id, session_name=session_name
    )
    context = {k: v for k, v in asked.request.context.items() if k != "aws:PrincipalOrgID"}
    request: Request = replace(
        asked.request, principal=principal, context={**context, "aws:PrincipalArn": principal}
    )
    decision = decide(request, asked.policies)
    found = _allowing(decision, tuple(allows)) if decision.allowed else []
    return {each.index for each in found}


def _allowing(decision: Decision, statements: tuple[Statement, ...]) -> list[Statement]:
    indices = {ref.statement for ref in decision.decided_by if ref.document == "resource"}
    return [each for each in statements if each.index in indices]


def _warned(  # noqa: PLR0917 - a warning's members in their order
    id: str,
    statement: Statement,
    element: str,
    found: str,
    needed: str,
    message: str,
    remedy: str,
    fix: tuple[Change, ...] = (),
) -> Warned:
    where = ("trust_policy", statement.index, statement.sid)
    return Warned(id, *where, element, found, needed, message, remedy, fix)
