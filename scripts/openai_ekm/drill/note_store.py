"""Where the note of a drill is kept: beside the record, in SSM or in a file.

Source: docs/decisions/0003-claims-in-ssm.md (what a conditional write is in SSM).
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from openai_ekm.drill.note import Note, parse, serialise
from openai_ekm.errors import BadInput, Conflict
from openai_ekm.files import write_atomically
from openai_ekm.registration.ssm_store import STANDARD_BYTES, SsmParameters

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FileNotes", "NoteStore", "SsmNotes"]

NAME: Final = "drill"


class NoteStore(Protocol):
    """One place for one note."""

    place: str

    def read(self) -> Note | None:
        """Return the note that stands, None when there is none.

        Raises:
            RecordUnreadable: One stands, and this version cannot read it.
        """
        ...

    def write(self, note: Note) -> None:
        """Make the note stand.

        Raises:
            Conflict: One stands already.
        """
        ...

    def delete(self, id: str) -> None:
        """Delete the note of that drill; harmless when none, or another's, stands."""
        ...


class SsmNotes:
    """`<prefix>/drill`, created without overwrite; needs no permission beyond the record's.

    Args:
        client: boto3's SSM client.
        prefix: The record's.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._parameters = SsmParameters(client, prefix)
        self._name = f"{prefix}/{NAME}"
        self.place = f"ssm:{self._name}"

    def read(self) -> Note | None:
        """Return the note under the prefix, by its exact name."""
        for page in self._parameters.pages():
            for parameter in page["Parameters"]:
                if parameter["Name"] == self._name:
                    return parse(parameter["Value"], self.place)
        return None

    def write(self, note: Note) -> None:
        """Create the parameter; the former policy goes in where there is room.

        The restore does not need it: the drill's statement is taken out of what is there.
        """
        text = serialise(note)
        if len(text.encode()) > STANDARD_BYTES:
            text = serialise(replace(note, policy=None))
        if not self._parameters.create(NAME, text):
            # Ours all the same when the answer to an earlier attempt of botocore was lost.
            standing = self.read()
            if standing is None or standing.id != note.id:
                raise _stands(self.place)

    def delete(self, id: str) -> None:
        """Delete the parameter if it is of that drill (`lost`: of none)."""
        standing = self.read()
        if standing is not None and standing.id == id:
            self._parameters.delete(NAME)


class FileNotes:
    """`PATH.drill`, beside a record in a file.

    Args:
        record: The record's path.
    """

    def __init__(self, record: Path) -> None:
        self._path = Path(f"{record.resolve()}.{NAME}")  # beside the file itself, not a link to it
        self.place = f"file:{record}.{NAME}"

    def read(self) -> Note | None:
        """Return the note in the file."""
        with self._failing():
            try:
                text = self._path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return None
        return parse(text, self.place)

    def write(self, note: Note) -> None:
        """Write the note where none stands; it is on the disk before anything is cut."""
        with self._failing():
            try:
                write_atomically(self._path, serialise(note, indent=2) + "\n", replace=False)
            except FileExistsError:
                raise _stands(self.place) from None

    def delete(self, id: str) -> None:
        """Delete the file if it is of that drill."""
        standing = self.read()
        if standing is not None and standing.id == id:
            with self._failing():
                self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as failure:
            raise BadInput(
                "drill_note_place_unusable",
                f"The note of a drill at {self.place} cannot be read or written: "
                f"{failure.strerror or failure}.",
                at_fault="--record",
                remedy="Make room, or give this user the right to write in that folder.",
            ) from None


def _stands(place: str) -> Conflict:
    return Conflict(
        "drill_note_stands",
        f"A note of another drill stands at {place}.",
        at_fault=place,
        remedy="Run `ekm drill restore`, then the drill again.",
    )
