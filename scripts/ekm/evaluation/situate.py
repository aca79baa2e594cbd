"""From a request as it is asked to the form in which statements are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ekm.evaluation.caller import Caller, CallerForm, parse_caller
from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.request import Context, Request, Situation, Value, derive
from ekm.policy.arn import SEGMENTS, is_account, parse_arn
from ekm.policy.condition_block import text_of
from ekm.policy.malformed import MalformedPolicy

__all__ = ["contradiction", "situate"]


def situate(request: Request, *, bounded: bool) -> Situation | OpenPoint:
    """Read a request.

    Args:
        request: As it is asked.
        bounded: Whether the caller has a permissions boundary.

    Returns:
        The situation, or why such a request cannot be decided.
    """
    texts = (request.principal, request.action, request.resource)
    if not all(isinstance(each, str) for each in texts):
        return OpenPoint("principal, action and resource of a request must be strings")
    caller = parse_caller(request.principal)
    if caller is None:
        return OpenPoint(f"{request.principal!r} is not a principal that can be judged")
    action = request.action.lower()
    service, colon, name = action.partition(":")
    if not (colon and service and name) or any(character in action for character in "*? "):
        return OpenPoint(f"{request.action!r} is not one action (service:Action)")
    resource, account, region = _resource(request)
    if isinstance(resource, OpenPoint):
        return resource
    given = _context(request.context)
    if isinstance(given, OpenPoint):
        return given
    role_arn, path_known = _role(caller, given)
    return Situation(
        request=request,
        caller=caller,
        role_arn=role_arn,
        path_known=path_known,
        action=action,
        service=service,
        resource=resource,
        resource_account=account,
        region=region,
        context=Context(given, derive(caller, role_arn, service, account, region)),
        bounded=bounded,
    )


def _resource(request: Request) -> tuple[tuple[str, ...] | OpenPoint | None, str, str]:
    """The resource's six parts (None for `*`), its account and its Region."""
    stated = request.resource_account
    if stated is not None and not (isinstance(stated, str) and is_account(stated)):
        return OpenPoint(f"resource_account {stated!r} is not twelve digits"), "", ""
    if request.resource == "*":
        return None, stated or "", ""
    arn = parse_arn(request.resource)
    if arn is None or "*" in request.resource or "?" in request.resource:
        return OpenPoint(f"{request.resource!r} is not the ARN of a resource"), "", ""
    if stated and arn.account and stated != arn.account:
        return (
            OpenPoint(f"resource_account {stated} is not the account of {request.resource}"),
            "",
            "",
        )
    parts = tuple(request.resource.split(":", SEGMENTS - 1))
    return parts, arn.account or stated or "", arn.region


def _context(context: Any) -> dict[str, Value] | OpenPoint:
    """Keys in lower case; a value is one text or a tuple of texts."""
    if not isinstance(context, Mapping):
        return OpenPoint("the context of a request is an object")
    given: dict[str, Value] = {}
    for key, value in context.items():
        if not isinstance(key, str):
            return OpenPoint("a condition key is a string")
        lookup = key.lower()
        if lookup in given:
            return OpenPoint(f"the context holds {key} twice, in different case")
        try:
            if isinstance(value, list | tuple):
                given[lookup] = tuple(text_of(each, key) for each in value)
            else:
                given[lookup] = text_of(value, key)
        except MalformedPolicy as fault:
            return OpenPoint(f"the value of {key} in the context {fault.message}")
    return given


def _role(caller: Caller, given: Mapping[str, Value]) -> tuple[str, bool]:
    """The role behind a caller, and whether its path is known.

    A session's ARN leaves the path out; `aws:PrincipalArn` in the context says it.
    """
    if caller.form is CallerForm.ROLE:
        return caller.text, True
    if caller.form is not CallerForm.SESSION:
        return "", True
    stated = given.get("aws:principalarn")
    if isinstance(stated, str) and _same_role(stated, caller):
        return stated, True
    return caller.role_arn, False


def _same_role(stated: str, caller: Caller) -> bool:
    arn = parse_arn(stated)
    return (
        arn is not None
        and arn.service == "iam"
        and arn.partition == caller.partition
        and arn.account == caller.account
        and arn.resource.startswith("role/")
        and arn.resource.rpartition("/")[2] == caller.name
    )


def contradiction(situation: Situation) -> OpenPoint | None:
    """What a request's context says that cannot be true of its principal or resource.

    Such a request does not exist; it is decided as stated, and never allowed.
    """
    given = situation.context.given
    for key, derived in situation.context.derived.items():
        stated = given.get(key)
        if stated is None or stated == derived:
            continue
        return OpenPoint(
            f"the context says {key} is {stated!r}, and it follows that it is {derived!r}"
        )
    return None
