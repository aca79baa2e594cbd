"""Reports as JUnit XML: one suite for each report, one test case for each thing that was judged.

A failing finding is a failure. An undecided one is an error, which stops a pipeline as a failure
does. One that is accepted for a reason is skipped. A warning passes, with its text.

Source: https://github.com/testmoapp/junitxml (what CI servers read; there is no standard)
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from openai_ekm.printable import printable
from openai_ekm.reports.finding import WORDS, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.reports.finding import Finding, Report

__all__ = ["as_junit"]

_ELEMENTS: Final = {
    State.FAILS: "failure",
    State.UNDECIDED: "error",
    State.ACCEPTED: "skipped",
    State.REVIEWED: "skipped",
}


def as_junit(reports: Sequence[Report]) -> str:
    """Write reports as one JUnit XML document.

    Args:
        reports: What was found.
    """
    name = reports[0].tool if reports else "ekm"
    found = [each for report in reports for each in report.findings]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites{_attributes(name=name)}{_counts(found)}>",
    ]
    for report in reports:
        lines += _suite(report)
    return "\n".join([*lines, "</testsuites>", ""])


def _suite(report: Report) -> list[str]:
    name = f"{report.tool} {report.subject}".strip()
    lines = [f"  <testsuite{_attributes(name=name)}{_counts(report.findings)}>"]
    for each in report.findings:
        lines += _case(each, report, name)
    if report.notes:
        lines.append(f"    <system-out>{_text(report.notes)}</system-out>")
    return [*lines, "  </testsuite>"]


def _case(finding: Finding, report: Report, suite: str) -> list[str]:
    given = _attributes(
        classname=suite.replace(" ", "."),
        name=f"({finding.id}) {finding.title}",
        file=report.file,
        line=str(report.line),
    )
    element = _ELEMENTS.get(finding.state)
    told = finding.lines()
    if element is None:
        if not told:
            return [f"    <testcase{given}/>"]
        inner = f"<system-out>{_text(told)}</system-out>"
    else:
        first = finding.message or finding.title
        if finding.reason is not None:
            first = f"{WORDS[finding.state]}: {finding.reason}"
        head = _attributes(message=first, type=finding.state.value)
        inner = f"<{element}{head}>{_text(told)}</{element}>"
    return [f"    <testcase{given}>", f"      {inner}", "    </testcase>"]


def _counts(findings: Sequence[Finding]) -> str:
    states = [each.state for each in findings]
    return _attributes(
        tests=str(len(states)),
        failures=str(states.count(State.FAILS)),
        errors=str(states.count(State.UNDECIDED)),
        skipped=str(states.count(State.ACCEPTED) + states.count(State.REVIEWED)),
    )


def _attributes(**given: str) -> str:
    return "".join(f' {name}="{escape(printable(text))}"' for name, text in given.items())


def _text(lines: Sequence[str]) -> str:
    return "\n".join(escape(printable(line)) for line in lines)
