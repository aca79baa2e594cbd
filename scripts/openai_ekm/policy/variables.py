"""Policy variables: `${key}`, `${key, 'default'}`, and `${*}`, `${?}`, `${$}` for the characters.

They exist under Version 2012-10-17 only; under 2008-10-17 (or without a Version) the same text
is literal.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.policy.letters import lower_ascii
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.text_cache import cached_by_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Template", "Variable", "parse_template"]

ESCAPES = frozenset("*?$")


@dataclass(frozen=True, slots=True)
class Variable:
    """One `${…}` that stands for a value of the request.

    Args:
        key: The condition key in lower case (keys are not case-sensitive).
        default: What stands in when the request has no value; None when nothing does.
    """

    key: str
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """Text with variables in it.

    Args:
        parts: In order: a pair of text and whether its wildcards are wildcards, or a variable.
    """

    parts: tuple[tuple[str, bool] | Variable, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the condition keys that it asks for, in lower case."""
        return tuple(part.key for part in self.parts if isinstance(part, Variable))

    def wild_default(self, has: Callable[[str], object]) -> str | None:
        """Return a default with `*` or `?` in it that stands in for a value.

        AWS's page does not say whether such a character is a wildcard.

        Args:
            has: The request's value of a key, None when there is none.

        Returns:
            The first such default, None when there is none.
        """
        for part in self.parts:
            if not isinstance(part, Variable) or has(part.key) is not None:
                continue
            if part.default and ("*" in part.default or "?" in part.default):
                return part.default
        return None

    def fill(self, value_of: Callable[[str], str | None]) -> tuple[tuple[str, bool], ...] | None:
        """Put the request's values in; a `*` that comes from one is only a character.

        Args:
            value_of: The request's single value of a key, None when there is none.

        Returns:
            Runs for `pattern_of`, or None when a variable has neither value nor default: then
            nothing is equal to or like the text.
        """
        filled: list[tuple[str, bool]] = []
        for part in self.parts:
            if isinstance(part, Variable):
                value = value_of(part.key)
                if value is None:
                    value = part.default
                if value is None:
                    return None
                filled.append((value, False))
            else:
                filled.append(part)
        return tuple(filled)


@cached_by_text(maxsize=8192)
def parse_template(text: str) -> Template | None:
    """Find the variables in a text of a 2012-10-17 policy.

    Args:
        text: A resource or condition value.

    Returns:
        The template, or None when the text holds no variable.

    Raises:
        MalformedPolicy: A brace or quote is missing, a name is empty or has a space in it.
    """
    if "${" not in text:
        return None
    parts: list[tuple[str, bool] | Variable] = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        if start > position:
            parts.append((text[position:start], True))
        part, position = _variable(text, start + 2)
        parts.append(part)
    if position < len(text):
        parts.append((text[position:], True))
    return Template(tuple(parts))


def _variable(text: str, start: int) -> tuple[tuple[str, bool] | Variable, int]:
    """Read what follows `${` and return it with the position after its brace."""
    end = text.find("}", start)
    comma = text.find(",", start, end if end >= 0 else len(text))
    default: str | None = None
    if comma >= 0:
        name = text[start:comma]
        opening = comma + 1
        while text[opening : opening + 1] == " ":
            opening += 1
        closing = text.find("'", opening + 1)
        if text[opening : opening + 1] != "'" or closing < 0:
            raise MalformedPolicy(f"the default of a variable in {text!r} must stand in quotes")
        default = text[opening + 1 : closing]
        end = closing + 1
        if text[end : end + 1] != "}":
            raise MalformedPolicy(f"a variable in {text!r} has no closing brace")
    elif end < 0:
        raise MalformedPolicy(f"a variable in {text!r} has no closing brace")
    else:
        name = text[start:end]
    if not name:
        raise MalformedPolicy(f"{text!r} holds a variable without a name")
    if name in ESCAPES and default is None:
        return (name, False), end + 1
    if any(character in " \t\n${" for character in name):
        raise MalformedPolicy(f"the variable {name!r} in {text!r} is not a condition key")
    return Variable(lower_ascii(name), default), end + 1
