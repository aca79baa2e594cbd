"""From a request as it is asked to the form in which statements are compared with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ekm.evaluation.caller import Caller, CallerForm, parse_caller
from ekm.evaluation.decision import OpenPoint
from ekm.evaluation.request import Context, Request, Situation, Value, derive
from ekm.policy.arn import SEGMENTS, is_account, parse_arn
from ekm.policy.condition_block import text_of
from ekm.policy.kept import LONGEST_KEPT
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
    principal, asked, about = request.principal, request.action, request.resource
    if not (isinstance(principal, str) and isinstance(asked, str) and isinstance(about, str)):
        return OpenPoint("principal, action and resource of a request must be strings")
    stated = request.resource_account
    # What follows from these texts is kept by them, where they are short.
    short = len(principal) + len(asked) + len(about) <= LONGEST_KEPT
    if stated is not None:
        short = short and type(stated) is str and len(stated) <= LONGEST_KEPT
    read = (_read if short else _read.__wrapped__)(principal, asked, about, stated)
    if isinstance(read, OpenPoint):
        return read
    caller, action, service, resource, account, region = read
    given = _context(request.context)
    if isinstance(given, OpenPoint):
        return given
    role_arn, path_known = _role(caller, given)
    derived = derive(principal, role_arn, service, account, region)
    return Situation(
        request,
        caller,
        role_arn,
        path_known,
        action,
        service,
        resource,
        account,
        region,
        Context(given, derived),
        bounded,
    )


Read = tuple[Caller, str, str, tuple[str, ...] | None, str, str]


@lru_cache(maxsize=4096)
def _read(principal: str, asked: str, about: str, stated: Any) -> Read | OpenPoint:
    """Caller, action, service, resource, its account and its Region."""
    caller = parse_caller(principal) if len(principal) <= LONGEST_KEPT else None
    if caller is None:
        return OpenPoint(f"{principal!r} is not a principal that can be judged")
    service = _service(asked) if len(asked) <= LONGEST_KEPT else ""
    if not service:
        return OpenPoint(f"{asked!r} is not one action (service:Action)")
    found = _whose(about, stated)
    if isinstance(found, OpenPoint):
        return found
    return caller, asked.lower(), service, *found


def _service(action: str) -> str:
    """The service of an action; empty when the text is not one action."""
    service, colon, name = action.lower().partition(":")
    if not (colon and service and name and action.isascii()):
        return ""
    if any(character in action for character in "*? "):
        return ""
    return service


def _whose(text: str, stated: Any) -> tuple[tuple[str, ...] | None, str, str] | OpenPoint:
    """The resource, its account as its ARN or the request says it, and its Region."""
    if stated is not None and not (isinstance(stated, str) and is_account(stated)):
        return OpenPoint(f"resource_account {stated!r} is not twelve digits")
    if len(text) > LONGEST_KEPT:
        return OpenPoint(f"a resource of {len(text)} characters is longer than any ARN")
    return _resource(text, stated)


def _resource(text: str, stated: str | None) -> tuple[tuple[str, ...] | None, str, str] | OpenPoint:
    """The resource's six parts (None for `*`), its account and its Region."""
    if text == "*":
        return None, stated or "", ""
    arn = parse_arn(text)
    if arn is None or "*" in text or "?" in text:
        return OpenPoint(f"{text!r} is not the ARN of a resource")
    if stated and arn.account and stated != arn.account:
        return OpenPoint(f"resource_account {stated} is not the account of {text}")
    return tuple(text.split(":", SEGMENTS - 1)), arn.account or stated or "", arn.region


def _context(context: Any) -> dict[str, Value] | OpenPoint:
    """Keys in lower case; a value is one text or a tuple of texts."""
    if type(context) is not dict and not isinstance(context, Mapping):
        return OpenPoint("the context of a request is an object")
    given: dict[str, Value] = {}
    for key, value in context.items():
        if not isinstance(key, str):
            return OpenPoint("a condition key is a string")
        lookup = key.lower()
        if lookup in given:
            return OpenPoint(f"the context holds {key} twice, in different case")
        if type(value) is str:
            given[lookup] = value
            continue
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
    if isinstance(stated, str) and len(stated) <= LONGEST_KEPT and _same_role(stated, caller.text):
        return stated, True
    return caller.role_arn, False


@lru_cache(maxsize=4096)
def _same_role(stated: str, principal: str) -> bool:
    """Whether a role's ARN may be that of the role behind a session."""
    arn, caller = parse_arn(stated), parse_caller(principal)
    return (
        arn is not None
        and caller is not None
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
    derived = situation.context.derived
    for key, stated in situation.context.given.items():
        follows = derived.get(key)
        if follows is not None and stated not in (follows, (follows,)):
            return OpenPoint(
                f"the context says {key} is {stated!r}, and it follows that it is {follows!r}"
            )
    return None
