"""Puts the registrar together from what was given: record, admin key, client, runner.

After a denial it reads the policies and says whether waiting can cure it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openai_ekm import aws_session
from openai_ekm.aws_session import client
from openai_ekm.cli import render
from openai_ekm.cli.inputs import client_certificate, missing, secret_variable, text_variable
from openai_ekm.drill.note_store import FileNotes, SsmNotes
from openai_ekm.errors import BadInput, EkmError
from openai_ekm.openai_api.base_url import parse_base_url
from openai_ekm.openai_api.constants import CALLS_PER_MINUTE, DEFAULT_BASE_URL
from openai_ekm.registration import admin_key
from openai_ekm.registration.consistency import LIST_LAG
from openai_ekm.registration.file_store import FileStore
from openai_ekm.registration.protocol import Explanation
from openai_ekm.registration.register import RegisterRequest
from openai_ekm.registration.runner import Heartbeat, Runner
from openai_ekm.registration.ssm_store import SsmStore, check_prefix

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.drill.note_store import NoteStore
    from openai_ekm.openai_api.client import AdminApi
    from openai_ekm.openai_api.redaction import AdminKey
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.record import RecordStore

__all__ = [
    "RecordLocation",
    "Session",
    "calls_per_minute",
    "list_lag",
    "make_denial_explainer",
    "note_store",
    "parse_record_location",
]


def make_denial_explainer(session: boto3.Session) -> Callable[[Intent], Explanation | None]:
    """Return what `Runner` asks after AWS's first denial.

    Args:
        session: The customer's credentials, which may read role, policies and key.
    """

    def explain(intent: Intent) -> Explanation | None:
        from openai_ekm.diagnosis import diagnose  # noqa: PLC0415 - see above
        from openai_ekm.snapshot.aws import collect  # noqa: PLC0415 - see above

        render.progress("OpenAI was denied; reading role, key and policies to see why.")
        try:
            snapshot = collect(
                intent,
                lambda _account: session,
                lambda: client(session, "organizations", "us-east-1"),
            )
        except EkmError as failure:
            render.progress(f"The policies could not be read: {failure.message}")
            return None
        # OpenAI asked just now: what is allowed from tomorrow on does not help.
        found = diagnose(snapshot.at(datetime.now(UTC)))
        if found.allows:
            return Explanation(
                curable_by_waiting=True,
                message="what is saved there allows it, so IAM has not settled, or an "
                "organization's policy that is not seen from here refuses.",
            )
        fault = found.faults[0]
        return Explanation(
            curable_by_waiting=found.curable_by_waiting,
            message=f"{found.outcome.value}: {fault.message}",
            at_fault=fault.location,
            remedy=f"{fault.remedy} Then run again; `ekm diagnose` shows the fix.",
        )

    return explain


MOST_CALLS_PER_MINUTE = 100_000
LONGEST_LIST_LAG = 3600  # seconds


@dataclass(frozen=True, slots=True)
class RecordLocation:
    """The location of a record: `ssm` or `file`, and its path."""

    kind: str
    path: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}"


def parse_record_location(text: str | None) -> RecordLocation:
    """Read `--record`.

    Raises:
        BadInput: Missing, or of neither form.
    """
    if text is None:
        raise missing(
            "record",
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
        path = path.rstrip("/")
        path = path.removesuffix("/record")
        check_prefix(path)
    return RecordLocation(kind, path)


class Session:
    """Everything a verb works with, made when it is first asked for and checked in one order.

    Args:
        place: Where the record is, None when the verb needs none.
        admin_key_from: Reference to the admin key, or None for OPENAI_ADMIN_KEY.
        account: 12 digits that the AWS credentials must be of, or None where not known.
        needs_openai: Whether the verb calls OpenAI: then its settings are checked at once.
        without_admin_key: Whether the verb has something to say where there is no admin key.
    """

    def __init__(
        self,
        place: RecordLocation | None,
        *,
        admin_key_from: str | None = None,
        account: str | None = None,
        needs_openai: bool = True,
        without_admin_key: bool = False,
    ) -> None:
        self.place = place
        self.base_url = parse_base_url(text_variable("OPENAI_BASE_URL") or DEFAULT_BASE_URL)
        self._certificate = client_certificate() if needs_openai else None
        self.calls_per_minute = calls_per_minute()
        self._session: boto3.Session | None = None
        self._key: AdminKey | None = None
        secret = secret_variable(admin_key.VARIABLE) if admin_key_from is None else None
        if needs_openai and admin_key_from is None and (secret or not without_admin_key):
            self._key = admin_key.from_environment(secret)
        elif needs_openai and admin_key_from is not None:
            admin_key.check_reference(admin_key_from)
        self.store = None if place is None else self._record_store(place, account)
        if needs_openai and self._key is None and admin_key_from is not None:
            self._key = admin_key.from_reference(admin_key_from, self.aws_session())

    def require_admin_key(self) -> None:
        """Stop where OpenAI must be asked and there is no admin key.

        Raises:
            BadInput: There is none.
        """
        if self._key is None:
            self._key = admin_key.from_environment(secret_variable(admin_key.VARIABLE))

    def aws_session(self) -> boto3.Session:
        """Return the session for AWS, which serves only what was asked of it."""
        if self._session is None:
            self._session = aws_session.new_session()
        return self._session

    @property
    def may_ask_openai(self) -> bool:
        """Return whether there is an admin key."""
        return self._key is not None

    @property
    def may_ask_aws(self) -> bool:
        """Return whether policies and key may be read: with a file record AWS is not called."""
        return self.place is not None and self.place.kind == "ssm"

    def runner(self) -> Runner:
        """Return a runner over the record and OpenAI, whose waits keep the lease alive."""
        assert self.store is not None  # nosec B101 # narrows the type
        heartbeat = Heartbeat(self.store)
        return Runner(
            self.api(heartbeat),
            self.store,
            heartbeat=heartbeat,
            explain=make_denial_explainer(self.aws_session()) if self.may_ask_aws else None,
            progress=render.progress,
        )

    def register_request(
        self,
        intent: Intent,
        projects: tuple[str, ...],
        place: RecordLocation,
        *,
        wait: int,
        adopt: str | None = None,
    ) -> RegisterRequest:
        """Return what is to be registered, with this session's settings."""
        return RegisterRequest(
            intent=intent,
            projects=projects,
            place=str(place),
            base_url=self.base_url,
            adopt=adopt,
            wait=float(wait),
            list_lag=list_lag(),
            calls_per_minute=self.calls_per_minute,
        )

    def api(
        self, heartbeat: object = None, *, progress: Callable[[str], None] = render.progress
    ) -> AdminApi:
        """Return OpenAI's Admin API, paced, which shares its lists with other processes."""
        # It imports requests and filelock: a run that asks OpenAI nothing needs neither.
        from openai_ekm.openai_api.connection import connect  # noqa: PLC0415

        assert self._key is not None  # nosec B101 # narrows the type
        return connect(
            self.base_url,
            self._key,
            certificate=self._certificate,
            calls_per_minute=self.calls_per_minute,
            progress=progress,
            sleep=heartbeat.sleep if isinstance(heartbeat, Heartbeat) else time.sleep,
        )

    def _record_store(self, place: RecordLocation, account: str | None) -> RecordStore:
        """Return where the record is; a file needs no AWS, and so no account."""
        if place.kind == "file":
            return FileStore(Path(place.path))
        if account is not None:
            aws_session.check_account(self.aws_session(), account)
        return SsmStore(aws_session.client(self.aws_session(), "ssm"), place.path)


def note_store(session: Session, place: RecordLocation) -> NoteStore:
    """Return where the note of a drill on this record is."""
    if place.kind == "ssm":
        return SsmNotes(aws_session.client(session.aws_session(), "ssm"), place.path)
    return FileNotes(Path(place.path))


def list_lag() -> float:
    """Return the seconds by which OpenAI's lists may lag behind a create.

    Raises:
        BadInput: Not a whole number from 0 to 3600.
    """
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


def calls_per_minute() -> int:
    """Return how often a minute each endpoint of OpenAI's may be called; 0 is without a limit.

    Raises:
        BadInput: Not a whole number, or too large a one.
    """
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
