"""The container of a pack, a folder or a zip: written whole or not at all, read with distrust.

Nothing is extracted. No link is followed. A file is read only to the size that the manifest allows
it, and a zip's own sizes are compared with the manifest's before anything is decompressed.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from openai_ekm.errors import BadInput
from openai_ekm.evidence.manifest import LARGEST_MANIFEST, LARGEST_PACK
from openai_ekm.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Container",
    "FolderPack",
    "Found",
    "ZipPack",
    "check_place",
    "open_pack",
    "write_pack",
    "zip_of",
]

_FIRST_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the first that a zip can hold
_MODE: Final = 0o100644 << 16
_UNIX: Final = 3


def _is_zip(place: str) -> bool:
    """Return whether a place names a zip."""
    return place.lower().endswith(".zip")


def check_place(place: str) -> None:
    """Refuse a place that is taken, or that has no folder, before anything is asked or signed.

    Raises:
        BadInput: It is.
    """
    path = Path(place)
    try:
        taken = os.path.lexists(path) and not (
            path.is_dir()
            and not path.is_symlink()
            and not _is_zip(place)
            and not any(path.iterdir())
        )
        has_folder = path.absolute().parent.is_dir()
    except (OSError, ValueError) as error:
        raise _unwritable(place, getattr(error, "strerror", None) or str(error)) from None
    if taken:
        raise BadInput(
            "evidence_place_taken",
            f"{place} is there already. A pack is written anew, and never over another one.",
            at_fault=place,
            remedy="Name a new folder or zip, or move the old one away.",
        )
    if not has_folder:
        raise _unwritable(place, "its folder does not exist")


def write_pack(place: str, files: Mapping[str, bytes]) -> None:
    """Write a pack; this user alone may read it.

    Args:
        place: A folder that is not there or is empty, or a `.zip` that is not there.
        files: The files by path.

    Raises:
        BadInput: It cannot be written; nothing is there then.
    """
    try:
        if _is_zip(place):
            write_atomically(Path(place).absolute(), zip_of(files), replace=False)
        else:
            _write_folder(Path(place).absolute(), files)
    except OSError as error:
        raise _unwritable(place, error.strerror or str(error)) from None


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Return a zip whose bytes follow from the files alone.

    Times, order and permissions are fixed. Nothing is compressed: two versions of zlib compress
    the same text to different bytes.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _FIRST_MOMENT)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[path])
    return stream.getvalue()


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write beside the folder first, so that half a pack never has its name."""
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for path in sorted(files):
            file = made / path
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(file, files[path], replace=False)
        made.rename(folder)  # over an empty folder, and never over a full one
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _unwritable(place: str, why: str) -> BadInput:
    return BadInput(
        "evidence_unwritable",
        f"The pack cannot be written to {place}: {why}.",
        at_fault=place,
        remedy="Name a folder or a .zip in a folder that you may write to.",
    )


MOST_NAMES: Final = 20_000  # files and folders; twice what a manifest may list
_LARGEST_ZIP: Final = LARGEST_PACK + LARGEST_MANIFEST + 16 * 1024 * 1024
# The end of a zip: entries on this disk and in all, bytes of the directory, its place, comment.
_END: Final = struct.Struct("<4s2H2H2LH")
_LARGEST_DIRECTORY: Final = MOST_NAMES * 512  # bytes
_ENCRYPTED: Final = 0x1


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a pack holds.

    Args:
        path: Its name inside the pack, as it was found, with `/` between folders.
        kind: `file`, `folder`, `link` or `special`.
        size: Bytes, as the file system or the zip says.
        fault: Why it cannot be read in any case; None when it can.
    """

    path: str
    kind: str
    size: int
    fault: str | None = None


class Container(Protocol):
    """A folder or a zip that should be a pack."""

    def names(self) -> Iterator[Found]:
        """Yield everything that is in it, in the order of its name; nothing is opened."""

    def read(self, path: str, most: int) -> bytes:
        """Return a file's content, at most so many bytes and one more.

        Raises:
            OSError: It cannot be read.
        """

    def layout_fault(self) -> str | None:
        """Return why other programs may read other files in it; None when none can.

        It is for a pack whose files are all as its manifest says.
        """


def open_pack(source: str) -> Container:
    """Open a folder or a zip.

    Raises:
        BadInput: It is neither, or the zip cannot be read.
    """
    path = Path(source)
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(source, getattr(error, "strerror", None) or str(error)) from None
    if stat.S_ISDIR(found.st_mode):
        return FolderPack(path)
    if not stat.S_ISREG(found.st_mode):
        raise _unreadable(source, "it is neither a folder nor a file")
    try:
        return ZipPack(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _unreadable(source, f"it is no zip that can be read ({error})") from None


def _unreadable(source: str, why: str) -> BadInput:
    return BadInput(
        "evidence_unreadable",
        f"{source} cannot be read as a pack of evidence: {why}.",
        at_fault=source,
        remedy="Name the folder or the zip that `ekm evidence write` made.",
    )


class FolderPack:
    """A pack in a folder.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> Iterator[Found]:
        """Yield everything that is in it; a link to a folder is a link, and not entered."""
        waiting, met = [(self._folder, "")], 0
        while waiting:
            folder, prefix = waiting.pop()
            try:
                with os.scandir(folder) as listed:
                    some = list(islice(listed, MOST_NAMES - met + 1))
                entries = sorted(some, key=lambda each: each.name)
            except OSError as error:
                yield Found(prefix.rstrip("/"), "folder", 0, f"cannot be listed: {error.strerror}")
                continue
            for entry in entries:
                met += 1
                if met > MOST_NAMES:
                    raise _unreadable(str(self._folder), f"it has more than {MOST_NAMES} names")
                name = prefix + os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                try:
                    mode = entry.stat(follow_symlinks=False)
                except OSError as error:
                    yield Found(name, "file", 0, f"cannot be looked at: {error.strerror}")
                    continue
                if stat.S_ISDIR(mode.st_mode):
                    yield Found(name, "folder", 0)
                    waiting.append((Path(entry.path), f"{name}/"))
                elif stat.S_ISREG(mode.st_mode):
                    yield Found(name, "file", mode.st_size)
                else:
                    kind = "link" if stat.S_ISLNK(mode.st_mode) else "special"
                    yield Found(name, kind, 0)

    def read(self, path: str, most: int) -> bytes:
        """Return a file's content; no link is followed on the way to it.

        Raises:
            OSError: It cannot be read, or a part of its path is a link.
        """
        *folders, name = path.split("/")
        directory = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for each in folders:
                inner = os.open(
                    each,
                    os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=directory,
                )
                os.close(directory)
                directory = inner
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
                return file.read(most + 1)
        finally:
            os.close(directory)

    def layout_fault(self) -> None:
        """Return None: a file of a folder is one thing to every program."""


