"""Conditions that OpenAI's calls are not known to meet.

Sources: docs/reference/openai-api.md#calls-in-aws (what is public about OpenAI's calls),
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.repairs.repair import Repair, condition_text, shown
from openai_ekm.diagnosis.result import Change
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.policy.principal import PrincipalForm
from openai_ekm.snapshot import UNSEEN, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.repairs.repair import Site
    from openai_ekm.evaluation.request import Situation
    from openai_ekm.policy.conditions import Condition

__all__ = ["encryption_context", "find_unsatisfiable", "of_the_call", "repairs", "tagged"]

_MANY: Final = (PrincipalForm.ACCOUNT, PrincipalForm.ANYONE)

# Beginning of a condition key in lower case -> (kind of fault, why the call does not meet it).
_REASONS: Final = {
    "aws:principalorg": (
        "condition_organization",
        "OpenAI's role is in OpenAI's organization, not in yours",
    ),
    "aws:sourceorg": ("condition_organization", "OpenAI's call does not come from a service"),
    "aws:sourceip": ("condition_source_ip", "OpenAI publishes no addresses, and may call from any"),
    "aws:vpcsourceip": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:sourcevpc": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:vpce": ("condition_vpc_endpoint", "OpenAI's calls come through no VPC endpoint"),
    "aws:multifactorauth": ("condition_mfa", "OpenAI's service signs in without MFA"),
    "aws:principaltag": ("condition_tag", "the role has no such tag, and OpenAI passes none"),
    "aws:requesttag": ("condition_tag", "OpenAI passes no tags"),
    "aws:tagkeys": ("condition_tag", "OpenAI passes no tags"),
    "sts:transitivetagkeys": ("condition_tag", "OpenAI passes no tags"),
    "aws:resourcetag": ("condition_tag", "what the call is about has no such tag"),
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
    "aws:currenttime": ("condition_date", "it does not allow all the time from then on"),
    "aws:epochtime": ("condition_date", "it does not allow all the time from then on"),
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


def find_unsatisfiable(lookup: str) -> tuple[str, str] | None:
    """Return the kind of fault and why, for a condition key in lower case."""
    return next((why for key, why in _REASONS.items() if lookup.startswith(key)), None)


# Kinds of fault whose reason is true of a call that carries the key as well.
_WITH_A_VALUE: Final = {
    "condition_source_ip",
    "condition_date",
    "condition_session_name",
    "condition_service",
    "condition_user_agent",
}


def of_the_call(site: Site, condition: Condition) -> str:
    """Say what the call carries under a condition's key, and why.

    Args:
        site: The statement and the call.
        condition: One of the statement's, which may hold or not.

    Returns:
        Such as `a call that carries no kms:ViaService (OpenAI calls KMS itself, …)`.
    """
    seen = site.situation.context.get(condition.lookup)
    why = _why(site, condition)
    because = f" ({why})" if why else ""
    if seen is None:
        return f"a call that carries no {condition.key}{because}"
    return f"a call whose {condition.key} is {shown(seen)}{because}"


def _why(site: Site, condition: Condition) -> str | None:
    """Say why the call carries what it carries; nothing where no reason is known to be true."""
    known = find_unsatisfiable(condition.lookup)
    if known is None:
        return None
    kind_of_fault, why = known
    if site.situation.context.get(condition.lookup) is not None:
        return why if kind_of_fault in _WITH_A_VALUE else None
    if kind_of_fault == "condition_organization" and not site.assumes:
        return "OpenAI uses the key as your own role, which is in no organization that was seen"
    if kind_of_fault == "condition_tag":
        return _why_no_tag(site, condition.lookup) or why
    if kind_of_fault == "condition_alias" and site.snapshot.aliases is UNSEEN:
        return "the aliases were not collected"
    return why


def _why_no_tag(site: Site, lookup: str) -> str | None:
    role = site.snapshot.role
    if site.assumes and lookup.startswith("aws:principaltag"):
        return "OpenAI's role is OpenAI's to tag, and its tags are not public"
    holder: Any = role if isinstance(role, Role) else None
    if not site.assumes and lookup.startswith("aws:resourcetag"):
        keys = () if site.snapshot.keys is UNSEEN else site.snapshot.keys
        holder = next((key for key in keys if key.arn == site.resource), None)
    unseen = holder is not None and holder.tags is UNSEEN
    return "its tags were not collected" if unseen else None


def encryption_context(situation: Situation) -> str:
    """Return the encryption context of a call as text."""
    pairs = [
        f"{key.partition(':')[2].partition(':')[2]}={shown(value)}"
        for key, value in situation.request.context.items()
        if lower_ascii(key).startswith("kms:encryptioncontext:")
    ]
    return ", ".join(pairs) or "empty"


def tagged(site: Site, condition: Condition, value: str) -> Change | None:
    """Return the change that gives the role a tag, where that is for the customer to do.

    Args:
        site: A statement about the role's use of the key.
        condition: On `aws:PrincipalTag/NAME`.
        value: The tag's value.
    """
    role = site.snapshot.role
    name = condition.key.partition("/")[2]
    if site.assumes or site.layer == "resource" or not isinstance(role, Role):
        return None
    if not condition.lookup.startswith("aws:principaltag/") or not name or "$" in value:
        return None
    if role.tags is UNSEEN:
        return Change("add", ("role", "tags"), {name: value})
    there = next((tag for tag in role.tags if lower_ascii(tag) == lower_ascii(name)), name)
    return Change("replace" if there in role.tags else "add", ("role", "tags", there), value)


def _tag(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield the tag that a condition asks for, put on the role."""
    operator, key = condition.operator, condition.key
    if operator.negated:
        return
    for value in condition.values[:3]:
        if "*" in value or "?" in value or operator.text.startswith(("Null", "Bool", "Numeric")):
            continue
        change = tagged(site, condition, value)
        if change is None:
            continue
        name = key.partition("/")[2]
        yield Repair(
            "condition_tag",
            f"Condition.{operator.text}.{key}",
            condition_text(condition),
            f"the tag {name}={value} on the role",
            f"The condition {operator.text} {key} is not met by {of_the_call(site, condition)}.",
            f"Tag the role: {name}={value}.",
            (change,),
        )


def repairs(site: Site, condition: Condition) -> Iterator[Repair]:
    """Yield the role's tag where one is asked for, and the removal of what the call cannot meet."""
    yield from _tag(site, condition)
    operator, key = condition.operator.text, condition.key
    kind_of_fault, _ = find_unsatisfiable(condition.lookup) or ("condition_not_met", "")
    guard = _guard(site, condition)
    instead = f"{guard[0]} {guard[1]}: {shown(guard[2])}" if guard else ""
    yield Repair(
        kind_of_fault,
        f"Condition.{operator}.{key}",
        condition_text(condition),
        instead or "no such condition",
        f"The condition {operator} {key} is not met by {of_the_call(site, condition)}.",
        f"Write {instead} in its place, so that nobody else is let in."
        if guard
        else f"Remove the condition on {key} from this statement.",
        (site.renamed(condition, *guard) if guard else site.without(condition),),
        cost=1.1,
    )


def _guard(site: Site, condition: Condition) -> tuple[str, str, Any] | None:
    """Return what has to stand in a removed condition's place, for it may be all that narrows."""
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
    return None if lower_ascii(guard[1]) in left else guard
