"""What differs from service to service: which document must allow, and on what resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.services import kms, sts
from ekm.evaluation.services.route import Route

if TYPE_CHECKING:
    from ekm.evaluation.request import Situation

__all__ = ["Route", "route"]


def route(situation: Situation, *, has_resource_policy: bool) -> Route | OpenPoint:
    """Which way a request is decided.

    Args:
        situation: The request.
        has_resource_policy: Whether a policy of the resource is in force.

    Returns:
        The way, or why the request cannot be decided.
    """
    if situation.service == "kms":
        return kms.route(situation)
    if situation.service == "sts":
        return sts.route(situation)
    if has_resource_policy:
        return OpenPoint(f"resource policies of {situation.service} are not decided here")
    return Route.IDENTITY
