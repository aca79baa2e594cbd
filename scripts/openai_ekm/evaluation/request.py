"""A request: its caller, action, resource and context.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(which keys follow from principal and resource)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.policy.arn import Arn, is_account, parse_arn
from openai_ekm.policy.letters import has_ascii_name, in_any_case
from openai_ekm.policy.light import light
from openai_ekm.policy.text_cache import cached_by_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "Caller",
    "CallerForm",
    "Context",
    "Request",
    "RequiredGrants",
    "Situation",
    "derive",
    "parse_caller",
]


class RequiredGrants(StrEnum):
    """The way in which a request is decided.

    RESOURCE: the resource's own policy is the root of all access to it (role, key).
    IDENTITY: the caller's identity policies decide.
    """

    RESOURCE = "resource"
    IDENTITY = "identity"


class CallerForm(StrEnum):
    """The kind of principal that a caller is."""

    SESSION = "role session"
    ROLE = "session of a role under no particular name"
    USER = "user"
    FEDERATED_USER = "federated user"
    ROOT = "root user"
    SERVICE = "service"
    PROVIDER = "identity provider"


IDENTITIES = {
    "role": CallerForm.ROLE,
    "user": CallerForm.USER,
    "saml-provider": CallerForm.PROVIDER,
    "oidc-provider": CallerForm.PROVIDER,
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal as a request names it.

    Args:
        form: What it is.
        text: Its ARN, or a service's name.
        partition: Of the ARN; empty for a service.
        account: Its account; empty for a service.
        name: Role or user name without path, session's role name, service name.
        role_arn: Of a session the role behind it, without path when only the session is known;
            of a role the role; else empty.
    """

    form: CallerForm
    text: str
    partition: str
    account: str
    name: str
    role_arn: str = ""

    @property
    def is_session_of_role(self) -> bool:
        """Return whether it acts with a role's temporary credentials."""
        return self.form in (CallerForm.SESSION, CallerForm.ROLE)


@cached_by_text(maxsize=4096)
def parse_caller(text: str) -> Caller | None:
    """Read who makes a request.

    Args:
        text: The ARN of a session, role, user, federated user, root user or identity provider,
            or the name of a service.

    Returns:
        The caller, or None when the text is none of these.
    """
    if "*" in text or "?" in text:
        return None
    arn = parse_arn(text)
    if arn is None:
        if text.endswith((".amazonaws.com", ".amazonaws.com.cn")) and ":" not in text:
            return Caller(CallerForm.SERVICE, text, "", "", text)
        return None
    if arn.region or not is_account(arn.account):
        return None
    if arn.service == "sts":
        return _session(arn, text)
    return _identity(arn, text) if arn.service == "iam" else None


def _identity(arn: Arn, text: str) -> Caller | None:
    if arn.resource == "root":
        return Caller(CallerForm.ROOT, text, arn.partition, arn.account, "root")
    kind, _, rest = arn.resource.partition("/")
    name = rest.rpartition("/")[2]
    form = IDENTITIES.get(kind)
    if form is None or not name:
        return None
    role_arn = text if form is CallerForm.ROLE else ""
    return Caller(form, text, arn.partition, arn.account, name, role_arn)


def _session(arn: Arn, text: str) -> Caller | None:
    kind, _, rest = arn.resource.partition("/")
    name, slash, session = rest.partition("/")
    if kind == "federated-user" and name and not slash:
        return Caller(CallerForm.FEDERATED_USER, text, arn.partition, arn.account, name)
    if kind != "assumed-role" or not name or not session or "/" in session:
        return None
    role_arn = f"arn:{arn.partition}:iam::{arn.account}:role/{name}"
    return Caller(CallerForm.SESSION, text, arn.partition, arn.account, name, role_arn)


Value = str | tuple[str, ...]

SERVICE_LINKED_PATH = ":role/aws-service-role/"


@light(frozen=True, slots=True)
class Request:
    """One request.

    Args:
        principal: ARN of a session, role (a session of it under no particular name), user or
            root user, or the name of a service.
        action: `service:Action`.
        resource: Full ARN of role or key, or `*` for an action without a resource.
        resource_account: Twelve digits; None when the resource's ARN says it.
        context: The whole request context: a string, or several for a multivalued key.
    """

    principal: str
    action: str
    resource: str
    resource_account: str | None = None
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


