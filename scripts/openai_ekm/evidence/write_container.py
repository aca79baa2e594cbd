"""Write a pack as a folder or a zip: whole or not at all, and the same bytes for the same pack."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openai_ekm.errors import BadInput
from openai_ekm.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_place", "write_pack", "zip_of"]

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