class ZipPack:
    """A pack in a zip.

    Args:
        file: The zip.

    Raises:
        BadZipFile: It is none.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        _check_end(file)
        self._zip = zipfile.ZipFile(file)
        self._entries = self._zip.infolist()
        if len(self._entries) > MOST_NAMES:
            raise ValueError(f"it has more than {MOST_NAMES} entries")
        self._by_name = {each.orig_filename: each for each in self._entries}

    def names(self) -> Iterator[Found]:
        """Yield every entry, one that is there twice as often."""
        for entry in sorted(self._entries, key=lambda each: each.orig_filename):
            name = entry.orig_filename
            mode = entry.external_attr >> 16 if entry.create_system == _UNIX else 0
            fault = None
            if entry.flag_bits & _ENCRYPTED:
                fault = "is encrypted"
            elif entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                fault = "is compressed by a method that no pack uses"
            kind = "file"
            if stat.S_ISLNK(mode):
                kind = "link"
            elif name.endswith("/") or stat.S_ISDIR(mode):
                kind, name = "folder" if entry.file_size == 0 else "special", name.rstrip("/")
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                kind = "special"
            yield Found(name, kind, entry.file_size, fault)

    def read(self, path: str, most: int) -> bytes:
        """Return an entry's content, decompressed only as far as asked.

        Raises:
            OSError: It cannot be read, or is damaged.
        """
        entry = self._by_name[path]
        if entry.file_size > most:
            raise OSError(0, f"its size in the zip is {entry.file_size} bytes")
        try:
            with self._zip.open(entry) as stream:
                return stream.read(most + 1)
        except _DAMAGED as error:
            raise OSError(0, f"it is damaged in the zip ({error})") from None

    def layout_fault(self) -> str | None:
        """Compare the zip with the one that its files make, byte for byte.

        A zip names its files twice and may hold bytes beside them: programs read other names,
        other lengths, a link or another zip from the same bytes. The zip that `ekm evidence write`
        makes of the files has one reading.
        """
        files = {
            each.orig_filename: self.read(each.orig_filename, each.file_size)
            for each in self._entries
        }
        written = zip_of(files)
        if self._file.stat().st_size == len(written) and self._file.read_bytes() == written:
            return None
        return (
            "the zip is not as `ekm evidence write` lays it out, though its files are as the "
            "manifest says: other programs may read other files in it"
        )


_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
)


def _check_end(file: Path) -> None:
    """Look at the end of a zip before its directory is read into memory.

    Raises:
        ValueError: It is larger than any pack, or has more entries.
        BadZipFile: It does not end as a zip without a comment does.
    """
    size = file.stat().st_size
    if size > _LARGEST_ZIP:
        raise ValueError(f"it is larger than {_LARGEST_ZIP} bytes")
    if size < _END.size:
        raise zipfile.BadZipFile("it is too short")
    with file.open("rb") as raw:
        raw.seek(-_END.size, os.SEEK_END)
        magic, *_, entries, directory, _place, comment = _END.unpack(raw.read(_END.size))
    if magic != b"PK\x05\x06" or comment:
        raise zipfile.BadZipFile("there is something after its end, such as a comment")
    if entries > MOST_NAMES or directory > _LARGEST_DIRECTORY:
        raise ValueError(f"it has more than {MOST_NAMES} entries")
