"""Every schedule of one or two mishaps, and the rows of docs/reliability.md that they give.

A schedule is a run with mishaps at some of its points, then a clean run. It has held when each
process ended as its mishap says, nothing of others was touched, nothing showed the admin key,
no record was false, and after the clean run there is exactly what was asked for.
"""

from __future__ import annotations

import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.doubles.faults_stage import Stage
from tests.faults.mishaps import FILE, HTTP, PROCESS, SSM, SURVIVED, Mishap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.doubles.fault_points import Outcome

__all__ = [
    "PAIRED",
    "Row",
    "columns",
    "headings",
    "pair_row",
    "record_mishaps",
    "record_row",
    "single_row",
    "singles",
]

RECORDS = ("ssm", "file")
AFTER_FIRST = 3  # exchanges with OpenAI after the first mishap at which the second is tried


@dataclass(frozen=True)
class Story:
    """Something that is run, with its points in the order of a run without mishaps.

    Args:
        words: For the table.
        begin: Makes the stage ready.
        run: One process.
        settled: A clean process and what must hold after it.
    """

    words: str
    begin: Callable[[Stage], object]
    run: Callable[[Stage, Mapping[int, Mishap]], Outcome]
    settled: Callable[[Stage], None]


def _registered(stage: Stage) -> None:
    assert stage.register().code == 0
    stage.check_registered()


def _registered_again(stage: Stage) -> None:
    outcome = stage.register()
    assert outcome.code == 0, outcome
    stage.check_registered()


def _retired(stage: Stage) -> None:
    outcome = stage.retire()
    assert outcome.code == 0, outcome
    stage.check_retired()


def _lose_record(stage: Stage) -> None:
    _registered(stage)
    stage.lose_record()


STORIES = {
    "register": Story("register", lambda _stage: None, Stage.register, _registered_again),
    "again": Story("again", _registered, Stage.register, _registered_again),
    "adopt": Story("adopt", _lose_record, Stage.register, _registered_again),
    "retire": Story("retire", _registered, Stage.retire, _retired),
}
WORDS = {
    "GET external_keys": "list",
    "POST external_keys": "create",
    "GET external_keys/{id}": "read",
    "POST external_keys/{id}/validate": "validate",
    "DELETE external_keys/{id}": "delete",
    "GET projects": "list projects",
    "POST projects": "create project",
    "POST projects/{id}/archive": "archive",
}
# How a process ends where the point makes a difference: (mishap, what is asked) -> end.
EXCEPTIONS = {
    # A portal's page stays, so what changes nothing is not asked again; what changes something is
    # looked for.
    **{
        ("captive", label): "5 openai_foreign_page"
        for label in WORDS
        if label.startswith("GET") or label.endswith("/validate")
    },
    # A project that OpenAI does not know needs no archiving; the registration is then read.
    ("other_404", "POST projects/{id}/archive"): SURVIVED,
}


@dataclass(frozen=True)
class Row:
    """A row of a table: cells, and what did not hold, in words."""

    line: str
    broken: tuple[str, ...]
    held: int
    total: int


@functools.cache
def points(story: str, record: str) -> tuple[str, ...]:
    """What a run without mishaps passes, in order."""
    with _stage(record) as stage:
        STORIES[story].begin(stage)
        outcome = STORIES[story].run(stage, {})
        assert outcome.code == 0, outcome
        return tuple(stage.runs[-1].labels)


class _stage:  # noqa: N801 - reads as the block it opens
    """A stage with a record of a kind."""

    def __init__(self, record: str) -> None:
        self._folder = tempfile.TemporaryDirectory() if record == "file" else None
        self._stage = Stage(Path(self._folder.name) if self._folder else None)

    def __enter__(self) -> Stage:
        return self._stage

    def __exit__(self, *_: object) -> None:
        self._stage.close()
        if self._folder:
            self._folder.cleanup()


def carried_out(
    story: str, record: str, runs: Iterable[Mapping[int, Mishap]], ends: str | None
) -> tuple[str, str | None, tuple[tuple[str, ...], ...]]:
    """Run a schedule: processes with mishaps, then a clean one.

    Args:
        story: A name of `STORIES`.
        record: `ssm` or `file`.
        runs: For each process, its mishaps by point.
        ends: How the first process must end, None where that is not said.

    Returns:
        How the first ended, what did not hold (None when all did), the points each passed.
    """
    with _stage(record) as stage:
        told = STORIES[story]
        told.begin(stage)
        before = len(stage.runs)
        outcome: Outcome | None = None
        wrong: str | None = None
        try:
            for mishaps in runs:
                ended = told.run(stage, mishaps)
                outcome = outcome or ended
            if ends is not None and str(outcome) != ends:
                wrong = f"ended as {outcome}, not {ends}: {outcome.message if outcome else ''}"
            told.settled(stage)
        except AssertionError as failure:
            wrong = str(failure).split("\n", 1)[0] or "a check failed"
        return str(outcome), wrong, tuple(tuple(run.labels) for run in stage.runs[before:])


def expected(name: str, mishap: Mishap, label: str) -> str:
    """How a process ends that meets one mishap."""
    return EXCEPTIONS.get((name, label), mishap.ends)


def _cell(found: Iterable[tuple[str, str | None]], usual: str) -> tuple[str, list[str], int, int]:
    """`held/total`, and the exit code where it is not the row's."""
    ended = list(found)
    broken = [words for _, words in ended if words]
    others = sorted({end.split(" ")[0] for end, _ in ended if end != usual})
    shown = f"{len(ended) - len(broken)}/{len(ended)}" + (f" ({', '.join(others)})" * bool(others))
    return shown, broken, len(ended) - len(broken), len(ended)


