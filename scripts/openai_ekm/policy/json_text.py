"""JSON as policies need it read: a repeated member is noticed, not silently the last one.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
("Individual elements must not contain multiple instances of the same key").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openai_ekm.policy.malformed import MalformedPolicy

__all__ = ["RepeatedMember", "loads", "members", "noticing_repeats"]


class RepeatedMember(dict[str, Any]):
    """A JSON object that held one member name twice; `name` is that name."""

    name: str = ""


def members(value: Any, what: str, member: str) -> Mapping[str, Any]:
    """Check that a value is a JSON object whose members each stand once.

    Args:
        value: Decoded JSON.
        what: What the value should be, for the message.
        member: What its members are, for the message.

    Returns:
        The value.

    Raises:
        MalformedPolicy: It is not an object, or a member stands twice.
    """
    if type(value) is dict:
        return value
    if isinstance(value, RepeatedMember):
        raise MalformedPolicy(f"the {member} {value.name!r} stands twice")
    if not isinstance(value, Mapping):
        raise MalformedPolicy(what)
    return value


def noticing_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; one with a member that stands twice is a `RepeatedMember`."""
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = RepeatedMember(members)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            repeated.name = name
            break
        seen.add(name)
    return repeated


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_WHITE = " \t\n\r"
_DECODER = json.JSONDecoder(object_pairs_hook=noticing_repeats, parse_constant=_constant)


def loads(text: str) -> Any:
    """Read JSON text.

    Args:
        text: One JSON value.

    Returns:
        The value; an object with a repeated member is a `RepeatedMember`.

    Raises:
        ValueError: The text is not JSON, or is nested too deeply to read.
    """
    try:
        if text[:1] == "{":  # the common form, read without looking for white space around it
            value, end = _DECODER.raw_decode(text)
            if not text[end:].strip(_WHITE):
                return value
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
