"""Patterns: the sets of texts that patterns cut out, as linear automata.

A pattern is a row of characters that a text must have, and of runs that it may have between them.
Wildcards, ARN patterns compared part by part, text in any case, and what a name or an account may
look like at all are patterns. `openai_ekm.value_classes.string_classes` finds the classes that they
make.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ANY",
    "DIGIT",
    "Chars",
    "Step",
    "TextPattern",
    "arn_pattern",
    "chars",
    "literal",
    "many",
    "name_pattern",
    "one",
    "run_pattern",
    "wildcard",
]

COLONS = 5
# Letters outside ASCII that fold to an ASCII one: AWS does not say what their case is.
FOLDED = {"s": "\u017f", "k": "\u212a", "i": "\u0130\u0131"}


@dataclass(frozen=True, slots=True)
class Chars:
    """A set of characters.

    Args:
        listed: The characters.
        excluded: Whether it is all others instead.
    """

    listed: frozenset[str]
    excluded: bool = False

    def has(self, character: str) -> bool:
        """Return whether a character is in the set."""
        return (character in self.listed) is not self.excluded


@dataclass(frozen=True, slots=True)
class Step:
    """One place of a pattern.

    Args:
        chars: What stands there.
        repeats: Whether any number of them does, none included; else exactly one.
    """

    chars: Chars
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class TextPattern:
    """A set of texts.

    Args:
        steps: Its places, in order.
    """

    steps: tuple[Step, ...]


def chars(text: str) -> Chars:
    """Return the set of the characters of a text."""
    return Chars(frozenset(text))


ANY = Chars(frozenset(), excluded=True)
NOT_COLON = Chars(frozenset(":"), excluded=True)
NOT_SLASH = Chars(frozenset("/"), excluded=True)
DIGIT = chars("0123456789")


def one(text: Chars | str) -> list[Step]:
    """Return a step for each character of a text, or one for a set."""
    if isinstance(text, Chars):
        return [Step(text)]
    return [Step(chars(character)) for character in text]


def many(of: Chars) -> list[Step]:
    """Return any number of characters of a set."""
    return [Step(of, repeats=True)]


Run = tuple[str, bool]


def _steps(run: Run, within: Chars, *, fold: bool = False) -> Iterable[Step]:
    """Yield the steps of a run of text; `within` is what a wildcard stands for."""
    text, wild = run
    for character in text:
        if wild and character == "*":
            yield Step(within, repeats=True)
        elif wild and character == "?":
            yield Step(within)
        elif fold:
            lower = character.lower()
            alike = {character, lower, character.upper(), lower.upper(), *FOLDED.get(lower, "")}
            yield Step(Chars(frozenset("".join(alike))))
        else:
            yield Step(chars(character))


def _text_pattern(steps: Iterable[Step]) -> TextPattern:
    """Join runs that follow each other: two stars are one."""
    joined: list[Step] = []
    for step in steps:
        if step.repeats and joined and joined[-1] == step:
            continue
        joined.append(step)
    return TextPattern(tuple(joined))


def literal(text: str, *, fold: bool = False) -> TextPattern:
    """Return exactly a text, or with `fold` the text in any case."""
    return _text_pattern(_steps((text, False), ANY, fold=fold))


def wildcard(text: str) -> TextPattern:
    """Return what a text with wildcards matches."""
    return _text_pattern(_steps((text, True), ANY))


def run_pattern(runs: Sequence[Run], *, fold: bool = False) -> TextPattern:
    """Return what runs match, in some of which wildcards are only characters."""
    return _text_pattern(step for run in runs for step in _steps(run, ANY, fold=fold))


def arn_pattern(runs: Sequence[Run]) -> TextPattern | None:
    """Return what an ARN with wildcards matches, part by part.

    Returns:
        The pattern, or None when there are fewer than six parts: nothing is compared with it.
    """
    steps: list[Step] = []
    colons = 0
    for text, wild in runs:
        for character in text:
            within = ANY if colons >= COLONS else NOT_COLON
            steps += _steps((character, wild), within)
            colons += character == ":"
    return _text_pattern(steps) if colons >= COLONS else None


def name_pattern(before: Sequence[Step], run: Run, *, fold: bool = False) -> TextPattern:
    """Return what follows some steps when the rest is one name, without a slash."""
    return _text_pattern([*before, *_steps(run, NOT_SLASH, fold=fold)])
