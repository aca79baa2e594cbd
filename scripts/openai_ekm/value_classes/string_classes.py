"""The classes that patterns cut texts into, each with its shortest text.

A pattern is a row of characters that a text must have, and of runs that it may have between them.
Wildcards, ARN patterns compared part by part, text in any case, and what a name or an account may
look like at all are patterns.

Two texts are in one class when every pattern has both or neither. All patterns run side by side,
a bit for each place, over a text that grows by one character at a time. Texts that lead to the same
bits have the same continuations: the search looks at each such state once, and it ends. It finds
every class that has a text, and no other.

Characters that no pattern tells apart are one: the first of them stands for all.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import string
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ANY",
    "DIGIT",
    "LOWER",
    "PRINTABLE",
    "WORD",
    "Chars",
    "Step",
    "TextPattern",
    "Undecidable",
    "arn_pattern",
    "chars",
    "class_texts",
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
DIGIT = chars(string.digits)
LOWER = chars(string.ascii_lowercase + string.digits)
WORD = chars(string.ascii_lowercase + string.digits + "-")
# Every character of ASCII but space and wildcards.
PRINTABLE = Chars(frozenset(map(chr, range(0x21, 0x7F))) - frozenset("*?"))


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


def run_pattern(runs: Sequence[Run]) -> TextPattern:
    """Return what runs match, in some of which wildcards are only characters."""
    return _text_pattern(step for run in runs for step in _steps(run, ANY))


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


def name_pattern(before: Sequence[Step], run: Run, *, fold: bool) -> TextPattern:
    """Return what follows some steps when the rest is one name, without a slash."""
    return _text_pattern([*before, *_steps(run, NOT_SLASH, fold=fold)])


class Undecidable(Exception):
    """A question whose classes are too many to go through: it counts as failed, never as held.

    Args:
        reason: What there is too much of, and how much was allowed.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


PALETTE = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "
# States of the search; a document of AWS's largest size needs a few thousand.
MOST_STATES = 40_000


class _Automaton:
    """Patterns side by side: bit `i` of a state says that place `i` has been reached."""

    def __init__(self, text_patterns: Sequence[TextPattern]) -> None:
        self.start = 0
        self.accepting: list[int] = []
        places: list[tuple[int, TextPattern]] = []
        width = 0
        for text_pattern in text_patterns:
            places.append((width, text_pattern))
            self.start |= 1 << width
            width += sum(not step.repeats for step in text_pattern.steps)
            self.accepting.append(1 << width)
            width += 1
        self.moves = _moves(places)


def _moves(places: Sequence[tuple[int, TextPattern]]) -> list[tuple[str, int, int]]:
    """Return for each kind of character what moves on and what stays."""
    mentioned = {
        character
        for _, text_pattern in places
        for step in text_pattern.steps
        for character in step.chars.listed
    }
    alphabet = [*PALETTE, *sorted(mentioned - set(PALETTE)), _fresh(mentioned)]
    # For each character, and for all that no step mentions, the places that it fits.
    listed: tuple[dict[str, int], dict[str, int]] = ({}, {})
    others = [0, 0]
    excepted: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for offset, text_pattern in places:
        place = offset
        for step in text_pattern.steps:
            bit, repeats = 1 << place, step.repeats
            if step.chars.excluded:
                others[repeats] |= bit
            found = (excepted if step.chars.excluded else listed)[repeats]
            for character in step.chars.listed:
                found[character] = found.get(character, 0) | bit
            place += not repeats
    moves: dict[tuple[int, int], str] = {}
    for character in alphabet:
        onward, staying = (
            listed[repeats].get(character, 0)
            | (others[repeats] & ~excepted[repeats].get(character, 0))
            for repeats in (False, True)
        )
        moves.setdefault((onward, staying), character)
    return [(character, onward, staying) for (onward, staying), character in moves.items()]


def _fresh(mentioned: set[str]) -> str:
    """Return a character outside ASCII that no pattern mentions."""
    code = 0xE9
    while chr(code) in mentioned:
        code += 1
    return chr(code)


def class_texts(
    within: Sequence[TextPattern], text_patterns: Sequence[TextPattern]
) -> tuple[str, ...]:
    """Find the classes.

    Args:
        within: A text must have one of these patterns to be looked at.
        text_patterns: What tells texts apart.

    Returns:
        The shortest text of each class, shortest first. The empty text, when it may be, stands
        for itself alone, and its class has another text beside it where there is one.

    Raises:
        Undecidable: There are too many states to go through.
    """
    return _class_texts(tuple(within), tuple(text_patterns))


@lru_cache(maxsize=256)  # every claim asks of the same documents
def _class_texts(
    within: tuple[TextPattern, ...], text_patterns: tuple[TextPattern, ...]
) -> tuple[str, ...]:
    automaton = _Automaton([*within, *text_patterns])
    inside = 0
    for accepting in automaton.accepting[: len(within)]:
        inside |= accepting
    # A state that has left every pattern of `within` leads nowhere.
    first_outside = automaton.accepting[len(within) - 1] << 1
    alive = first_outside - 1
    telling = 0
    for accepting in automaton.accepting[len(within) :]:
        telling |= accepting
    start = automaton.start
    came_from: dict[int, tuple[int, str]] = {start: (-1, "")}
    found: dict[int, str] = {}
    waiting = deque([start])
    empty = [""] if start & inside else []
    while waiting:
        state = waiting.popleft()
        for character, onward, staying in automaton.moves:
            reached = ((state & onward) << 1) | (state & staying)
            if not reached & alive:
                continue
            if reached & inside and (reached & telling) not in found:
                found[reached & telling] = _spell(came_from, state) + character
            if reached not in came_from:
                came_from[reached] = (state, character)
                waiting.append(reached)
        if len(came_from) > MOST_STATES:
            raise Undecidable(f"the patterns make more than {MOST_STATES} states")
    return (*empty, *found.values())


def _spell(came_from: dict[int, tuple[int, str]], state: int) -> str:
    characters: list[str] = []
    while state != -1:
        state, character = came_from[state]
        characters.append(character)
    return "".join(reversed(characters))
