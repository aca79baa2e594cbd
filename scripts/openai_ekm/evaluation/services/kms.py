"""AWS KMS: the key policy is the root of all access to a key.

For cryptographic operations the resource is always the key's ARN, whatever the caller named: an
alias under Resource matches operations on aliases, never the key behind it.

Sources:
https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import RequiredGrants

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Request

__all__ = ["ALIAS_ACTIONS", "KEYLESS_ACTIONS", "route"]

# Decided on `*`: they have no key, so no key policy can have a say.
KEYLESS_ACTIONS = frozenset(
    {
        "kms:connectcustomkeystore",
        "kms:createcustomkeystore",
        "kms:createkey",
        "kms:deletecustomkeystore",
        "kms:describecustomkeystores",
        "kms:disconnectcustomkeystore",
        "kms:generaterandom",
        "kms:listaliases",
        "kms:listkeys",
        "kms:listretirablegrants",
        "kms:updatecustomkeystore",
    }
)
# Decided twice: on the alias by identity policies, on the key by its policy.
ALIAS_ACTIONS = frozenset({"kms:createalias", "kms:deletealias", "kms:updatealias"})


def route(request: Request, resource: tuple[str, ...] | None) -> RequiredGrants | OpenPoint:
    """Return which way a request for an action of kms is decided.

    Args:
        request: The request.
        resource: Its resource's ARN in six parts; None for `*`.

    Returns:
        The way, or why the request cannot be decided.
    """
    asked = request.action
    action = asked.lower()
    if action in KEYLESS_ACTIONS:
        if resource is None:
            return RequiredGrants.IDENTITY
        return OpenPoint(f"{asked} has no key: its resource is *")
    named = resource[5] if resource is not None and resource[2] == "kms" else ""
    if named.startswith("key/"):
        return RequiredGrants.RESOURCE
    if named.startswith("alias/"):
        if action in ALIAS_ACTIONS:
            return RequiredGrants.IDENTITY
        return OpenPoint(f"{asked} is decided on the ARN of the key, never on {request.resource}")
    return OpenPoint(f"{asked} needs the ARN of a key, not {request.resource!r}")
