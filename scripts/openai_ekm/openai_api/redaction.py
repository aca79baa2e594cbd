"""The admin key as a value that does not print itself, and a log filter that hides it."""

from __future__ import annotations

import logging
import re
import traceback
from typing import Final

from openai_ekm.errors import BadInput
from openai_ekm.printable import printable

__all__ = ["HIDDEN", "AdminKey", "RedactionFilter", "redact"]

HIDDEN: Final = "[admin key hidden]"
# What a key looks like even when it is not the one in use. Source:
# docs/reference/openai-api.md#hosts-and-the-admin-key
_LOOKS_LIKE_A_KEY: Final = re.compile(r"\bsk-(?:admin-)?[A-Za-z0-9_*-]{8,}")
# A shorter text may be a part of many words, and hiding it would spoil every message.
_SHORTEST: Final = 8
_known: set[str] = set()


class AdminKey:
    """An OpenAI admin key; `repr`, `str` and pickling show nothing of it.

    Args:
        value: The key as given; white space around it is dropped.
        origin: Where it came from, for messages (`OPENAI_ADMIN_KEY`).

    Raises:
        BadInput: Empty, too short, or with characters that no HTTP header carries.
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, *, origin: str) -> None:
        value = value.strip()
        if not value:
            raise BadInput(
                "admin_key_missing",
                f"{origin} is empty; it must hold an OpenAI admin key.",
                at_fault=origin,
                remedy="Make an admin key in OpenAI's organization settings and set it there.",
            )
        if not re.fullmatch(r"[\x21-\x7e]+", value) or value[0] in "\"'{[":
            raise BadInput(
                "admin_key_malformed",
                f"The admin key in {origin} has white space, quotes around it, or characters that "
                "no HTTP header carries.",
                at_fault=origin,
                remedy="Store the key alone, as plain text: no quotes, no JSON, one line.",
            )
        if len(value) < _SHORTEST:
            raise BadInput(
                "admin_key_malformed",
                f"The admin key in {origin} has {len(value)} characters; OpenAI's have more than "
                f"{_SHORTEST}.",
                at_fault=origin,
                remedy="Store the whole key, as OpenAI's organization settings showed it.",
            )
        self._value = value
        self.origin = origin
        _known.add(value)

    def reveal(self) -> str:
        """Return the key itself: for the Authorization header, nothing else."""
        return self._value

    def __repr__(self) -> str:
        return f"AdminKey(origin={self.origin!r})"

    def __reduce__(self) -> str:
        raise TypeError("an admin key is not to be stored")


def redact(text: str) -> str:
    """Return the text without any admin key: those in use, and what looks like one."""
    for value in _known:
        text = text.replace(value, HIDDEN)
    return _LOOKS_LIKE_A_KEY.sub(HIDDEN, text)


class RedactionFilter(logging.Filter):
    """Hide admin keys in whatever passes a log handler, and escape it; exceptions included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's text; it always passes."""
        record.msg = printable(redact(record.getMessage()))
        record.args = None
        if record.exc_info:
            trace = redact("".join(traceback.format_exception(*record.exc_info))).rstrip()
            record.exc_text = "\n".join(map(printable, trace.split("\n")))
            record.exc_info = None
        return True
