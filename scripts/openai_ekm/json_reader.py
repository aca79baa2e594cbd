"""One strict reader of JSON, for whatever comes from outside: it refuses what others crash on.

Python's own reader takes the last of two equal members, ends in a RecursionError on deep nesting,
and makes integers and half characters that later calls cannot handle.
"""

from __future__ import annotations

import errno
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

__all__ = [
    "DEEPEST",
    "LARGEST",
    "UnreadableJsonError",
    "decode_text",
    "find_object",
    "is_too_deep",
    "read_content",
    "read_json",
]

LARGEST: Final = 64 * 1024 * 1024  # bytes; a plan of a large root has some ten million
DEEPEST: Final = 128  # levels; a plan of modules in modules has some thirty
LONGEST_NUMBER: Final = 300  # characters; a float holds no more digits than that

_HALF_PAIR: Final = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_WHITE: Final = " \t\n\r"

Pairs = Callable[[list[tuple[str, Any]]], Any]


class UnreadableJsonError(ValueError):
    """The reason why a text is not JSON that is read here; the words follow "it"."""


def decode_text(content: bytes) -> str:
    """Return text that is UTF-8, or UTF-16 or UTF-32 as PowerShell writes it; a mark is dropped.

    Raises:
        UnreadableJsonError: It is too long, or not of that encoding.
    """
    if len(content) > LARGEST:
        raise UnreadableJsonError(f"is longer than {LARGEST} bytes")
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise UnreadableJsonError(f"is not {name} at byte {error.start}") from None


def read_content(source: str) -> bytes:
    """Return what a file or standard input holds; of too long a one, a byte more than is read.

    Args:
        source: Path of a file, or `-` for standard input.

    Raises:
        OSError: It cannot be read; `strerror` says why.
    """
    if source == "-":
        stream = getattr(sys.stdin, "buffer", None)
        if stream is None:
            raise OSError(errno.EBADF, "standard input is closed")
        return bytes(stream.read(LARGEST + 1))
    try:
        with Path(source).open("rb") as file:
            return file.read(LARGEST + 1)
    except ValueError as error:  # a name that no file can have
        raise OSError(errno.EINVAL, str(error)) from None


def read_json(text: str | bytes, *, pairs: Pairs | None = None) -> Any:
    """Read one JSON value.

    Args:
        text: The text; bytes are decoded as `decode_text` does.
        pairs: Makes an object of its members; the default refuses one that stands twice.

    Raises:
        UnreadableJsonError: It is not JSON, or is past a limit of this module.
    """
    decoded = decode_text(text) if isinstance(text, bytes) else text
    value, end = _decode(decoded, 0, pairs or _unique)
    if decoded[end:].strip(_WHITE):
        raise UnreadableJsonError(f"is not JSON: there is more after it, at character {end}")
    return value


def find_object(text: str) -> tuple[dict[str, Any], list[str]]:
    """Find the one JSON object in what a command printed, and the lines around it.

    A wrapper or a version manager may print lines before and after. The object begins a line.

    Returns:
        The object, and the other lines that are not empty.

    Raises:
        UnreadableJsonError: There is no object, or a second one, or it is past a limit.
    """
    begin = re.search(r"^\{", text.lstrip(_WHITE), re.MULTILINE)
    if begin is None:
        value = read_json(text)  # says what is wrong, or that it is something else
        raise UnreadableJsonError(f"is a JSON {type(value).__name__}, not an object")
    shift = len(text) - len(text.lstrip(_WHITE))
    value, end = _decode(text, begin.start() + shift, _unique)
    before, after = text[: begin.start() + shift], text[end:]
    if after.split("\n", 1)[0].strip():
        raise UnreadableJsonError(f"is not JSON: there is more after it, at character {end}")
    if re.search(r"^\{", after, re.MULTILINE):
        raise UnreadableJsonError("holds more than one JSON object")
    return value, [line for line in (before + after).splitlines() if line.strip()]


def is_too_deep(value: Any) -> bool:
    """Return whether decoded JSON is nested deeper than `DEEPEST`: copying and writing it recurse.

    Args:
        value: Decoded JSON.
    """
    level = [value]
    for _ in range(DEEPEST):
        level = [
            each
            for holder in level
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, dict | list)
        ]
        if not level:
            return False
    return True


def _decode(text: str, begin: int, pairs: Pairs) -> tuple[Any, int]:
    """Return the value that begins there, and where it ends."""
    decoder = json.JSONDecoder(
        object_pairs_hook=pairs,
        parse_int=_integer,
        parse_float=_float,
        parse_constant=_constant,
    )
    while text[begin : begin + 1] in _WHITE and begin < len(text):
        begin += 1
    try:
        value, end = decoder.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise UnreadableJsonError(f"is not JSON: {error}") from None
    except RecursionError:
        raise UnreadableJsonError(f"is nested deeper than {DEEPEST} levels") from None
    if isinstance(value, dict | list) and is_too_deep(value):
        raise UnreadableJsonError(f"is nested deeper than {DEEPEST} levels")
    if _HALF_PAIR.search(text) and re.search("[\ud800-\udfff]", _texts(value)):
        raise UnreadableJsonError("holds half of a surrogate pair, which is no character")
    return value, end


def _texts(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise UnreadableJsonError(f"holds the member {twice[:80]!r} twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise UnreadableJsonError(f"holds a number of {len(text)} characters")
    return int(text)


def _float(text: str) -> float:
    number = float(text) if len(text) <= LONGEST_NUMBER else math.inf
    if math.isinf(number):
        raise UnreadableJsonError(f"holds the number {text[:20]}, which is too large")
    return number


def _constant(name: str) -> Any:
    raise UnreadableJsonError(f"holds {name}, which is not JSON")
