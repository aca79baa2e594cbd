"""What is written is for this user alone, whoever else is on the machine."""

from __future__ import annotations

import itertools
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from openai_ekm.files import create_private_file, make_private_folder, write_atomically
from tests.support.other_users import (
    NEIGHBOUR,
    ROOT,
    STRANGER,
    act_as,
    open_to_others,
    shared_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_a_file_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """A report with account ids would be readable by every user of a build machine."""
    before = os.umask(umask)
    try:
        write_atomically(tmp_path / "report.md", "first")
        write_atomically(tmp_path / "report.md", "second \udc80")
        create_private_file(tmp_path / "log").close()
        make_private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert (tmp_path / "report.md").read_text() == "second \\udc80"
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "log", "report.md"]


def test_a_readable_file_becomes_private(tmp_path: Path) -> None:
    """A file that an earlier version wrote for everybody would stay so."""
    (tmp_path / "calls.json").write_text("{}")
    (tmp_path / "calls.json").chmod(0o644)
    write_atomically(tmp_path / "calls.json", "{}")
    assert stat.S_IMODE((tmp_path / "calls.json").stat().st_mode) == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link planted under the name would let its maker overwrite a file of ours."""
    (tmp_path / "precious").write_text("as it was")
    (tmp_path / "out").symlink_to("precious")
    (tmp_path / "dangling").symlink_to("made by us")
    for name in ("out", "dangling"):
        with pytest.raises(OSError, match="it is a link"):
            write_atomically(tmp_path / name, "text")
    create_private_file(tmp_path / "out").close()  # takes the link's place
    assert (tmp_path / "precious").read_text() == "as it was"
    assert not (tmp_path / "made by us").exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["dangling", "out", "precious"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """As root, a report for a device or a pipe would put a file in its place."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(tmp_path / "pipe", "text")
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(tmp_path, "text")
    with pytest.raises(OSError, match=r"link|regular"):
        write_atomically(Path("/dev/stdout"), "text")
    assert Path("/dev/stdout").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk would leave half a record, or temporary files."""

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_atomically(tmp_path / "record", "before")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            write_atomically(tmp_path / "record", "after")
    assert (tmp_path / "record").read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["record"]


def test_only_one_of_many_creates(tmp_path: Path) -> None:
    """Two drills at one moment would both believe that their note stands."""
    won: list[int] = []

    def write(number: int) -> None:
        try:
            write_atomically(tmp_path / "note", str(number), replace=False)
        except FileExistsError:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert (tmp_path / "note").read_text() == str(won[0])
    assert [each.name for each in tmp_path.iterdir()] == ["note"]


def test_no_name_is_used_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: a temporary name that another user can foretell and take first.

    The process id is replaced by a long number: a real one may have two digits, which a random
    name holds by chance.
    """
    names: list[str] = []
    process_id = 987_654_321_012_345
    real = os.open

    def spy(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_CREAT:
            assert flags & os.O_EXCL
            assert flags & os.O_NOFOLLOW
            names.append(path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", spy)
    monkeypatch.setattr(os, "getpid", lambda: process_id)
    for _ in range(50):
        write_atomically(tmp_path / "same", "text")
    assert len(set(names)) == 50
    assert all(str(process_id) not in name for name in names)


MODES = (0o700, 0o755, 0o770, 0o775, 0o707, 0o777, 0o1777, 0o1770)


@pytest.mark.parametrize(("parent", "folder"), [*itertools.product(MODES, MODES)])
def test_every_mode_of_a_folder_and_its_parent(parent: int, folder: int) -> None:
    """A folder is safe where no other user can write to it, or replace it in its parent.

    Generated from that rule: the sticky bit of the parent protects, that of the folder does not.
    """
    with shared_folder(0o755) as shared:
        place = shared / "parent" / "folder"
        place.mkdir(parents=True)
        if ROOT:
            os.chown(place, 0, NEIGHBOUR)
            os.chown(place.parent, 0, NEIGHBOUR)
        else:  # the group may be this user's own, which counts for nothing: everybody then
            parent, folder = (mode | mode >> 3 & 0o002 for mode in (parent, folder))
        place.chmod(folder)
        place.parent.chmod(parent)
        safe = not folder & 0o022 and (parent & 0o1000 or not parent & 0o022)
        if safe:
            assert make_private_folder(place) == place
        else:
            with pytest.raises(PermissionError, match=r"can be written by other users \(mode"):
                make_private_folder(place)


@pytest.mark.parametrize("name", ["", "a", "a/b", "a/b/c"])
def test_a_stranger_anywhere_on_the_way(name: str) -> None:
    """Whoever owns a folder above may put another one in the place of ours."""
    with shared_folder(0o755) as shared:
        (shared / "a" / "b" / "c").mkdir(parents=True, mode=0o700)
        open_to_others(shared / name)
        wrong = f"is a folder of another user (uid {STRANGER})" if ROOT else "can be written by"
        with pytest.raises(PermissionError) as refusal:
            make_private_folder(shared / "a" / "b" / "c")
        assert f"{shared / name} {wrong}" in str(refusal.value)


def test_a_link_of_a_stranger_is_refused() -> None:
    """In a folder such as /tmp, a stranger's link leads to where the stranger wants."""
    with shared_folder(0o1777) as shared:
        (shared / "ours").mkdir(mode=0o700)
        (shared / "link").symlink_to("ours")
        (shared / "up").symlink_to(shared / "ours" / ".." / "link")
        for link in ("link", "up"):
            assert make_private_folder(shared / link / "x") == shared / "ours" / "x"
        if ROOT:
            os.chown(shared / "link", STRANGER, STRANGER, follow_symlinks=False)
        else:  # a link has no mode: the folder that it leads to is opened instead
            (shared / "ours").chmod(0o777)
        for link in ("link", "up"):
            with pytest.raises(PermissionError, match=r"of another user|can be written"):
                make_private_folder(shared / link / "x")


def test_a_loop_of_links_and_a_file_on_the_way(tmp_path: Path) -> None:
    """A wrong path would hang, or end in a traceback that is no OSError."""
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").touch()
    for name in ("loop", "file", "file/below"):
        with pytest.raises(OSError, match=r"symbolic links|is not a folder"):
            make_private_folder(tmp_path / name)


def test_what_passed_cannot_be_replaced_by_a_stranger() -> None:
    """The check would be worth nothing if a stranger could act after it.

    As root: a stranger tries all that could change a folder that passed. Else: by mode.
    """
    with shared_folder(0o1777) as shared:
        folder = make_private_folder(shared / "cache" / "registrar")
        (folder / "python").write_text("ours")

        def acts(on: Path) -> list[tuple[str, bool]]:
            tried: dict[str, Callable[[], object]] = {
                "rename": lambda: (shared / "cache").rename(shared / "gone"),
                "rename inside": lambda: folder.rename(shared / "gone"),
                "remove": (on / "python").unlink,
                "plant": lambda: (on / "planted").write_text("theirs"),
                "overwrite": lambda: (on / "python").write_text("theirs"),
                "chmod": lambda: (shared / "cache").chmod(0o777),
                "read": (on / "python").read_text,
            }
            return [(name, act_as(STRANGER, act)) for name, act in tried.items()]

        if ROOT:
            assert [name for name, done in acts(folder) if done] == []
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
        assert (folder / "python").read_text() == "ours"


def test_a_user_who_is_not_root_is_protected_from_another() -> None:
    """What root sees is not what a user sees: a folder of root's is no folder of a user's own."""

    def user() -> None:
        assert make_private_folder(shared / "mine" / "cache") == shared / "mine" / "cache"
        (shared / "mine" / "cache" / "file").touch()
        for strange in ("theirs", "roots"):
            with pytest.raises(PermissionError):
                make_private_folder(shared / strange)
            with pytest.raises(PermissionError):
                make_private_folder(shared / strange / "below")

    with shared_folder(0o1777) as shared:
        (shared / "roots").mkdir(mode=0o700)
        if ROOT:
            assert act_as(STRANGER, (shared / "theirs").mkdir)
            assert act_as(NEIGHBOUR, user)
            assert (shared / "mine").stat().st_uid == NEIGHBOUR
        else:
            (shared / "theirs").mkdir()
            for strange in ("theirs", "roots"):
                (shared / strange).chmod(0o777)
            user()
