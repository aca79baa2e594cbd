"""Which elements a statement has, and which it may have in each kind of document.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ekm.policy.kinds import DocumentKind
from ekm.policy.malformed import MalformedPolicy

__all__ = ["Form", "form_of"]

ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
NAMES_PRINCIPALS = frozenset({DocumentKind.TRUST, DocumentKind.KEY, DocumentKind.RCP})


@dataclass(frozen=True, slots=True)
class Form:
    """The elements of a statement, by what they are for.

    Args:
        sid: Whether it has a Sid.
        principal: `Principal`, `NotPrincipal`, or None in documents that name nobody.
        not_principal: Whether it is `NotPrincipal`.
        action: `Action` or `NotAction`.
        not_action: Whether it is `NotAction`.
        resource: `Resource`, `NotResource`, or None in a trust policy.
        not_resource: Whether it is `NotResource`.
        condition: Whether it has a Condition.
    """

    sid: bool
    principal: str | None
    not_principal: bool
    action: str
    not_action: bool
    resource: str | None
    not_resource: bool
    condition: bool


# Statements come in few forms. What is refused raises, and is not kept.
@lru_cache(maxsize=4096)
def form_of(names: tuple[str, ...], kind: DocumentKind) -> Form:
    """Check which elements a statement has.

    Args:
        names: Its members.
        kind: The kind of document that it stands in.

    Returns:
        Its form.

    Raises:
        MalformedPolicy: An element is unknown, missing, out of place, or beside its inverse.
    """
    for name in names:
        if name not in ELEMENTS:
            raise MalformedPolicy(f"{name!r} is not an element of a statement")
    if "Effect" not in names:
        raise MalformedPolicy("the statement has no Effect")
    principal = _principal(names, kind)
    action = _either(names, "Action", "NotAction")
    if action is None:
        raise MalformedPolicy("the statement has neither Action nor NotAction")
    if kind is DocumentKind.RCP and action == "NotAction":
        raise MalformedPolicy("a resource control policy takes no NotAction", action)
    resource = _either(names, "Resource", "NotResource")
    if kind is DocumentKind.TRUST and resource:
        raise MalformedPolicy("a trust policy is about its own role", resource)
    if kind is not DocumentKind.TRUST and resource is None:
        raise MalformedPolicy("the statement has neither Resource nor NotResource")
    return Form(
        sid="Sid" in names,
        principal=principal,
        not_principal=principal == "NotPrincipal",
        action=action,
        not_action=action == "NotAction",
        resource=resource,
        not_resource=resource == "NotResource",
        condition="Condition" in names,
    )


def _principal(names: tuple[str, ...], kind: DocumentKind) -> str | None:
    element = _either(names, "Principal", "NotPrincipal")
    if kind not in NAMES_PRINCIPALS:
        if element:
            raise MalformedPolicy(f"no principal stands in an {kind.value} policy", element)
        return None
    if element is None:
        raise MalformedPolicy("the statement names no Principal")
    if element == "NotPrincipal" and kind is not DocumentKind.KEY:
        raise MalformedPolicy(f"a {kind.value} policy takes no NotPrincipal", element)
    return element


def _either(names: tuple[str, ...], name: str, inverse: str) -> str | None:
    """Which of an element and its inverse a statement has."""
    if name in names:
        if inverse in names:
            raise MalformedPolicy(f"{name} and {inverse} cannot stand in one statement", inverse)
        return name
    return inverse if inverse in names else None
