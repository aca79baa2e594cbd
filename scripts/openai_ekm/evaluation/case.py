"""Read decision cases, one JSON object each, strictly: a typo is an error.

A fault inside a policy document is an answer (`error`). A fault in the case around it is bad
input.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.evaluation.policies import Policies
from openai_ekm.evaluation.request import Request
from openai_ekm.policy.json_text import RepeatedMember, loads
from openai_ekm.policy.light import light

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BadCase", "Case", "case_of", "read_case"]

CASE = frozenset({"id", "request", "policies"})
REQUEST = frozenset({"principal", "action", "resource", "resource_account", "context"})
REQUIRED = ("principal", "action", "resource")
POLICIES = frozenset(
    {"identity", "resource", "permissions_boundary", "session", "scps", "rcps", "grants"}
)
SCALARS = (str, bool, int, float)
LISTS = frozenset({"identity", "scps", "rcps", "grants"})
LEVELS = frozenset({"scps", "rcps"})


class BadCase(ValueError):
    """A case that cannot be read."""


@light(frozen=True, slots=True)
class Case:
    """One decision to make.

    Args:
        id: What the answer is called.
        request: What is asked.
        policies: What is in force.
    """

    id: str
    request: Request
    policies: Policies


def read_case(text: str) -> Case:
    """Read a case from JSON text.

    Args:
        text: One JSON object.

    Returns:
        The case.

    Raises:
        BadCase: Not JSON, or not a case.
    """
    try:
        value = loads(text)
    except ValueError as error:
        raise BadCase(f"not JSON: {error}") from None
    return case_of(value)


def case_of(value: Any) -> Case:
    """Read a case from decoded JSON.

    Args:
        value: What the JSON of a case decodes to.

    Returns:
        The case.

    Raises:
        BadCase: A member is missing, unknown, repeated or of the wrong type.
    """
    case = _members(value, "case", CASE)
    identifier = case.get("id")
    if not isinstance(identifier, str):
        raise BadCase("id must be a string")
    request = _members(case.get("request"), "request", REQUEST)
    for name in REQUIRED:
        if not isinstance(request.get(name), str):
            raise BadCase(f"request.{name} must be a string")
    account = request.get("resource_account")
    if account is not None and not isinstance(account, str):
        raise BadCase("request.resource_account must be a string of twelve digits")
    policies = _members(case.get("policies", {}), "policies", POLICIES)
    for name, found in policies.items():
        if name in LISTS and not isinstance(found, list):
            raise BadCase(f"policies.{name} must be a list")
        if name in LEVELS and not all(isinstance(level, list) for level in found):
            raise BadCase(f"policies.{name} must hold one list a level")
    return Case(
        identifier,
        Request(
            request["principal"],
            request["action"],
            request["resource"],
            account,
            _context(request.get("context", {})),
        ),
        Policies(**policies),
    )


def _members(value: Any, name: str, known: frozenset[str] | None) -> dict[str, Any]:
    """Check an object whose members each stand once; `known` are all that it may have."""
    if not isinstance(value, dict):
        raise BadCase(f"{name} must be an object")
    if isinstance(value, RepeatedMember):
        raise BadCase(f"{name} holds {value.name!r} twice")
    if known is not None and not value.keys() <= known:
        unknown = next(member for member in value if member not in known)
        raise BadCase(f"{unknown!r} is not a member of {name}: {', '.join(sorted(known))}")
    return value


def _context(value: Any) -> Mapping[str, Any]:
    """Read the context: any name is a condition key, and each stands once, in any case."""
    context = _members(value, "request.context", known=None)
    for key, found in context.items():
        if type(found) is str:
            continue
        values = found if isinstance(found, list) else (found,)
        if not all(isinstance(each, SCALARS) for each in values):
            raise BadCase(f"request.context[{key!r}] must be text or a list of text")
    return context
