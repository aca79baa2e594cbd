"""Turn a request into the form with which statements are compared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from openai_ekm.evaluation.decision import OpenPoint
from openai_ekm.evaluation.request import (
    Caller,
    CallerForm,
    Context,
    Request,
    Situation,
    Value,
    derive,
    parse_caller,
)
from openai_ekm.evaluation.services import way
from openai_ekm.policy.arn import SEGMENTS, is_account, parse_arn
from openai_ekm.policy.conditions import text_of
from openai_ekm.policy.letters import has_ascii_name, in_any_case, lower_ascii
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.text_cache import LONGEST_CACHED, CachedByTexts

__all__ = ["contradiction", "read_context"]


def read_context(request: Request, *, bounded: bool) -> Situation | OpenPoint:
    """Read a request.

    Args:
        request: As it is asked.
        bounded: Whether the caller has a permissions boundary.

    Returns:
        The situation, or why such a request cannot be decided.
    """
    texts = (request.principal, request.action, request.resource, request.resource_account)
    try:
        read = REQUESTS.get(texts)
    except TypeError:  # a list or an object among the texts
        read = None
    if read is None:
        read = _anew(texts)
    if isinstance(read, OpenPoint):
        return read
    context = request.context
    if not context and not bounded and type(context) is dict:
        return read
    given = _context(context)
    if isinstance(given, OpenPoint):
        return given
    role_arn, path_known, derived = read.role_arn, read.path_known, read.context.derived
    if not path_known and "aws:principalarn" in given and _says_role(given, read.caller):
        role_arn, path_known = str(given["aws:principalarn"]), True
        derived = derive(
            request.principal, role_arn, read.service, read.resource_account, read.region
        )
    return Situation(
        request,
        read.caller,
        role_arn,
        path_known,
        read.action,
        read.service,
        read.resource,
        read.resource_account,
        read.region,
        read.way,
        Context(given, derived, not "".join(given).isascii()),
        bounded,
    )


def _anew(texts: tuple[Any, ...]) -> Situation | OpenPoint:
    """Read what has not been read, or is not kept."""
    if not all(isinstance(each, str) for each in texts[:3]):
        return OpenPoint("principal, action and resource of a request must be strings")
    return REQUESTS.made(texts) if isinstance(texts[-1], str | None) else _read(texts)


def _read(texts: tuple[Any, ...]) -> Situation | OpenPoint:
    """Return the situation as far as it follows from these: no context, no boundary.

    Args:
        texts: Principal, action, resource, and the resource's account or None.
    """
    principal, asked, about, stated = texts
    caller = parse_caller(principal) if len(principal) <= LONGEST_CACHED else None
    if caller is None:
        return OpenPoint(f"{principal!r} is not a principal that can be judged")
    service = _service(asked) if len(asked) <= LONGEST_CACHED else ""
    if not service:
        return OpenPoint(f"{asked!r} is not one action (service:Action)")
    found = _resource(about, stated)
    if isinstance(found, OpenPoint):
        return found
    resource, account, region = found
    # A session's ARN leaves the path of its role out.
    path_known = caller.form is not CallerForm.SESSION
    request = Request(principal, asked, about, stated)
    return Situation(
        request,
        caller,
        caller.role_arn,
        path_known,
        asked.lower(),
        service,
        resource,
        account,
        region,
        way(request, service, resource, caller),
        Context({}, derive(principal, caller.role_arn, service, account, region)),
        bounded=False,
    )


REQUESTS = CachedByTexts(_read)


def _service(action: str) -> str:
    """Return the service of an action; empty when the text is not one action."""
    service, colon, name = action.lower().partition(":")
    if not (colon and service and name and action.isascii()):
        return ""
    return "" if any(character in action for character in "*? ") else service


def _resource(text: str, stated: Any) -> tuple[tuple[str, ...] | None, str, str] | OpenPoint:
    """Return the resource's six parts (None for `*`), its account and its Region."""
    if stated is not None and not (isinstance(stated, str) and is_account(stated)):
        return OpenPoint(f"resource_account {stated!r} is not twelve digits")
    if len(text) > LONGEST_CACHED:
        return OpenPoint(f"a resource of {len(text)} characters is longer than any ARN")
    if text == "*":
        return None, stated or "", ""
    arn = parse_arn(text)
    if arn is None or "*" in text or "?" in text:
        return OpenPoint(f"{text!r} is not the ARN of a resource")
    if stated and arn.account and stated != arn.account:
        return OpenPoint(f"resource_account {stated} is not the account of {text}")
    return tuple(text.split(":", SEGMENTS - 1)), arn.account or stated or "", arn.region


def _context(context: Any) -> dict[str, Value] | OpenPoint:
    """Return the context with keys in lower case; a value is one text or a tuple of texts."""
    if type(context) is not dict and not isinstance(context, Mapping):
        return OpenPoint("the context of a request is an object")
    given: dict[str, Value] = {}
    for key, value in context.items():
        if not isinstance(key, str):
            return OpenPoint("a condition key is a string")
        lookup = key.lower() if key.isascii() else lower_ascii(key)
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


def _says_role(given: Mapping[str, Value], caller: Caller) -> bool:
    """Return whether `aws:PrincipalArn` in the context says which role is behind a session."""
    stated = given.get("aws:principalarn")
    return (
        isinstance(stated, str)
        and len(stated) <= LONGEST_CACHED
        and _same_role(stated, caller.text)
    )


@lru_cache(maxsize=4096)
def _same_role(stated: str, principal: str) -> bool:
    """Return whether a role's ARN may be that of the role behind a session."""
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
    """Return what a request's context says that cannot be true of its principal or resource.

    Such a request does not exist; it is decided as stated, and never allowed.
    """
    derived, given = situation.context.derived, situation.context.given
    if situation.context.foreign:
        for key in given:
            if not has_ascii_name(key):
                return OpenPoint(f"{key} is not the name of a condition key")
        if len(set(map(in_any_case, given))) < len(given):
            return OpenPoint("the context holds a key twice, in different case")
    for key, stated in given.items():
        follows = derived.get(key)
        if follows is not None and stated not in (follows, (follows,)):
            return OpenPoint(
                f"the context says {key} is {stated!r}, and it follows that it is {follows!r}"
            )
    return None
