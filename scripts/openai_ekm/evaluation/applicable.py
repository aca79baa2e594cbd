"""The statements in force that cover one action, by layer of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.statements import Covering, covering
from openai_ekm.policy.light import light
from openai_ekm.policy.statement import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.evaluation.policies import PolicyLayer, PreparedPolicies

__all__ = ["ApplicableStatements", "Guardrail", "applicable_statements"]


@light(frozen=True, slots=True)
class Guardrail:
    """One level of service or resource control policies.

    Args:
        name: What answers call it.
        documents: The level's documents.
        statements: Those that cover the action.
        about_caller: Whether it is of the caller's account: AWS services have none.
    """

    name: str
    documents: PolicyLayer
    statements: Covering
    about_caller: bool


@light(frozen=True, slots=True)
class ApplicableStatements:
    """For each layer of policies the statements that cover one action.

    Args:
        identity: Of the identity policies.
        resource: Of the resource's policy; None when there is none.
        boundary: Of the permissions boundary; None when there is none.
        session: Of the session policy; None when there is none.
        guardrails: The levels of RCPs and SCPs that bear on the action.
        denies: Whether any of these statements denies.
    """

    identity: Covering
    resource: Covering | None
    boundary: Covering | None
    session: Covering | None
    guardrails: tuple[Guardrail, ...]
    denies: bool


def applicable_statements(policies: PreparedPolicies, action: str) -> ApplicableStatements:
    """Look at policies from one action.

    Args:
        policies: The policies in force.
        action: In lower case.

    Returns:
        What of them covers it. No RCP bears on `kms:RetireGrant`.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """
    resource, boundary, session = policies.resource, policies.permissions_boundary, policies.session
    guardrails: tuple[Guardrail, ...] = ()
    if policies.rcps and action != "kms:retiregrant":
        guardrails = _levels("resource", policies.rcps, action)
    if policies.scps:
        guardrails += _levels("service", policies.scps, action)
    by_layer = (
        covering(policies.identity, action) if policies.identity else (),
        None if resource is None else covering((resource,), action),
        None if boundary is None else covering((boundary,), action),
        None if session is None else covering((session,), action),
    )
    looked_at = (*by_layer, *[each.statements for each in guardrails])
    return ApplicableStatements(*by_layer, guardrails, _denies(looked_at))


def _denies(layers: Iterable[Covering | None]) -> bool:
    for layer in layers:
        if layer:
            for statement, _ in layer:
                if statement.effect is Effect.DENY:
                    return True
    return False


def _levels(kind: str, levels: Iterable[PolicyLayer], action: str) -> tuple[Guardrail, ...]:
    return tuple(
        [
            Guardrail(
                f"{kind} control policies at level {index}",
                level,
                covering(level, action),
                about_caller=kind == "service",
            )
            for index, level in enumerate(levels)
        ]
    )
