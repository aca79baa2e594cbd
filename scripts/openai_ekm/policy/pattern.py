"""Wildcards: `*` for any characters, `?` for exactly one; matched without regular expressions.

A pattern is cut at its stars into pieces. The first piece must start the text, the last one
end it, and those between follow each other, each taken at its leftmost place: for this kind of
pattern the leftmost choice never loses a match, so there is no backtracking and the time is
bounded by the product of the lengths.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from dataclasses import dataclass

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["ANY", "Pattern", "Piece", "compile_pattern", "pattern_of"]

# A run of characters without a star; None stands for `?`.
Piece = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled wildcard pattern.

    Args:
        literal: The whole text when the pattern has no wildcard, else None.
        pieces: The runs between the stars, in order; each a string when it has no `?`.
    """

    literal: str | None
    pieces: tuple[str | Piece, ...]

    @property
    def prefix(self) -> str | None:
        """Return what the text must begin with, when nothing else is asked; else None."""
        first, *rest = self.pieces
        if rest == [""]:
            return first if isinstance(first, str) else None
        return None

    def matches(self, text: str) -> bool:
        """Return whether the whole text fits the pattern."""
        if self.literal is not None:
            return text == self.literal
        pieces = self.pieces
        first = pieces[0]
        if len(pieces) == 1:
            return len(first) == len(text) and _at(first, text, 0)
        last = pieces[-1]
        end = len(text) - len(last)
        position = len(first)
        if end < position or not _at(first, text, 0) or not _at(last, text, end):
            return False
        for piece in pieces[1:-1]:
            found = _find(piece, text, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return True


def _at(piece: str | Piece, text: str, position: int) -> bool:
    if type(piece) is str:
        return text.startswith(piece, position)
    return all(
        wanted is None or wanted == found
        for wanted, found in zip(piece, text[position : position + len(piece)], strict=True)
    )


def _find(piece: str | Piece, text: str, start: int, end: int) -> int:
    if type(piece) is str:
        return text.find(piece, start, end)
    for position in range(start, end - len(piece) + 1):
        if _at(piece, text, position):
            return position
    return -1


ANY = Pattern(literal=None, pieces=("", ""))


@cached_by_text(maxsize=8192)
def compile_pattern(text: str) -> Pattern:
    """Compile text in which `*` and `?` are wildcards.

    Args:
        text: The pattern as a policy holds it, without variables.

    Returns:
        The compiled pattern, kept by its text in a bounded cache.
    """
    return pattern_of(((text, True),))


def pattern_of(parts: tuple[tuple[str, bool], ...]) -> Pattern:
    """Compile a pattern from runs of text, some of which are only text.

    Args:
        parts: Pairs of a run and whether `*` and `?` in it are wildcards.

    Returns:
        The compiled pattern.
    """
    pieces: list[list[str | None]] = [[]]
    for run, wild in parts:
        first, *others = run.split("*") if wild else (run,)
        pieces[-1] += _characters(first, wild=wild)
        pieces += [_characters(each, wild=wild) for each in others]
    compiled = tuple([_piece(piece) for piece in pieces])
    literal = compiled[0] if len(compiled) == 1 and isinstance(compiled[0], str) else None
    return Pattern(literal, compiled)


def _characters(run: str, *, wild: bool) -> list[str | None]:
    """Return the characters of a run without a star; None for `?` where it is a wildcard."""
    if wild and "?" in run:
        return [None if character == "?" else character for character in run]
    return list(run)


def _piece(characters: list[str | None]) -> str | Piece:
    known = [character for character in characters if character is not None]
    return "".join(known) if len(known) == len(characters) else tuple(characters)
