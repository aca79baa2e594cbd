"""Reports as workflow commands of GitHub Actions, which show an annotation at a file and line.

The runner reads a command from each line of a step's output. A value is escaped as the runner's
own toolkit does, so that it can end neither a property nor a line.

Sources:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts (escapeData,
escapeProperty)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.printable import printable
from openai_ekm.reports.finding import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.reports.finding import Finding, Report

__all__ = ["as_github"]

_LEVELS: Final = {
    State.FAILS: "error",
    State.UNDECIDED: "error",
    State.ACCEPTED: "notice",
    State.REVIEWED: "notice",
    State.WARNS: "warning",
}


def as_github(reports: Sequence[Report]) -> str:
    """Write reports as workflow commands, the gravest first: GitHub shows ten a step of a kind.

    Args:
        reports: What was found.
    """
    ranks = list(_LEVELS)
    found = [
        (ranks.index(each.state), _annotation(each, report))
        for report in reports
        for each in report.findings
        if each.state in _LEVELS
    ]
    commands = [text for _, text in sorted(found, key=lambda each: each[0])]
    commands += [
        _command("notice", [note], title=report.tool) for report in reports for note in report.notes
    ]
    return "".join(f"{each}\n" for each in commands)


def _annotation(finding: Finding, report: Report) -> str:
    place: dict[str, str] = {}
    if "://" not in report.file:
        place = {"file": report.file, "line": str(report.line)}
    subject = f"{report.tool} {report.subject}".strip()
    title = f"{subject}: ({finding.id}) {WORDS[finding.state]}"
    return _command(
        _LEVELS[finding.state], [f"{finding.title}.", *finding.lines()], **place, title=title
    )


def _command(name: str, lines: Sequence[str], **properties: str) -> str:
    given = ",".join(f"{key}={_property(text)}" for key, text in properties.items())
    return f"::{name} {given}::{_data(lines)}"


def _data(lines: Sequence[str]) -> str:
    return "%0A".join(printable(line).replace("%", "%25") for line in lines)


def _property(text: str) -> str:
    return printable(text).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
