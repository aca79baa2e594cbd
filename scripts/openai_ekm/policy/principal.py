"""Whom a statement of a resource policy names.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from openai_ekm.policy.arn import is_account, parse_arn
from openai_ekm.policy.malformed import MalformedPolicy, each_of

__all__ = ["PRINCIPAL_TYPES", "Principal", "PrincipalForm", "parse_principal", "parse_principals"]

PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")

UNIQUE_ID_LENGTH = 16


class PrincipalForm(StrEnum):
    """The kind of thing that a principal names."""

    ANYONE = "anyone"
    ACCOUNT = "account"
    ROLE = "role"
    SESSION = "role session"
    USER = "user"
    FEDERATED_USER = "federated user"
    UNIQUE_ID = "unique id"
    SERVICE = "service"
    FEDERATED = "identity provider"


@dataclass(frozen=True, slots=True)
class Principal:
    """One principal of a statement.

    Args:
        form: What it names.
        text: As the policy spells it.
        partition: Of an ARN; None for an account id, a service, `*` or a unique id.
        account: Twelve digits, or None where the form has none.
    """

    form: PrincipalForm
    text: str
    partition: str | None = None
    account: str | None = None


def parse_principal(kind: str, text: str) -> Principal:
    """Read one principal.

    Args:
        kind: The member of the Principal element that it stands under: `AWS`, `Service`, …
        text: Its value.

    Returns:
        The principal.

    Raises:
        MalformedPolicy: Not a form that AWS saves; a part of a name or ARN replaced by a
            wildcard is the commonest.
    """
    if kind == "AWS":
        return _aws(text)
    if "*" in text or "?" in text:
        raise MalformedPolicy(f"{text!r}: no wildcard may stand under {kind}")
    if kind == "Service":
        return _service(text)
    if kind == "Federated":
        arn = parse_arn(text)
        if arn is None and "." not in text:
            raise MalformedPolicy(f"{text!r} is neither a provider's domain nor its ARN")
        return Principal(PrincipalForm.FEDERATED, text)
    raise MalformedPolicy(f"{kind!r} is not a type of principal that this policy takes")


def parse_principals(kind: str, texts: tuple[str, ...]) -> tuple[Principal, ...]:
    """Read the principals under one type.

    Args:
        kind: The type: `AWS`, `Service`, …
        texts: Its values.

    Returns:
        The principals.

    Raises:
        MalformedPolicy: One is not a principal; its place is its index in brackets.
    """
    return each_of(texts, partial(parse_principal, kind))


def _aws(text: str) -> Principal:
    if text == "*":
        return Principal(PrincipalForm.ANYONE, text)
    if is_account(text):
        return Principal(PrincipalForm.ACCOUNT, text, None, text)
    if "*" in text or "?" in text:
        raise MalformedPolicy(
            f"{text!r}: a wildcard stands for everyone or not at all, never for a part of a name"
        )
    arn = parse_arn(text)
    if arn is None:
        if len(text) >= UNIQUE_ID_LENGTH and text.isascii() and text.isalnum() and text.isupper():
            return Principal(PrincipalForm.UNIQUE_ID, text)
        raise MalformedPolicy(f"{text!r} is not an account, an ARN of a principal, or *")
    form = _arn_form(arn.service, arn.resource)
    if form is None or arn.region or not is_account(arn.account):
        raise MalformedPolicy(f"{text!r} is not the ARN of an account, role, session or user")
    return Principal(form, text, arn.partition, arn.account)


def _arn_form(service: str, resource: str) -> PrincipalForm | None:
    kind, slash, name = resource.partition("/")
    if service == "iam":
        if resource == "root":
            return PrincipalForm.ACCOUNT
        if slash and name and not name.endswith("/"):
            return {"role": PrincipalForm.ROLE, "user": PrincipalForm.USER}.get(kind)
    if service == "sts" and name:
        if kind == "federated-user":
            return PrincipalForm.FEDERATED_USER
        role, slash, session = name.partition("/")
        if kind == "assumed-role" and role and session and "/" not in session:
            return PrincipalForm.SESSION
    return None


def _service(text: str) -> Principal:
    plain = text.replace(".", "").replace("-", "")
    if "." not in text or not (plain.isascii() and plain.isalnum() and text == text.lower()):
        raise MalformedPolicy(f"{text!r} is not a service principal (service.amazonaws.com)")
    return Principal(PrincipalForm.SERVICE, text)
