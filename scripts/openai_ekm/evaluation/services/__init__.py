"""The rules of each service: which document must allow, and on which resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import RequiredGrants
from openai_ekm.evaluation.services import kms, sts

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Caller, Request, Situation

__all__ = ["route", "way"]


def way(
    request: Request, service: str, resource: tuple[str, ...] | None, caller: Caller
) -> RequiredGrants | OpenPoint | None:
    """Return which way a request is decided, as far as that follows from what is asked.

    Args:
        request: The request.
        service: Of its action.
        resource: Its resource's ARN in six parts; None for `*`.
        caller: Who asks.

    Returns:
        The way, or why the request cannot be decided; None for a service whose resource policies
        are not read here.
    """
    if service == "kms":
        return kms.route(request, resource)
    if service == "sts":
        return sts.route(request, resource, caller)
    return None


def route(situation: Situation, *, has_resource_policy: bool) -> RequiredGrants | OpenPoint:
    """Return which way a request is decided.

    Args:
        situation: The request.
        has_resource_policy: Whether a policy of the resource is in force.

    Returns:
        The way, or why the request cannot be decided.
    """
    if situation.way is not None:
        return situation.way
    if has_resource_policy:
        return OpenPoint(f"resource policies of {situation.service} are not decided here")
    return RequiredGrants.IDENTITY
