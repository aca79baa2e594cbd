"""Files and folders that no other user of the machine can read, redirect or replace.

Standard library only: the launcher of modules/registration uses it before anything is installed.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import secrets
import stat
from pathlib import Path
from typing import BinaryIO, Final

__all__ = [
    "create_private_file",
    "make_private_folder",
    "others_can_write",
    "write_atomically",
]

_MOST_LINKS: Final = 40  # Linux's own limit for one path
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def write_atomically(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write a whole file for this user alone, or leave what was there.

    The content goes to a new file of a random name in the same folder, is flushed to the disk, and
    gets the wanted name in one step. A link under that name is never followed.

    Args:
        path: The file; its folder exists.
        content: What the file holds. Text is written as UTF-8, a lone surrogate as its escape.
        replace: Whether a file of that name may be there already.

    Raises:
        FileExistsError: A file is there, and `replace` is false.
        OSError: It cannot be written; `strerror` says why.
    """
    if isinstance(content, str):
        content = content.encode("utf-8", "backslashreplace")
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_regular(path, folder)
        temporary = f".{secrets.token_hex(16)}.tmp"
        descriptor = _create(temporary, folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                os.replace(temporary, path.name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                os.link(
                    temporary,
                    path.name,
                    src_dir_fd=folder,
                    dst_dir_fd=folder,
                    follow_symlinks=False,
                )
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
        _flush(folder)
    finally:
        os.close(folder)


def create_private_file(path: Path) -> BinaryIO:
    """Open a new, empty file for writing; a file or link of that name is removed first.

    Raises:
        OSError: It cannot be made.
    """
    path.unlink(missing_ok=True)
    return os.fdopen(_create(path), "wb")


def make_private_folder(folder: Path) -> Path:
    """Make a folder that only this user can change, or find that it is one.

    Every folder on the way is looked at before the next one is entered. It belongs to this user or
    to root. Where others may write to it, its sticky bit keeps them from replacing what is in it.
    So nobody else can put another folder in the place of this one later.

    Args:
        folder: Its parents are made, too, for this user alone.

    Returns:
        The same folder, without links in its path.

    Raises:
        PermissionError: Another user could change it; `strerror` says which folder and why.
        OSError: It cannot be made.
    """
    ahead = _parts(folder.absolute())
    place = Path("/")
    links = 0
    _check_folder(place, place.lstat(), parent=True)
    while ahead:
        part = ahead.pop()
        if part == "..":
            place = place.parent
            continue
        child = place / part
        try:
            found = child.lstat()
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # another run made it in between
                child.mkdir(mode=0o700)
            found = child.lstat()
        if stat.S_ISLNK(found.st_mode):
            _check_owner(child, found, "link")
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(child))
            target = child.readlink()
            if target.is_absolute():
                place = Path("/")
            ahead += _parts(target)
            continue
        _check_folder(child, found, parent=True)
        place = child
    _check_folder(place, place.lstat(), parent=False)
    return place


def _parts(path: Path) -> list[str]:
    """Return the names in a path, the last one first."""
    return [part for part in reversed(path.parts) if part != path.anchor]


def _check_folder(path: Path, found: os.stat_result, *, parent: bool) -> None:
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, f"{path} is not a folder", str(path))
    _check_owner(path, found, "folder")
    if parent and found.st_mode & stat.S_ISVTX:
        return
    if not parent and found.st_uid != os.geteuid():
        raise _unsafe(path, "belongs to root, not to this user")
    if others_can_write(path, found):
        raise _unsafe(path, f"can be written by other users (mode {found.st_mode & 0o7777:o})")


def _check_owner(path: Path, found: os.stat_result, kind: str) -> None:
    if found.st_uid not in (0, os.geteuid()):
        raise _unsafe(path, f"is a {kind} of another user (uid {found.st_uid})")


def others_can_write(path: Path, found: os.stat_result) -> bool:
    """Tell whether the mode lets another user write; a private group of the owner lets none.

    Args:
        path: To look for access control lists, which hide behind the mode of the group.
        found: Its status.
    """
    writers = found.st_mode & _OTHERS_WRITE
    if writers != stat.S_IWGRP:
        return bool(writers)
    return not _is_private_group(found) or _has_access_list(path)


def _is_private_group(found: os.stat_result) -> bool:
    """Return whether the group is the owner's own, which distributions make for umask 002."""
    try:
        owner, group = pwd.getpwuid(found.st_uid), grp.getgrgid(found.st_gid)
    except KeyError:
        return False
    return (
        owner.pw_gid == group.gr_gid
        and owner.pw_name == group.gr_name
        and set(group.gr_mem) <= {owner.pw_name}
    )


def _has_access_list(path: Path) -> bool:
    if not hasattr(os, "getxattr"):
        return True  # cannot be told here
    try:
        return bool(os.getxattr(path, "system.posix_acl_access", follow_symlinks=False))
    except OSError as failure:
        return failure.errno not in (errno.ENODATA, errno.ENOTSUP)


def _unsafe(path: Path, why: str) -> PermissionError:
    return PermissionError(errno.EPERM, f"{path} {why}", str(path))


def _check_regular(path: Path, folder: int) -> None:
    """Refuse to put a file in the place of something else, such as `/dev/stdout`."""
    try:
        found = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "it is a link: name the file itself", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def _create(path: Path | str, folder: int | None = None) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600, dir_fd=folder)


def _flush(folder: int) -> None:
    """Put the new name on the disk; some file systems cannot be asked for that."""
    try:
        os.fsync(folder)
    except OSError as failure:
        if failure.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
