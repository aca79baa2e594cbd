r"""Text from outside, in a form that is safe to show: on a terminal, in JSON, in Markdown.

A name, an id or a message may come from OpenAI, from AWS or from a document that somebody else
wrote. A terminal acts on some characters (ESC, CR, BEL), a reader cannot see others (zero width,
bidi), and a newline makes one value look like two lines of ours. Such characters are shown as
escapes: `\n`, `\u001b`, `\u202e`. Letters, signs and pictures stay as they are.

A backslash is not doubled, so that escaping twice changes nothing.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

__all__ = ["code_span", "escape_markdown", "json_text", "printable"]

# Characters that Unicode counts as letters, marks or signs, and that show nothing.
_BLANK: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

_LAST_OF_FOUR_DIGITS: Final = 0xFFFF


def printable(text: str) -> str:
    """Return text with every character that acts or hides as an escape; the rest is unchanged.

    Escaped are the characters that Python calls not printable: controls (C0, DEL, C1), format
    characters (bidi, zero width, tags), line and paragraph separators, white space other than
    the blank, lone surrogates, private use; and the letters that are blank.

    Source: https://docs.python.org/3/library/stdtypes.html#str.isprintable

    Args:
        text: A value, or one whole line without its end.
    """
    if text.isprintable() and (text.isascii() or _BLANK.isdisjoint(text)):
        return text
    return "".join(
        character if character.isprintable() and character not in _BLANK else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    """Return the escape of one character as JSON and HCL read it (the long form: HCL alone)."""
    code = ord(character)
    return _SHORT.get(character) or (
        f"\\u{code:04x}" if code <= _LAST_OF_FOUR_DIGITS else f"\\U{code:08x}"
    )


def json_text(value: object, *, indent: int | None = None, ensure_ascii: bool = False) -> str:
    """Return a value as JSON that a terminal shows and does not act on; the value is the same.

    Args:
        value: What `json.dumps` can write.
        indent: As in `json.dumps`.
        ensure_ascii: As in `json.dumps`; without it, letters of every script stay as they are.
    """
    lines = json.dumps(value, indent=indent, ensure_ascii=ensure_ascii).split("\n")
    return "\n".join(line if printable(line) == line else _json_escaped(line) for line in lines)


def _json_escaped(line: str) -> str:
    """Return a line of JSON with such characters escaped: they stand only inside strings."""
    return "".join(
        character
        if printable(character) == character
        else "\\u007f"  # the one that `json.dumps` leaves in ASCII
        if character == "\x7f"
        else json.dumps(character)[1:-1]
        for character in line
    )


# Markdown: https://spec.commonmark.org/0.31.2/#backslash-escapes, and GitHub's additions to it.
_MARKS: Final = re.compile(r"[\\`*_\[\]<>&|~$!]")
_LINK: Final = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\b(www)\.")
_BEGINS_BLOCK: Final = re.compile(r"^(?:[#+\-=]|\d+(?=[.)]))")


def escape_markdown(text: str) -> str:
    """Return a value as Markdown that shows its characters: no HTML, link, heading or table cell.

    Args:
        text: A value that stands inside a paragraph, a list item or the cell of a table.
    """
    shown = _MARKS.sub(r"\\\g<0>", printable(text).strip())
    shown = _LINK.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", shown)
    return _BEGINS_BLOCK.sub(
        lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", shown
    )


def code_span(text: Any) -> str:
    """Return a value as a code span of Markdown, as for an ARN or an id; safe in a table's cell.

    Args:
        text: The value; its text form is shown.
    """
    # GitHub reads a backslash before an escaped bar as an escaped backslash: the bar ends the cell.
    shown = printable(str(text)).replace("\\|", "\\u005c|").replace("|", "\\|")
    runs = [len(run) for run in re.findall("`+", shown)]
    fence = "`" * (max(runs, default=0) + 1)
    edge = " " if not shown.strip() or "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{edge}{shown}{edge}{fence}"
