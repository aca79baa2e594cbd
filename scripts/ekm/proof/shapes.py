"""Shapes: the sets of texts that patterns cut out, as linear automata.

A shape is a row of characters that a text must have, and of runs that it may have between them.
Wildcards, ARN patterns compared part by part, text in any case, and what a name or an account may
look like at all are shapes. `ekm.proof.texts` finds the classes that any number of them make.

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
    "Shape",
    "Step",
    "arn_shape",
    "chars",
    "literal",
    "many",
    "name_shape",
    "one",
    "run_shape",
    "wildcard",
]

COLONS = 5
# Letters outside ASCII that fold to an ASCII one: AWS does not say what their case is.
FOLDED = {"s": "\u017f", "k": "\u212a"}


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
        """Whether a character is in the set."""
        return (character in self.listed) is not self.excluded


@dataclass(frozen=True, slots=True)
class Step:
    """One place of a shape.

    Args:
        chars: What stands there.
        repeats: Whether any number of them does, none included; else exactly one.
    """

    chars: Chars
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A set of texts.

    Args:
        steps: Its places, in order.
    """

    steps: tuple[Step, ...]


def chars(text: str) -> Chars:
    """The set of the characters of a text."""
    return Chars(frozenset(text))


ANY = Chars(frozenset(), excluded=True)
NOT_COLON = Chars(frozenset(":"), excluded=True)
NOT_SLASH = Chars(frozenset("/"), excluded=True)
DIGIT = chars("0123456789")


def one(text: Chars | str) -> list[Step]:
    """A step for each character of a text, or one for a set."""
    if isinstance(text, Chars):
        return [Step(text)]
    return [Step(chars(character)) for character in text]


def many(of: Chars) -> list[Step]:
    """Any number of characters of a set."""
    return [Step(of, repeats=True)]


Run = tuple[str, bool]


def _steps(run: Run, within: Chars, *, fold: bool = False) -> Iterable[Step]:
    """The steps of a run of text; `within` is what a wildcard stands for."""
    text, wild = run
    for character in text:
        if wild and character == "*":
            yield Step(within, repeats=True)
        elif wild and character == "?":
            yield Step(within)
        elif fold:
            lower = character.lower()
            yield Step(chars(character + lower + character.upper() + FOLDED.get(lower, "")))
        else:
            yield Step(chars(character))


def _shape(steps: Iterable[Step]) -> Shape:
    """Join runs that follow each other: two stars are one."""
    joined: list[Step] = []
    for step in steps:
        if step.repeats and joined and joined[-1] == step:
            continue
        joined.append(step)
    return Shape(tuple(joined))


def literal(text: str, *, fold: bool = False) -> Shape:
    """Exactly a text, or with `fold` the text in any case."""
    return _shape(_steps((text, False), ANY, fold=fold))


def wildcard(text: str) -> Shape:
    """What a text with wildcards matches."""
    return _shape(_steps((text, True), ANY))


def run_shape(runs: Sequence[Run], *, fold: bool = False) -> Shape:
    """What runs match, in some of which wildcards are only characters."""
    return _shape(step for run in runs for step in _steps(run, ANY, fold=fold))


def arn_shape(runs: Sequence[Run]) -> Shape | None:
    """What an ARN with wildcards matches, part by part.

    Returns:
        The shape, or None when there are fewer than six parts: nothing is compared with it.
    """
    steps: list[Step] = []
    colons = 0
    for text, wild in runs:
        for character in text:
            within = ANY if colons >= COLONS else NOT_COLON
            steps += _steps((character, wild), within)
            colons += character == ":"
    return _shape(steps) if colons >= COLONS else None


def name_shape(before: Sequence[Step], run: Run, *, fold: bool = False) -> Shape:
    """What follows some steps when the rest is one name, without a slash."""
    return _shape([*before, *_steps(run, NOT_SLASH, fold=fold)])
