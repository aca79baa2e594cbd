"""A finding, and a report of findings: the one form that every writer reads.

A caller may accept findings, each for a reason. Only an undecided finding can be accepted. One
that fails stays a failure.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import EXIT_UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "WORDS",
    "Finding",
    "Place",
    "Report",
    "Rule",
    "State",
    "accept",
    "exit_code",
    "sentence",
]


class State(StrEnum):
    """The answer to one thing that was judged."""

    HOLDS = "holds"
    FAILS = "fails"
    UNDECIDED = "undecided"
    # Undecided, and the caller accepted it by name for a reason.
    ACCEPTED = "accepted"
    # It works, and a reviewer must know of it. It changes no exit code.
    WARNS = "warns"
    # It fails, and a reviewed file accepts exactly this for a reason, until a day.
    REVIEWED = "reviewed"


WORDS: Final = {
    State.HOLDS: "holds",
    State.FAILS: "FAILS",
    State.UNDECIDED: "UNDECIDED",
    State.ACCEPTED: "undecided and accepted",
    State.REVIEWED: "accepted",
    State.WARNS: "warning",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The kind of a finding, as code scanning lists it.

    Args:
        id: Stable name.
        name: The same for people.
        short: One sentence.
        full: The same at length.
        help: What to do about a finding of this kind.
        page: URL of a page about it.
        level: `error`, `warning` or `none`.
        severity: Security severity, `0.0` to `10.0`; None for a rule that is no finding of
            security.
        tags: Tags.
    """

    id: str
    name: str
    short: str
    full: str
    help: str
    page: str
    level: str
    severity: str | None = None
    tags: tuple[str, ...] = ("security",)


@dataclass(frozen=True, slots=True)
class Place:
    """A part of what was judged.

    Args:
        path: Where it stands, as `keys[0].policy.Statement[2]`.
        key: The same in the form that a fingerprint has.
        name: Its own name, such as a Sid.
    """

    path: str
    key: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was judged, and the answer.

    Args:
        id: Its name on the command line: the claim `c`, or the fault's id.
        title: One sentence without its end.
        state: The answer.
        rule: Its kind.
        message: Why it does not hold; None when it does.
        remedy: What to do; None when there is nothing to do.
        details: Further lines, as label and text.
        places: The parts that are at fault.
        unseen: Snapshot paths that leave it undecided.
        reason: Why it is accepted: undecided by the caller, or reviewed.
        properties: Values for programs that read SARIF.
    """

    id: str
    title: str
    state: State
    rule: Rule
    message: str | None = None
    remedy: str | None = None
    details: tuple[tuple[str, str], ...] = ()
    places: tuple[Place, ...] = ()
    unseen: tuple[str, ...] = ()
    reason: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    @property
    def advice(self) -> str | None:
        """Return the remedy, and for an undecided finding how to accept it."""
        if self.state is not State.UNDECIDED:
            return self.remedy
        accept = f"To accept it undecided, add --accept-undecided {self.id}=REASON."
        return f"{sentence(self.remedy)} {accept}" if self.remedy else accept

    def lines(self) -> list[str]:
        """Return everything that is said of it, a line each."""
        said = [self.message] if self.message else []
        said += [f"{label}: {text}" for label, text in self.details]
        if self.reason is not None:
            said.append(f"accepted: {self.reason}")
        if self.advice:
            said.append(f"remedy: {self.advice}")
        return said


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one verb found about one thing.

    Args:
        tool: The verb, as `ekm prove`.
        subject: The instance of the module; empty when there is only one.
        identity: What tells it from everything else that is judged.
        findings: In order.
        rules: Every rule that the verb has, in order.
        undecided: The rule of an undecided finding.
        file: A file that a person can open, relative to the repository, or a `file:` URI.
        line: The line of it at which the findings are shown.
        notes: What the caller should know besides.
    """

    tool: str
    subject: str
    identity: str
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    undecided: Rule
    file: str = "."
    line: int = 1
    notes: tuple[str, ...] = ()


def exit_code(reports: Iterable[Report]) -> int:
    """Return the exit code: 1 when something fails, else 8 when something is undecided, else 0.

    Args:
        reports: What was found.
    """
    found = {each.state for report in reports for each in report.findings}
    if State.FAILS in found:
        return 1
    return EXIT_UNDECIDED if State.UNDECIDED in found else 0


def sentence(text: str) -> str:
    """Return a text with the end of a sentence.

    Args:
        text: One sentence, with or without its end.
    """
    return text if text.endswith((".", "!", "?")) else f"{text}."


def accept(reports: Sequence[Report], accepted: Mapping[str, str]) -> list[Report]:
    """Mark the undecided findings that are accepted.

    Args:
        reports: What was found.
        accepted: Id of a finding to the reason.

    Returns:
        The reports. The first one has a note for each acceptance that no report needs.
    """
    if not accepted:
        return list(reports)
    every = [each for report in reports for each in report.findings]
    notes = tuple(
        note
        for name in accepted
        if (note := _note(name, {each.state for each in every if each.id == name}))
    )
    marked = [
        replace(report, findings=tuple(_marked(each, accepted) for each in report.findings))
        for report in reports
    ]
    if marked and notes:
        marked[0] = replace(marked[0], notes=(*marked[0].notes, *notes))
    return marked


def _marked(finding: Finding, accepted: Mapping[str, str]) -> Finding:
    if finding.state is not State.UNDECIDED or finding.id not in accepted:
        return finding
    return replace(finding, state=State.ACCEPTED, reason=accepted[finding.id])


def _note(name: str, states: set[State]) -> str | None:
    """Return a note on an acceptance that nothing needs."""
    if State.UNDECIDED in states:
        return None
    option = f"--accept-undecided {name}"
    if State.FAILS in states:
        return f"({name}) fails. {option} accepts no claim that fails: remove the option."
    return f"({name}) is decided. {option} is not needed: remove the option."
