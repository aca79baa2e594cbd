"""Conditions that OpenAI's calls are not known to meet.

Source: wire contract 2.2 and 6 (what is public about OpenAI's calls);
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis.repairs.repair import Repair, shown
from ekm.policy.principal import PrincipalForm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.repairs.repair import Site
    from ekm.policy.statement import Condition

__all__ = ["reason", "repairs"]

_MANY: Final = (PrincipalForm.ACCOUNT, PrincipalForm.ANYONE)

# Beginning of a condition key in lower case -> (kind of fault, why the call does not meet it).
_REASONS: Final = {
    "aws:principalorg": (
        "condition_organization",
        "OpenAI's role is in OpenAI's organization, not in yours",
    ),
    "aws:sourceorg": ("condition_organization", "OpenAI's call does not come from a service"),
    "aws:sourceip": (
        "condition_source_ip",
        "OpenAI publishes no addresses, and may call from any",
    ),
    "aws:vpcsourceip": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:sourcevpc": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:vpce": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:multifactorauth": ("condition_mfa", "OpenAI's service signs in without MFA"),
    "aws:principaltag": ("condition_tag", "OpenAI passes no tags, and no such tag was seen on it"),
    "aws:requesttag": ("condition_tag", "OpenAI passes no tags"),
    "aws:tagkeys": ("condition_tag", "OpenAI passes no tags"),
    "sts:transitivetagkeys": ("condition_tag", "OpenAI passes no tags"),
    "aws:resourcetag": ("condition_tag", "no such tag was seen on it"),
    "kms:encryptioncontext": (
        "condition_encryption_context",
        "OpenAI is not known to send an encryption context",
    ),
    "kms:viaservice": (
        "condition_via_service",
        "OpenAI calls KMS itself, not through another service",
    ),
    "kms:grantisforawsresource": ("condition_via_service", "OpenAI makes no grants"),
    "aws:calledvia": ("condition_via_service", "OpenAI calls KMS itself"),
    "aws:viaawsservice": ("condition_via_service", "OpenAI calls KMS itself"),
    "aws:principalisawsservice": ("condition_service", "OpenAI's principal is a role"),
    "aws:principalservicename": ("condition_service", "OpenAI's principal is a role"),
    "aws:sourcearn": ("condition_service", "OpenAI's principal is a role, not a service"),
    "aws:sourceaccount": ("condition_service", "OpenAI's principal is a role, not a service"),
    "aws:currenttime": ("condition_date", "the time that it allows is not all the time from now"),
    "aws:epochtime": ("condition_date", "the time that it allows is not all the time from now"),
    "aws:tokenissuetime": ("condition_date", "when OpenAI's session began is not known"),
    "sts:rolesessionname": (
        "condition_session_name",
        "OpenAI does not publish the name of its session",
    ),
    "aws:userid": ("condition_session_name", "the session's id holds a name that is not public"),
    "sts:sourceidentity": ("condition_source_identity", "OpenAI sets no source identity"),
    "aws:sourceidentity": ("condition_source_identity", "OpenAI sets no source identity"),
    "kms:recipientattestation": ("condition_attestation", "OpenAI sends no attestation to you"),
    "kms:resourcealiases": ("condition_alias", "the key has no such alias"),
    "kms:requestalias": ("condition_alias", "the call does not name the key by such an alias"),
    "aws:useragent": ("condition_user_agent", "OpenAI's user agent is not public"),
    "aws:referer": ("condition_user_agent", "OpenAI sends no referer"),
}


def reason(lookup: str) -> tuple[str, str] | None:
    """Return the kind of fault and why, for a condition key in lower case."""
    return next((why for key, why in _REASONS.items() if lookup.startswith(key)), None)


def repairs(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield the removal of a condition that the call does not meet."""
    operator, key = condition.operator.text, condition.key
    kind_of_fault, why = reason(condition.lookup) or (
        "condition_not_met",
        "OpenAI's call is not known to meet it",
    )
    if kind_of_fault == "condition_organization" and not site.assumes:
        why = "OpenAI uses the key as your own role, which is in no such organization"
    seen = site.situation.context.get(condition.lookup)
    carries = "carries no such key" if seen is None else f"has {shown(seen)}"
    guard = _guard(site, condition)
    instead = f"{guard[0]} {guard[1]}: {shown(guard[2])}" if guard else ""
    yield Repair(
        kind_of_fault,
        f"Condition.{operator}.{key}",
        f"{operator} {key}: {shown(list(condition.values))}",
        instead or "no such condition",
        f"The condition {operator} {key} is not met: the call {carries}; {why}.",
        f"Write {instead} in its place, so that nobody else is let in."
        if guard
        else f"Remove the condition on {key} from this statement.",
        (site.renamed(condition, *guard) if guard else site.without(condition),),
        cost=1.1,
    )


def _guard(site: Site, condition: Condition) -> tuple[str, str, Any] | None:
    """What has to stand in a removed condition's place, for it may be all that narrows."""
    if site.layer != "resource":
        return None
    left = {each.lookup for each in site.statement.conditions if each is not condition}
    if site.assumes:
        registered = [site.snapshot.registration.external_id]
        guard: tuple[str, str, Any] = ("StringEquals", "sts:ExternalId", registered)
    elif any(each.form in _MANY for each in site.statement.principals or ()):
        guard = ("ArnEquals", "aws:PrincipalArn", site.caller_arn)
    else:
        return None
    return None if guard[1].lower() in left else guard