def _row(
    head: str, cells: Iterable[tuple[str, Iterable[tuple[str, str | None]]]], usual: str
) -> Row:
    shown, broken, held, total = [head], [], 0, 0
    for where, found in cells:
        text, wrong, good, everything = _cell(found, usual)
        shown.append(text)
        broken += [f"{head}, {where}: {words}" for words in wrong]
        held, total = held + good, total + everything
    return Row("| " + " | ".join(shown) + " |", tuple(broken), held, total)


def columns() -> list[tuple[str, str, int]]:
    """Story, what is asked, and the how-manieth exchange of the story it is."""
    found: list[tuple[str, str, int]] = []
    for story in STORIES:
        asked = [p for p in points(story, "ssm") if p.startswith("http ")]
        found += [(story, p.removeprefix("http "), number) for number, p in enumerate(asked)]
    return found


def _exchange(story: str, record: str, number: int) -> int:
    """The point at which a story makes its how-manieth exchange."""
    passed = points(story, record)
    return [index for index, label in enumerate(passed) if label.startswith("http ")][number]


def singles() -> dict[str, Mishap]:
    """What can happen at an exchange with OpenAI."""
    return HTTP | PROCESS


def single_row(name: str) -> Row:
    """One mishap at each exchange of each story, with each kind of record."""
    mishap = singles()[name]

    def cell(story: str, label: str, number: int) -> list[tuple[str, str | None]]:
        ends = expected(name, mishap, label)
        return [
            carried_out(story, record, [{_exchange(story, record, number): mishap}], ends)[:2]
            for record in RECORDS
        ]

    usual = mishap.ends
    row = _row(
        mishap.words, ((f"{s} {p}", cell(s, p, number)) for s, p, number in columns()), usual
    )
    ends = " ".join(f"`{word}`" for word in usual.split(" "))
    head, rest = row.line.removeprefix("| ").split(" | ", 1)
    return Row(f"| {head} | {ends} | {rest}", row.broken, row.held, row.total)


def record_mishaps() -> dict[str, tuple[str, Mishap]]:
    """What can happen where the record is kept: name -> kind of record, mishap."""
    return {
        **{f"ssm_{name}": ("ssm", mishap) for name, mishap in (SSM | PROCESS).items()},
        **{f"file_{name}": ("file", mishap) for name, mishap in (FILE | PROCESS).items()},
    }


def record_row(name: str) -> Row:
    """One mishap at every call to where the record is, in each story."""
    record, mishap = record_mishaps()[name]
    short = name.split("_", 1)[1]

    def cell(story: str) -> list[tuple[str, str | None]]:
        found = []
        for index, point in enumerate(points(story, record)):
            kind, label = point.split(" ", 1)
            if kind != record or (short == "disk_full" and label != "flush record"):
                continue
            # What is done is done: giving the claim back fails in a line of progress alone.
            released = record == "ssm" and index >= len(points(story, record)) - 2
            ends = SURVIVED if released and short in SSM else mishap.ends
            found.append(carried_out(story, record, [{index: mishap}], ends)[:2])
        return found

    words = f"{'SSM' if record == 'ssm' else 'file'}: {mishap.words}"
    row = _row(words, ((story, cell(story)) for story in STORIES), mishap.ends)
    ends = " ".join(f"`{word}`" for word in mishap.ends.split(" "))
    head, rest = row.line.removeprefix("| ").split(" | ", 1)
    return Row(f"| {head} | {ends} | {rest}", row.broken, row.held, row.total)


# Where the first of two mishaps strikes: what changes something at OpenAI.
PAIRED = {
    ("register", "POST external_keys"): "create",
    ("register", "POST external_keys/{id}/validate"): "validate",
    ("register", "POST projects"): "create project",
    ("retire", "POST projects/{id}/archive"): "archive",
    ("retire", "DELETE external_keys/{id}"): "delete",
}


def pair_row(name: str, *, every: int = 1) -> Row:
    """A mishap at each paired exchange, then each mishap at each of the next ones.

    Where the first one ends the process, the second one strikes the next process.

    Args:
        name: Of the first.
        every: Try each so-manieth second one only.
    """
    first = singles()[name]
    shift = list(singles()).index(name)

    def cell(story: str, label: str) -> list[tuple[str, str | None]]:
        asked = [p.removeprefix("http ") for p in points(story, "ssm") if p.startswith("http ")]
        start = _exchange(story, "ssm", asked.index(label))
        ended, _, passed = carried_out(story, "ssm", [{start: first}, {}], None)
        goes_on = ended == SURVIVED
        later = [
            index
            for index, point in enumerate(passed[0] if goes_on else passed[1])
            if point.startswith("http ") and (index > start or not goes_on)
        ]
        pairs = [
            ({start: first, at: second},) if goes_on else ({start: first}, {at: second})
            for at in later[:AFTER_FIRST]
            for second in singles().values()
        ]
        return [carried_out(story, "ssm", runs, None)[:2] for runs in pairs[shift % every :: every]]

    row = _row(first.words, ((where, cell(*point)) for point, where in PAIRED.items()), "")
    cells = [shown.split(" (")[0] for shown in row.line.strip("| ").split(" | ")[1:]]
    line = f"| {first.words} | " + " | ".join(cells) + " |"
    return Row(line, row.broken, row.held, row.total)


def headings() -> tuple[str, str, str]:
    """The heads of the three tables."""
    single = ["at one exchange", "then it ends", *(f"{s}: {WORDS[p]}" for s, p, _ in columns())]
    record = ["at one call to where the record is", "then it ends", *STORIES]
    pair = ["first", *(f"{s}: {words}" for (s, _), words in PAIRED.items())]
    heads = ["| " + " | ".join(t) + " |\n|" + "---|" * len(t) for t in (single, record, pair)]
    return heads[0], heads[1], heads[2]
