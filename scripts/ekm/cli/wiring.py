"""Puts the registrar together from what was given: record, admin key, client, runner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ekm.cli import render
from ekm.cli.options import secret_variable, text_variable
from ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from ekm.admin_api.client import AdminApi
    from ekm.admin_api.redaction import AdminKey
    from ekm.registrar.runner import Runner
    from ekm.registrar.store import RecordStore

__all__ = ["Desk", "Place", "list_lag", "log_to_stderr", "parse_place"]

MOST_CALLS_PER_MINUTE = 100_000
LONGEST_LIST_LAG = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is: `ssm` or `file`, and its path."""

    kind: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}"


def parse_place(text: str | None) -> Place:
    """Read `--record`.

    Raises:
        BadInput: Missing, or of neither form.
    """
    if text is None:
        raise BadInput(
            "option_missing",
            "--record is missing: neither given, nor in EKM_RECORD, nor in Terraform's outputs.",
            at_fault="--record",
            remedy="Give --from-terraform DIR after an apply, or --record ssm:/openai-ekm/NAME, or "
            "--record file:PATH.",
        )
    kind, colon, path = text.partition(":")
    if kind not in {"ssm", "file"} or not colon or not path or "\0" in path:
        raise BadInput(
            "record_place_malformed",
            f"--record {text!r} is neither ssm:NAME nor file:PATH.",
            at_fault="--record",
            remedy="Give ssm:/openai-ekm/NAME, or file:PATH.",
        )
    if kind == "ssm":
        from ekm.registrar.ssm import check_prefix  # noqa: PLC0415 - `--help` needs none of it

        path = path.rstrip("/")
        path = path.removesuffix("/record")
        check_prefix(path)
    return Place(kind, path)


class Desk:
    """Everything a verb works with, made when it is first asked for and checked in one order.

    Args:
        place: Where the record is, None when the verb needs none.
        admin_key_from: Reference to the admin key, or None for OPENAI_ADMIN_KEY.
        account: 12 digits that the AWS credentials must be of, or None where not known.
        needs_openai: Whether the verb calls OpenAI: then its settings are checked at once.
    """

    def __init__(
        self,
        place: Place | None,
        *,
        admin_key_from: str | None = None,
        account: str | None = None,
        needs_openai: bool = True,
    ) -> None:
        from ekm.admin_api.base_url import parse_base_url  # noqa: PLC0415 - see Place
        from ekm.admin_api.constants import DEFAULT_BASE_URL  # noqa: PLC0415 - see Place
        from ekm.registrar import admin_key  # noqa: PLC0415 - see Place

        if text_variable("EKM_DEBUG"):
            log_to_stderr()
        self.place = place
        self.base_url = parse_base_url(text_variable("OPENAI_BASE_URL") or DEFAULT_BASE_URL)
        self.calls_per_minute = _calls_per_minute()
        self._session: boto3.Session | None = None
        self._key: AdminKey | None = None
        if needs_openai and admin_key_from is None:
            self._key = admin_key.from_environment(secret_variable(admin_key.VARIABLE))
        elif needs_openai and admin_key_from is not None:
            admin_key.check_reference(admin_key_from)
        if place is not None and place.kind == "ssm":
            self.store: RecordStore | None = self._ssm_store(place, account)
        else:
            self.store = self._file_store(place)
        if needs_openai and self._key is None and admin_key_from is not None:
            self._key = admin_key.from_reference(admin_key_from, self.session())

    def session(self) -> boto3.Session:
        """AWS, for what was asked of it alone."""
        from ekm.registrar import aws  # noqa: PLC0415 - see Place

        if self._session is None:
            self._session = aws.new_session()
        return self._session

    @property
    def may_ask_aws(self) -> bool:
        """Whether policies and key may be read: with a file record AWS is not called."""
        return self.place is not None and self.place.kind == "ssm"

    def runner(self) -> Runner:
        """A runner over the record and OpenAI, whose waits keep the claim alive."""
        from ekm.cli.explain import explainer  # noqa: PLC0415 - see Place
        from ekm.registrar.runner import Heartbeat, Runner  # noqa: PLC0415 - see Place

        assert self.store is not None
        heartbeat = Heartbeat(self.store)
        return Runner(
            self.api(heartbeat),
            self.store,
            heartbeat=heartbeat,
            explain=explainer(self.session()) if self.may_ask_aws else None,
            progress=render.progress,
        )

    def api(
        self, heartbeat: object = None, *, progress: Callable[[str], None] = render.progress
    ) -> AdminApi:
        """OpenAI's Admin API, paced, its lists shared with other processes."""
        import time  # noqa: PLC0415 - see Place

        from ekm.admin_api.client import AdminApi  # noqa: PLC0415 - see Place
        from ekm.admin_api.pacing import WindowPacer, state_folder  # noqa: PLC0415 - see Place
        from ekm.admin_api.shared_lists import SharedLists, SharingApi  # noqa: PLC0415 - see Place
        from ekm.admin_api.transport import RequestsTransport  # noqa: PLC0415 - see Place
        from ekm.registrar.runner import Heartbeat  # noqa: PLC0415 - see Place

        assert self._key is not None
        sleep = heartbeat.sleep if isinstance(heartbeat, Heartbeat) else time.sleep
        transport = RequestsTransport(self.base_url, self._key)
        if not self.calls_per_minute:  # nothing to share where calls cost nothing: an emulator
            return AdminApi(transport, sleep=sleep, progress=progress)
        pacer = WindowPacer(self.calls_per_minute, self.base_url, sleep=sleep, progress=progress)
        lists = SharedLists(self.base_url, self._key, state_folder(), sleep=sleep)
        return SharingApi(lists, transport, pacer=pacer, sleep=sleep, progress=progress)

    def _ssm_store(self, place: Place, account: str | None) -> RecordStore:
        from ekm.registrar import aws  # noqa: PLC0415 - see Place
        from ekm.registrar.ssm import SsmStore  # noqa: PLC0415 - see Place

        if account is not None:
            aws.check_account(self.session(), account)
        return SsmStore(aws.client(self.session(), "ssm"), place.path)

    def _file_store(self, place: Place | None) -> RecordStore | None:
        from ekm.registrar.file import FileStore  # noqa: PLC0415 - see Place

        return None if place is None else FileStore(Path(place.path))


