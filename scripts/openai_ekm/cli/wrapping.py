"""Where a long line is broken to fit a terminal.

A line is broken at blanks only. A command between backquotes and a long word, such as an ARN, stay
whole: a person copies them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["break_points", "columns_of"]

_WORD: Final = re.compile(r"(?:`[^`]*`|[^ `]|`)+")
_NARROWEST: Final = 40  # columns; below it a broken line is harder to read than a long one
_INDENT: Final = 2  # columns that a continued line is moved in


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide letters take two, marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(character)
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )


def break_points(line: str, width: int) -> dict[int, str]:
    """Return where to break a line, and what then stands in place of the blank.

    Args:
        line: The line, without colours and without its end.
        width: Columns of the terminal.

    Returns:
        The index of each blank that is replaced, with a newline and the blanks that the next
        line begins with: two more than the line itself.
    """
    if width < _NARROWEST or columns_of(line) <= width:
        return {}
    indent = len(line) - len(line.lstrip(" "))
    continued = min(indent + _INDENT, width // 2)
    breaks: dict[int, str] = {}
    column = end = 0
    for word in _WORD.finditer(line):
        blanks = word.start() - end
        length = columns_of(word[0])
        if column + blanks + length > width and end > indent:
            breaks[word.start() - 1] = "\n" + " " * continued
            column = continued + length
        else:
            column += blanks + length
        end = word.end()
    return breaks
