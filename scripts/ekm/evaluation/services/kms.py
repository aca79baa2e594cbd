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

from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.services.route import Route

if TYPE_CHECKING:
    from ekm.evaluation.request import Situation

__all__ = ["ALIAS_ACTIONS", "KEYLESS_ACTIONS", "is_key", "route"]

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


def is_key(situation: Situation) -> bool:
    """Whether the resource is a key's ARN."""
    resource = situation.resource
    return resource is not None and resource[2] == "kms" and resource[5].startswith("key/")


def route(situation: Situation) -> Route | OpenPoint:
    """Which way a request for an action of kms is decided."""
    action = situation.request.action
    resource = situation.resource
    if situation.action in KEYLESS_ACTIONS:
        if resource is None:
            return Route.IDENTITY
        return OpenPoint(f"{action} has no key: its resource is *")
    if is_key(situation):
        return Route.RESOURCE
    if resource is not None and resource[2] == "kms" and resource[5].startswith("alias/"):
        if situation.action in ALIAS_ACTIONS:
            return Route.IDENTITY
        return OpenPoint(
            f"{action} is decided on the ARN of the key, never on {situation.request.resource}"
        )
    return OpenPoint(f"{action} needs the ARN of a key, not {situation.request.resource!r}")