@light(frozen=True, slots=True)
class Situation:
    """A request in the form in which statements are compared with it.

    Args:
        request: As it was asked.
        caller: Who asks.
        role_arn: The role behind the caller, with its path where the context says it.
        path_known: Whether that path is known.
        action: In lower case.
        service: The part of the action before its colon.
        resource: The resource's ARN in six parts; None for `*`.
        resource_account: Whose resource it is; empty when unknown.
        region: Where the resource is; empty when it has none.
        way: Whose word it needs, or why that is not known (`openai_ekm.evaluation.services.way`).
        context: Its keys and values.
        bounded: Whether the caller has a permissions boundary.
    """

    request: Request
    caller: Caller
    role_arn: str
    path_known: bool
    action: str
    service: str
    resource: tuple[str, ...] | None
    resource_account: str
    region: str
    way: RequiredGrants | OpenPoint | None
    context: Context
    bounded: bool

    @property
    def service_linked(self) -> bool:
        """Return whether the caller is a session of a service-linked role (its path says so)."""
        return SERVICE_LINKED_PATH in self.role_arn


@light(frozen=True, slots=True)
class Context:
    """The condition keys of a request, by lower-case name.

    A key that follows from principal and resource is derived when it is absent; no other is.

    Args:
        given: What the request says.
        derived: What follows, by lower-case name.
        foreign: Whether a key that the request says holds a character outside ASCII.
    """

    given: Mapping[str, Value]
    derived: Mapping[str, str]
    foreign: bool = False

    def get(self, lookup: str) -> Value | None:
        """Return the value of a key in lower case; None when the request has none."""
        value = self.given.get(lookup)
        return self.derived.get(lookup) if value is None else value

    def single(self, lookup: str) -> str | None:
        """Return the value of a key in lower case; None when the request has none, or a list."""
        value = self.get(lookup)
        return value if isinstance(value, str) else None

    def open_name(self, lookup: str) -> OpenPoint | None:
        """Return why it is open which value a key's name means; None when it is not open.

        Case is folded in ASCII only. AWS does not say whether a letter outside it is the same in
        another case, or as an ASCII letter that it folds to.

        Args:
            lookup: The key in lower case.
        """
        if not has_ascii_name(lookup):
            return OpenPoint(f"{lookup} is not the name of a condition key")
        if self.get(lookup) is not None:
            return None
        wanted = in_any_case(lookup)
        for key in self.given:
            if in_any_case(key) == wanted:
                both = f"{lookup} and {key}"
                return OpenPoint(f"AWS does not say whether {both} are one condition key")
        return None


@lru_cache(maxsize=4096)
def derive(
    principal: str, role_arn: str, service: str, account: str, region: str
) -> Mapping[str, str]:
    """Return what the context holds because of who asks, and about what.

    Args:
        principal: Who asks; a principal that `parse_caller` reads.
        role_arn: The role behind the caller, or empty.
        service: Of the action.
        account: The resource's account, or empty.
        region: The resource's Region, or empty.

    Returns:
        Keys in lower case and their values.
    """
    caller = parse_caller(principal)
    if caller is None or caller.form is CallerForm.PROVIDER:
        keys = {}
    elif caller.form is CallerForm.SERVICE:
        keys = {"aws:principalisawsservice": "true", "aws:principalservicename": caller.name}
    else:
        keys = {
            "aws:principalarn": role_arn or caller.text,
            "aws:principalaccount": caller.account,
            "aws:principaltype": TYPES[caller.form],
            "aws:principalisawsservice": "false",
        }
        if caller.form is CallerForm.USER:
            keys["aws:username"] = caller.name
        elif caller.form is CallerForm.ROOT:
            keys["aws:userid"] = caller.account
        if service == "kms":
            keys["kms:calleraccount"] = caller.account
    if account:
        keys["aws:resourceaccount"] = account
    if region and service == "kms":
        keys["aws:requestedregion"] = region
    return MappingProxyType(keys)


TYPES: dict[CallerForm, str] = {
    CallerForm.SESSION: "AssumedRole",
    CallerForm.ROLE: "AssumedRole",
    CallerForm.USER: "User",
    CallerForm.FEDERATED_USER: "FederatedUser",
    CallerForm.ROOT: "Account",
}