def log_to_stderr() -> None:
    """Show what requests, urllib3 and botocore log, without the admin key."""
    import logging  # noqa: PLC0415 - see Place

    from ekm.admin_api.redaction import RedactionFilter  # noqa: PLC0415 - see Place

    handler = logging.StreamHandler()
    handler.addFilter(RedactionFilter())
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    # botocore logs whole answers, and one of them may be the secret that is asked for.
    logging.getLogger("botocore").setLevel(logging.INFO)


def list_lag() -> float:
    """Seconds by which OpenAI's lists may lag behind a create: `EKM_LIST_LAG_SECONDS`.

    Raises:
        BadInput: Not a whole number from 0 to 3600.
    """
    from ekm.registrar.doubt import LIST_LAG  # noqa: PLC0415 - see Place

    text = text_variable("EKM_LIST_LAG_SECONDS")
    if text is None:
        return LIST_LAG
    if not text.isascii() or not text.isdigit() or int(text[:9]) > LONGEST_LIST_LAG:
        raise BadInput(
            "list_lag_malformed",
            f"EKM_LIST_LAG_SECONDS is {text[:40]!r}; it must be a whole number of seconds, at "
            f"most {LONGEST_LIST_LAG}.",
            at_fault="EKM_LIST_LAG_SECONDS",
            remedy=f"Unset it for the default of {LIST_LAG:.0f}.",
        )
    return float(text)


def _calls_per_minute() -> int:
    from ekm.admin_api.constants import CALLS_PER_MINUTE  # noqa: PLC0415 - see Place

    text = text_variable("EKM_CALLS_PER_MINUTE")
    if text is None:
        return CALLS_PER_MINUTE
    if not text.isascii() or not text.isdigit() or int(text[:9]) > MOST_CALLS_PER_MINUTE:
        raise BadInput(
            "calls_per_minute_malformed",
            f"EKM_CALLS_PER_MINUTE is {text[:40]!r}; it must be a whole number of calls a minute "
            "and endpoint, 0 for no pacing.",
            at_fault="EKM_CALLS_PER_MINUTE",
            remedy=f"Unset it for the default of {CALLS_PER_MINUTE}, or set 0 with an emulator.",
        )
    return int(text)
