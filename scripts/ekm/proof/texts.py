"""The classes that shapes cut texts into, each with its shortest text.

Two texts are in one class when every shape has both or neither. All shapes run side by side, one
bit a place, over a text that grows by one character at a time; texts that lead to the same bits
have the same continuations, so that each such state is looked at once and the search ends. What
it finds is every class that has a text, and no other.

Characters that no shape tells apart are one: the first of them stands for all.
"""

from __future__ import annotations

import string
from collections import deque
from typing import TYPE_CHECKING

from ekm.proof.undecidable import Undecidable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ekm.proof.shapes import Shape

__all__ = ["class_texts"]

PALETTE = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "
# States of the search; a document of AWS's largest size needs a few thousand.
MOST_STATES = 40_000


class _Automaton:
    """Shapes side by side: bit `i` of a state says that place `i` has been reached."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.start = 0
        self.accepting: list[int] = []
        places: list[tuple[int, Shape]] = []
        width = 0
        for shape in shapes:
            places.append((width, shape))
            self.start |= 1 << width
            width += sum(not step.repeats for step in shape.steps)
            self.accepting.append(1 << width)
            width += 1
        self.moves = _moves(places)


def _moves(places: Sequence[tuple[int, Shape]]) -> list[tuple[str, int, int]]:
    """For each kind of character what moves on and what stays."""
    mentioned = {
        character for _, shape in places for step in shape.steps for character in step.chars.listed
    }
    alphabet = [*PALETTE, *sorted(mentioned - set(PALETTE)), _fresh(mentioned)]
    moves: dict[tuple[int, int], str] = {}
    for character in alphabet:
        onward = staying = 0
        for offset, shape in places:
            place = offset
            for step in shape.steps:
                fits = step.chars.has(character)
                if step.repeats:
                    staying |= fits << place
                else:
                    onward |= fits << place
                    place += 1
        moves.setdefault((onward, staying), character)
    return [(character, onward, staying) for (onward, staying), character in moves.items()]


def _fresh(mentioned: set[str]) -> str:
    """A character outside ASCII that no shape mentions."""
    code = 0xE9
    while chr(code) in mentioned:
        code += 1
    return chr(code)


def class_texts(within: Sequence[Shape], shapes: Sequence[Shape]) -> tuple[str, ...]:
    """Find the classes.

    Args:
        within: A text must have one of these shapes to be looked at.
        shapes: What tells texts apart.

    Returns:
        The shortest text of each class, shortest first. The empty text, when it may be, stands
        for itself alone, and its class has another text beside it where there is one.

    Raises:
        Undecidable: There are too many states to go through.
    """
    automaton = _Automaton([*within, *shapes])
    inside = 0
    for accepting in automaton.accepting[: len(within)]:
        inside |= accepting
    # A state that has left every shape of `within` leads nowhere.
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
