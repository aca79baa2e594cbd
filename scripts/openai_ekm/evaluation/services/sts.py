"""AWS STS: a role's trust policy says who may assume it.

Sources:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import CallerForm, RequiredGrants

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Caller, Request

__all__ = ["ROLE_ACTIONS", "route"]

ROLE_ACTIONS = frozenset(
    {
        "sts:assumerole",
        "sts:assumerolewithsaml",
        "sts:assumerolewithwebidentity",
        "sts:setcontext",
        "sts:setsourceidentity",
        "sts:tagsession",
    }
)
# "No permissions are required to perform this operation."
UNPERMISSIONED = frozenset({"sts:getcalleridentity", "sts:getsessiontoken"})


def route(
    request: Request, resource: tuple[str, ...] | None, caller: Caller
) -> RequiredGrants | OpenPoint:
    """Return which way a request for an action of sts is decided.

    Args:
        request: The request.
        resource: Its resource's ARN in six parts; None for `*`.
        caller: Who asks.

    Returns:
        The way, or why the request cannot be decided.
    """
    action = request.action.lower()
    if action in UNPERMISSIONED:
        return OpenPoint(f"{request.action} needs no permission, so no policy decides it")
    if action not in ROLE_ACTIONS:
        return RequiredGrants.IDENTITY
    if resource is None or resource[2] != "iam" or not resource[5].startswith("role/"):
        return OpenPoint(f"{request.action} needs the ARN of a role, not {request.resource!r}")
    if caller.form is CallerForm.ROOT:
        return OpenPoint("roles cannot be assumed by an account's root user")
    return RequiredGrants.RESOURCE
