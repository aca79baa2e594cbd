"""`ekm register --manifest`: many registrations in one run, or only their budget."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_ekm import aws_session
from openai_ekm.cli import render
from openai_ekm.cli.fleet_progress import FleetProgress
from openai_ekm.cli.session import Session, make_denial_explainer, parse_record_location
from openai_ekm.errors import EXIT_INTERRUPTED, BadInput, Conflict, EkmError
from openai_ekm.fleet import budget as budgets
from openai_ekm.fleet import manifest
from openai_ekm.fleet.run import (
    CONCURRENCY,
    LOOK_AGAIN_AFTER,
    FleetList,
    FleetRunner,
    Outcome,
    Stop,
    run_fleet,
    twins,
)
from openai_ekm.json_reader import UnreadableJsonError, decode_text, read_content
from openai_ekm.registration.consistency import complete_keys
from openai_ekm.registration.file_store import FileStore
from openai_ekm.registration.matching import matches
from openai_ekm.registration.register import Registered, register
from openai_ekm.registration.runner import Heartbeat
from openai_ekm.registration.ssm_store import SsmStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.cli.register import RegisterOptions
    from openai_ekm.fleet.budget import Budget
    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.protocol import Explanation
    from openai_ekm.registration.record import Record, RecordStore

__all__ = ["carry_out", "read_manifest"]

READERS = 8  # records read at a time, before anything is begun
EXIT_FAILED = 1


def read_manifest(file: str) -> tuple[Entry, ...]:
    """Read a fleet file; `-` is standard input.

    Raises:
        BadInput: It cannot be read, or is not of the schema.
    """
    try:
        text = decode_text(read_content(file))
    except (OSError, UnreadableJsonError) as failure:
        words = failure.strerror if isinstance(failure, OSError) else f"it {failure}"
        raise BadInput(
            "fleet_unreadable",
            f"{file} cannot be read: {words}.",
            at_fault="--manifest",
            remedy="Name a fleet file of schema ekm-fleet/1.",
        ) from None
    return manifest.parse(text, file, parse_record_location)


def carry_out(entries: tuple[Entry, ...], options: RegisterOptions) -> int:
    """Register every entry, or print the budget; return the exit code."""
    fleet = _Fleet(entries, options)
    if options.plan:
        if options.as_json:
            render.document(_budget_json(fleet.budget(None)))
        else:
            render.result(*_budget_text(len(entries), fleet.budget(None)))
        return 0
    return fleet.run()


class _Fleet:
    """One run: everything that its entries have in common.

    Raises:
        BadInput: Credentials of another account, or a setting that is none.
    """

    def __init__(self, entries: tuple[Entry, ...], options: RegisterOptions) -> None:
        self._entries = entries
        self._options = options
        self._session = Session(
            None, admin_key_from=options.admin_key_from, needs_openai=not options.plan
        )
        self._ssm: Any = None
        self._explain_lock = threading.Lock()
        kept_in_ssm = [
            entry for entry in entries if parse_record_location(entry.record).kind == "ssm"
        ]
        for account in sorted({entry.intent.account for entry in kept_in_ssm}):
            aws_session.check_account(self._session.aws_session(), account)
        if kept_in_ssm:
            self._ssm = aws_session.client(self._session.aws_session(), "ssm")
            for entry in kept_in_ssm:
                SsmStore.check_room(entry.projects)
        self._needs = self._read_needs()
        self._stop = Stop()
        self._listed: FleetList | None = None
        self._calls = 0

    def budget(self, registered: int | None) -> Budget:
        """Return what is to be done."""
        return budgets.budget(self._needs, registered, self._session.calls_per_minute)

    def run(self) -> int:
        """Do it."""
        began = time.monotonic()
        render.progress(*_budget_text(len(self._entries), self.budget(None)))
        if any(one.shares_list for one in self._needs):
            keys = self._list()
            self._listed = FleetList(keys)
            if budgets.pages(len(keys)) > 1:
                render.progress(f"OpenAI has {len(keys)} registrations already.")
        board = FleetProgress(len(self._entries))
        self._board = board
        self._stop.told = board.stopping
        try:
            outcomes = run_fleet(
                self._entries,
                self._work,
                watcher=board,
                stop=self._stop,
                concurrency=self._options.concurrency or CONCURRENCY,
            )
        finally:
            board.close()
        if time.monotonic() - began > LOOK_AGAIN_AFTER and not self._stop.asked:
            outcomes = self._without_twins(outcomes)
        return self._show(outcomes)

    def _read_needs(self) -> tuple[budgets.Need, ...]:
        """Return what each record says; one that cannot be read fails when its turn comes."""

        def read(entry: Entry) -> budgets.Need:
            record: Record | None = None
            try:
                record = self._store(entry).read()
            except EkmError:
                return budgets.Need(False, 0, False)
            return budgets.need(entry, record)

        with ThreadPoolExecutor(READERS) as pool:
            return tuple(pool.map(read, self._entries))

    def _store(self, entry: Entry) -> RecordStore:
        place = parse_record_location(entry.record)
        if place.kind == "ssm":
            return SsmStore(self._ssm, place.path)
        return FileStore(Path(place.path))

    def _list(self) -> tuple[Any, ...]:
        api = self._session.api()
        keys = api.list_external_keys()
        self._calls += api.calls
        return keys

    def _work(self, entry: Entry) -> Outcome:
        """Register one entry: the protocol that a run of its own would follow."""

        def say(line: str) -> None:
            self._board.said(entry, line)

        store = self._store(entry)
        heartbeat = Heartbeat(store, sleep=self._stop.sleep)
        api = self._session.api(heartbeat, progress=say)
        in_ssm = entry.record.startswith("ssm:")
        runner = FleetRunner(
            entry.intent,
            self._listed,
            api,
            store,
            heartbeat=heartbeat,
            explain=self._explainer() if in_ssm else None,
            progress=say,
        )
        wanted = self._session.register_request(
            entry.intent,
            entry.projects,
            parse_record_location(entry.record),
            wait=self._options.wait,
        )
        registered: Registered | None = None
        failure: EkmError | None = None
        try:
            registered = runner.run(register(wanted))
        except EkmError as met:
            failure = met
        return Outcome(entry, registered, failure, runner.calls)

    def _explainer(self) -> Callable[[Intent], Explanation | None]:
        """Return an explainer for one denial at a time: a boto3 session is for one thread."""

        def explain(intent: Intent) -> Explanation | None:
            with self._explain_lock:
                return make_denial_explainer(self._session.aws_session())(intent)

        return explain

    def _without_twins(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """Return the outcomes; what somebody else registered in the meantime is a failure."""
        made = [one.entry for one in outcomes if one.registered and one.registered.how == "created"]
        if not made:
            return outcomes
        names = {intent.name: intent for intent in (entry.intent for entry in made)}

        def may_be(key: ExternalKey) -> bool:
            return key.name in names and matches(names[key.name], key)

        found = twins(
            made, complete_keys(self._list(), may_be, self._session.api().get_external_key)
        )
        return tuple(
            Outcome(one.entry, None, _twin(one.entry, found[one.entry.name]), one.calls)
            if one.entry.name in found
            else one
            for one in outcomes
        )

    def _show(self, outcomes: tuple[Outcome, ...]) -> int:
        failed = [one for one in outcomes if one.failure]
        because = self._stop.because
        stopped = self._stop.asked and because is None
        calls = self._calls + sum(one.calls for one in outcomes)
        left = len(self._entries) - len(outcomes)
        if self._options.as_json:
            render.document(
                {
                    "entries": [_outcome_json(one) for one in outcomes],
                    "done": len(outcomes) - len(failed),
                    "failed": len(failed),
                    "not_begun": left,
                    "interrupted": stopped,
                    "calls": calls,
                }
            )
        else:
            lines = [
                (
                    f"{len(outcomes) - len(failed)} registered, {len(failed)} failed, {left} not "
                    f"begun; {calls} calls."
                )
            ]
            lines += [f"  {one.entry.name}: {_words(one)}" for one in failed]
            if because:
                lines.append(f"The rest would fail likewise. {because.remedy or ''}".rstrip())
            if failed or left:
                lines.append("Next: run the same command again; it does the rest.")
            render.result(*lines)
        if stopped:
            return EXIT_INTERRUPTED
        return EXIT_FAILED if failed or left else 0


def _twin(entry: Entry, ids: tuple[str, ...]) -> Conflict:
    return Conflict(
        "several_matches",
        f"While the fleet ran, somebody else registered {entry.name!r} too: {', '.join(ids)}.",
        at_fault="external_keys",
        remedy="Delete the one that has no projects in OpenAI's settings; the record names ours.",
    )


def _words(outcome: Outcome) -> str:
    failure = outcome.failure
    assert failure is not None  # nosec B101 # narrows the type
    return f"error[{failure.id}]: {failure.message}"


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    made = outcome.registered
    return {
        "name": outcome.entry.name,
        "result": made.how if made else "failed",
        "external_key_id": made.external_key_id if made else None,
        "projects": [
            {"name": project.name, "id": project.id, "result": project.how}
            for project in (made.projects if made else ())
        ],
        "notices": list(made.notices) if made else [],
        "calls": outcome.calls,
        "record_place": outcome.entry.record,
        "error": outcome.failure.as_json() if outcome.failure else None,
    }


def _budget_json(found: Budget) -> dict[str, Any]:
    return {
        "registers": found.registers,
        "checks": found.checks,
        "calls": dict(found.calls),
        "total": found.total,
        "calls_per_minute": found.calls_per_minute,
        "minutes": round(found.minutes, 1),
    }


def _budget_text(entries: int, found: Budget) -> list[str]:
    pace = (
        f"{found.calls_per_minute} calls a minute to each endpoint"
        if found.calls_per_minute
        else "no pacing"
    )
    lines = [
        (
            f"{entries} entries: {found.registers} to register, {found.checks} to look at; "
            f"at least {found.total} calls in {found.minutes:.0f} minutes ({pace}):"
        )
    ]
    lines += [f"  {count:6} {endpoint}" for endpoint, count in found.calls]
    return lines
