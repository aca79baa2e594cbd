"""The records of a log file, one after the other: what is in memory does not follow the file.

A log file is `{"Records": […]}`, compressed or not. `aws cloudtrail lookup-events` writes
`{"Events": […]}`, each with its record as text; that is read, too.
"""

from __future__ import annotations

import codecs
import gzip
import json
import re
import zlib
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LARGEST_FILE", "LONGEST_RECORD", "UnreadableLogError", "record_of_event", "records"]

CHUNK: Final = 1 << 18  # bytes that are read at once
LONGEST_RECORD: Final = 1 << 22  # characters; CloudTrail's are at most 256 KB, some 1 MB
LARGEST_FILE: Final = 1 << 32  # bytes, unpacked: a gzip bomb ends here
_DECODER: Final = json.JSONDecoder()
_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_GZIP: Final = b"\x1f\x8b"


class UnreadableLogError(ValueError):
    """A file ends, or breaks, before its last record.

    Args:
        state: broken, truncated, foreign or too_large.
        reason: The words follow the file's name.
    """

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


def records(
    stream: BinaryIO, *, largest: int = LARGEST_FILE, longest: int = LONGEST_RECORD
) -> Iterator[Any]:
    """Yield the records of one file as they stand in it; those before a fault come first.

    Args:
        stream: The file, from its beginning; `peek` is not needed.
        largest: Bytes after which unpacking ends.
        longest: Characters of one record.

    Raises:
        UnreadableLogError: The file ends or breaks before its last record, or is no log.
    """
    text = _Text(_unpacked(stream), largest, longest)
    first = text.next_character()
    if first == "[":
        raise UnreadableLogError("broken", "is an array, and not an object with Records")
    if first != "{":
        raise UnreadableLogError("foreign", "is not a JSON object")
    text.skip(1)
    if text.next_character() == "}":
        raise UnreadableLogError("foreign", "has no Records")
    is_record = False
    while True:
        name = text.value()
        if not isinstance(name, str) or text.next_character() != ":":
            raise UnreadableLogError("broken", "is not JSON")
        text.skip(1)
        is_record = is_record or name == "eventVersion"
        if name in {"Records", "Events"} and text.next_character() == "[":
            text.skip(1)
            yield from map(record_of_event, _items(text)) if name == "Events" else _items(text)
            return
        text.value()
        if text.next_character() != ",":
            if is_record:
                raise UnreadableLogError("broken", "has a record that is not in Records")
            raise UnreadableLogError("foreign", "has no Records")
        text.skip(1)


def _items(text: _Text) -> Iterator[Any]:
    if text.next_character() == "]":
        text.skip(1)
        text.end()
        return
    while True:
        yield text.value()
        end = text.next_character()
        text.skip(1)
        if end == "]":
            text.end()
            return
        if end != ",":
            raise UnreadableLogError("broken", "is not JSON")


def record_of_event(event: Any) -> Any:
    """Return the record that LookupEvents gives as text."""
    told = event.get("CloudTrailEvent") if isinstance(event, dict) else None
    try:
        return json.loads(told) if isinstance(told, str) else None
    except (ValueError, RecursionError):
        return None


class _Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        ...


def _unpacked(stream: _Readable) -> _Readable:
    """Return the stream, unpacked where its first bytes are those of gzip."""
    whole = _Joined(stream.read(len(_GZIP)), stream)
    if whole.head == _GZIP:
        return gzip.GzipFile(fileobj=cast("IO[bytes]", whole), mode="rb")
    return whole


class _Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: _Readable) -> None:
        self.head = head
        self._left = head
        self._rest = rest

    def read(self, size: int = -1, /) -> bytes:
        """Return up to so many bytes; none at the end."""
        if self._left and size != 0:
            cut = len(self._left) if size < 0 else size
            given, self._left = self._left[:cut], self._left[cut:]
            return given
        return self._rest.read(size)


class _Text:
    """The text of a file, of which a part is in memory."""

    def __init__(self, stream: _Readable, largest: int, longest: int) -> None:
        # `read1` gives what is there before it fails: the records before a fault are not lost.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        self._largest = largest
        self._longest = longest
        self._bytes = 0
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._held = ""
        self._at = 0
        self._ended = False

    def next_character(self) -> str:
        """Return the next character that is not blank.

        Raises:
            UnreadableLogError: The file ends before.
        """
        while True:
            found = _BLANKS.match(self._held, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._held):
                return self._held[self._at]
            if not self._more():
                raise UnreadableLogError("truncated", "ends in the middle")

    def skip(self, count: int) -> None:
        """Go on behind so many characters, which were seen."""
        self._at += count

    def value(self) -> Any:
        """Return the next JSON value.

        Raises:
            UnreadableLogError: It is not whole, not JSON, or too long.
        """
        self.next_character()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._held, self._at)
            except RecursionError:
                raise UnreadableLogError("broken", "is nested too deep") from None
            except ValueError as error:
                reason = str(error)
            else:
                if end < len(self._held) or self._ended:
                    self._at = end
                    return found
                reason = ""
            if len(self._held) - self._at > self._longest:
                raise UnreadableLogError(
                    "broken", f"has a record that is broken or longer than {self._longest}"
                )
            if not self._more() and reason:
                raise self._fault(reason)

    def end(self) -> None:
        """Read what stands behind the list of records, so that a broken end is found."""
        while self.next_character() == ",":
            self.skip(1)
            name = self.value()
            if not isinstance(name, str) or self.next_character() != ":":
                raise UnreadableLogError("broken", "is not JSON")
            if name in {"Records", "Events"}:
                raise UnreadableLogError(
                    "broken", "has a second list of records, which is not read"
                )
            self.skip(1)
            self.value()
        if self.next_character() != "}":
            raise UnreadableLogError("broken", "is not JSON")
        self.skip(1)
        while True:
            found = _BLANKS.match(self._held, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._held):
                raise UnreadableLogError(
                    "broken", "goes on behind its end: what follows is not read"
                )
            if not self._more():
                return

    def _fault(self, reason: str) -> UnreadableLogError:
        """Tell a text that ends too soon from one that is wrong in itself."""
        rest = self._held[self._at :].rstrip()
        if rest.endswith("}") or not rest.startswith(("{", "[", '"')):
            return UnreadableLogError("broken", f"is not JSON: {reason[:120]}")
        return UnreadableLogError("truncated", "ends in the middle")

    def _more(self) -> bool:
        """Read on; return whether there was anything."""
        if self._ended:
            return False
        try:
            chunk = self._read(CHUNK)
            self._bytes += len(chunk)
            self._ended = not chunk
            text = self._decode.decode(chunk, final=self._ended)
        except EOFError:
            self._ended = True
            raise UnreadableLogError("truncated", "ends in the middle of its compression") from None
        except (gzip.BadGzipFile, zlib.error) as error:
            self._ended = True
            raise UnreadableLogError("broken", f"is not gzip: {error}") from None
        except UnicodeDecodeError:
            self._ended = True
            raise UnreadableLogError("broken", "is not UTF-8") from None
        if self._bytes > self._largest:
            raise UnreadableLogError("too_large", f"is larger than {self._largest} bytes, unpacked")
        self._held = self._held[self._at :] + text
        self._at = 0
        return not self._ended
