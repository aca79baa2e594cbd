"""The caller: the principal that makes a request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openai_ekm.policy.arn import Arn, is_account, parse_arn
from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["Caller", "CallerForm", "parse_caller"]


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
