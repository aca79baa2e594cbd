"""Lists of registrations that processes make for each other: as fresh as one's own, and few."""

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.openai_api.connection import LONGEST_WAIT, SharedLists
from openai_ekm.openai_api.objects import ExternalKey
from openai_ekm.openai_api.redaction import AdminKey

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://api.openai.com/v1"
SECRET = "sk-admin-a-list-of-tests-0123456789"


def lists(folder: Path, url: str = URL, key: str = SECRET) -> SharedLists:
    """What a process of its own has."""
    return SharedLists(url, AdminKey(key, origin="test"), folder, sleep=lambda _s: time.sleep(0.01))


class Told(SharedLists):
    """Tells, in a file of its own, that it has asked: it has looked at what all see."""

    folder: Path

    def _read(self) -> Any:
        board = super()._read()
        (self.folder / f"asked-{os.getpid()}").touch()
        return board


def ask_once(folder: Path, number: int) -> None:
    """A process that wants a list; who makes one takes until as many have asked for one."""
    asking = Told(URL, AdminKey(SECRET, origin="test"), folder / "state", sleep=time.sleep)
    asking.folder = folder

    def fetch() -> tuple[ExternalKey, ...]:
        with (folder / "made").open("a") as file:
            file.write("x")
        deadline = time.monotonic() + 240
        while len(list(folder.glob("asked-*"))) < number:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return (ExternalKey("extkey_1", name="a"),)

    keys, _ = asking.ask(fetch)
    assert [key.id for key in keys] == ["extkey_1"]


def test_processes_that_ask_at_once_share_few_lists(tmp_path: Path) -> None:
    """Guards against: six registrars of one apply list six times, and meet the rate limit."""
    context = multiprocessing.get_context("spawn")
    asking = [context.Process(target=ask_once, args=(tmp_path, 6), daemon=True) for _ in range(6)]
    for process in asking:
        process.start()
    for process in asking:
        process.join(300)
    assert [process.exitcode for process in asking] == [0] * 6
    # One for who asked before it was begun, and the next one for all who asked meanwhile.
    assert len((tmp_path / "made").read_text()) in {1, 2}


def test_no_list_serves_who_asked_after_it_was_begun(tmp_path: Path) -> None:
    """Guards against: a list from before a lost create, by which it is sent again."""
    openai = ["extkey_1"]
    begun, created = threading.Event(), threading.Event()

    def slow() -> tuple[ExternalKey, ...]:
        found = tuple(map(ExternalKey, openai))
        begun.set()
        assert created.wait(120)
        return found

    first: list[tuple[ExternalKey, ...]] = []
    lister = threading.Thread(target=lambda: first.append(lists(tmp_path).ask(slow)[0]))
    lister.start()
    assert begun.wait(120)
    openai.append("extkey_2")

    def sleep(_seconds: float) -> None:
        created.set()  # it has asked, and waits
        time.sleep(0.01)

    asking = SharedLists(URL, AdminKey(SECRET, origin="test"), tmp_path, sleep=sleep)
    keys, waited = asking.ask(lambda: tuple(map(ExternalKey, openai)))
    lister.join(120)
    assert [key.id for key in first[0]] == ["extkey_1"]
    assert [key.id for key in keys] == ["extkey_1", "extkey_2"]
    assert waited > 0


def test_a_list_of_an_hour_ago_serves_nobody(tmp_path: Path) -> None:
    """Guards against: what is left on disk passes for what OpenAI has."""
    lists(tmp_path).ask(lambda: (ExternalKey("extkey_old"),))
    keys, _ = lists(tmp_path).ask(lambda: (ExternalKey("extkey_new"),))
    assert [key.id for key in keys] == ["extkey_new"]


def test_a_list_that_failed_serves_nobody_and_holds_nobody_up(tmp_path: Path) -> None:
    """Guards against: after one failed list everybody waits, or takes the one before it."""
    lists(tmp_path).ask(lambda: (ExternalKey("extkey_old"),))

    def fails() -> tuple[ExternalKey, ...]:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - ours, two lines up
        lists(tmp_path).ask(fails)
    assert lists(tmp_path).ask(lambda: ())[0] == ()


def test_a_process_that_is_stopped_in_its_list_holds_nobody_up_for_good(tmp_path: Path) -> None:
    """Guards against: Ctrl-Z in one run lets every other run of this user hang, without a word."""
    done = threading.Event()
    begun = threading.Event()

    def stopped() -> tuple[ExternalKey, ...]:
        begun.set()
        assert done.wait(120)
        return ()

    lister = threading.Thread(target=lambda: lists(tmp_path).ask(stopped))
    lister.start()
    assert begun.wait(120)
    slept: list[float] = []
    said: list[str] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(slept) < 10_000, "it waits without end"

    asking = SharedLists(URL, AdminKey(SECRET, origin="test"), tmp_path, sleep=sleep)
    try:
        keys, waited = asking.ask(lambda: (ExternalKey("extkey_1"),), said.append)
    finally:
        done.set()
        lister.join(120)
    assert [key.id for key in keys] == ["extkey_1"]
    assert waited == sum(slept) == LONGEST_WAIT
    assert said == ["Waiting for the list that another process is making."]


def test_hosts_and_organizations_do_not_share(tmp_path: Path) -> None:
    """Guards against: one organization's registrations are taken for another's."""
    lists(tmp_path).ask(lambda: (ExternalKey("extkey_1"),))
    lists(tmp_path, url="https://eu.api.openai.com/v1").ask(tuple)
    lists(tmp_path, key=SECRET + "x").ask(tuple)
    assert len(list(tmp_path.glob("keys-*.json"))) == 3


def test_the_file_is_for_this_user_and_names_no_secret(tmp_path: Path) -> None:
    """Guards against: another user reads the list, or the admin key in it."""
    key = ExternalKey("extkey_1", name="prod", api_project_ids=("proj_1",), workspace_id="w")
    lists(tmp_path).ask(lambda: (key,))
    file = next(tmp_path.glob("keys-*.json"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert SECRET not in file.read_text()
    for broken in ("", "{", "[]", '{"series": 1}'):
        file.write_text(broken)
        assert lists(tmp_path).ask(lambda: (key,))[0] == (key,)


def test_folder_that_cannot_be_written_lists_alone(tmp_path: Path) -> None:
    """Guards against: a read-only home stops the run."""
    (tmp_path / "file").write_text("")
    assert lists(tmp_path / "file" / "below").ask(tuple)[0] == ()
