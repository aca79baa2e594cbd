"""Connects to OpenAI's Admin API: transport, pace and the lists that processes share.

A list serves only processes that asked before it was begun, so it is as fresh as a list of their
own, and there is no cache. A process that asks while another one lists waits for the next list,
which one of the waiting processes makes for all. A number that is counted up under a lock says
when a list was begun; a clock does not.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from openai_ekm.files import make_private_folder, write_atomically
from openai_ekm.json_reader import read_json
from openai_ekm.openai_api import constants, transport
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.objects import ExternalKey, NotAnObject
from openai_ekm.openai_api.pacing import WindowPacer, state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from openai_ekm.openai_api.redaction import AdminKey
    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = ["SharedLists", "SharingApi", "connect"]

Keys = tuple[ExternalKey, ...]

POLL: Final = 0.25  # seconds between two looks at what another process lists
# Seconds to wait for another process: one that was stopped (Ctrl-Z) holds the lock for good.
LONGEST_WAIT: Final = 180.0


@dataclass(frozen=True, slots=True)
class _SharedFile:
    """The file that all processes see.

    Args:
        series: Changes when the file is begun anew.
        begun: Number of the last list that was begun.
        listed: Number of the list that `keys` is; 0 for none.
    """

    series: str
    begun: int = 0
    listed: int = 0
    keys: Keys = ()

    def begun_after(self, asked: _SharedFile | None) -> bool:
        """Return whether `keys` is a list that was begun after the board looked like that.

        Args:
            asked: As it was when somebody asked; None when there was none: nobody was listing.
        """
        if asked is None:
            return self.listed > 0
        return self.series == asked.series and self.listed > asked.begun


class SharedLists:
    """Lists that the processes of one user make for each other.

    Args:
        base_url: Lists of different hosts are kept apart.
        key: So are those of different organizations: the file's name is a keyed hash.
        folder: Where they are kept. Where it cannot be written, or another user could change what
            is in it, everybody lists alone. The file holds what OpenAI lists, ids, ARNs, names and
            external ids, for this user alone.
        sleep: Takes seconds.
    """

    def __init__(
        self, base_url: str, key: AdminKey, folder: Path, *, sleep: Callable[[float], None]
    ) -> None:
        secret = hashlib.sha256(key.reveal().encode()).digest()
        name = hashlib.blake2b(base_url.encode(), key=secret, digest_size=8).hexdigest()
        self._file = folder / f"keys-{name}.json"
        self._sleep = sleep

    def ask(
        self, fetch: Callable[[], Keys], progress: Callable[[str], None] = lambda _line: None
    ) -> tuple[Keys, float]:
        """Return a list that was begun after this call, and the seconds waited for another's.

        Args:
            fetch: Makes a list; called when nobody else made one that serves.
            progress: Takes a line for stderr, for a wait of more than two seconds.
        """
        waited = 0.0
        try:
            make_private_folder(self._file.parent)
            asked = self._read()
            lock = FileLock(f"{self._file}.lock", mode=0o600)
            while True:
                try:
                    lock.acquire(timeout=0)
                    break
                except Timeout:
                    if waited >= LONGEST_WAIT:
                        return fetch(), waited
                    if waited == constants.TELL_AFTER:
                        progress("Waiting for the list that another process is making.")
                    self._sleep(POLL)
                    waited += POLL
        except (OSError, NotImplementedError):  # filelock's word for no locks here
            return fetch(), waited
        try:
            board = self._read()
            if board and board.begun_after(asked):
                return board.keys, waited
            series = board.series if board else secrets.token_hex(8)
            number = 1 + (board.begun if board else 0)
            told = self._write(_SharedFile(series, number))
            keys = fetch()
            if told:  # else nobody could know when this list was begun
                self._write(_SharedFile(series, number, number, keys))
            return keys, waited
        finally:
            lock.release()

    def _read(self) -> _SharedFile | None:
        try:
            value: Any = read_json(self._file.read_text(encoding="utf-8"))
            return _SharedFile(
                str(value["series"]),
                int(value["begun"]),
                int(value["listed"]),
                tuple(ExternalKey.parse(key) for key in value["keys"]),
            )
        except (OSError, ValueError, TypeError, KeyError, NotAnObject):
            return None

    def _write(self, board: _SharedFile) -> bool:
        """Replace the file; False when that fails, and then there is none."""
        try:
            write_atomically(self._file, json.dumps(asdict(board)))
        except OSError:
            self._file.unlink(missing_ok=True)
            return False
        return True


class SharingApi(AdminApi):
    """The client, with lists of registrations shared between processes.

    Args:
        lists: Shared with whoever has the same folder.
        rest: As `AdminApi` takes it.
    """

    def __init__(self, lists: SharedLists, *transport: Any, **rest: Any) -> None:
        super().__init__(*transport, **rest)
        self._lists = lists

    def list_external_keys(self) -> Keys:
        """Return a list that was begun after this call, whoever made it."""
        keys, waited = self._lists.ask(super().list_external_keys, self._progress)
        self.pacer.waited += waited
        return keys


def connect(
    base_url: str,
    key: AdminKey,
    *,
    certificate: ClientCertificate | None,
    calls_per_minute: int,
    progress: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> AdminApi:
    """Return OpenAI's Admin API, paced, which shares its lists with other processes.

    Args:
        base_url: Where the API is.
        key: The admin key.
        certificate: The client certificate of an organization with mutual TLS.
        calls_per_minute: The pace of each endpoint; with 0 nothing is paced and nothing shared,
            as with an emulator, whose calls cost nothing.
        progress: Told of a wait.
        sleep: Waits for seconds.
    """
    sender = transport.RequestsTransport(base_url, key, certificate=certificate)
    if not calls_per_minute:
        return AdminApi(sender, sleep=sleep, progress=progress)
    pacer = WindowPacer(calls_per_minute, base_url, sleep=sleep, progress=progress)
    lists = SharedLists(base_url, key, state_folder(), sleep=sleep)
    return SharingApi(lists, sender, pacer=pacer, sleep=sleep, progress=progress)
