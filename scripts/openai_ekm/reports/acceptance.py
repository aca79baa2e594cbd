"""Accept undecided findings that the caller names, each for a reason.

Only an undecided finding can be accepted. One that fails stays a failure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from openai_ekm.reports.finding import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openai_ekm.reports.finding import Finding, Report

__all__ = ["accept"]


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
