"""Reports as SARIF 2.1.0, which code scanning reads: one run for each report.

A finding that fails is a result of its rule. One that is undecided is a result of another rule, of
kind `open` and level `none`. Code scanning takes every result for a finding, whatever its kind: a
result of the finding's own rule would be a failure there, and no result would be a pass. The other
rule has no security severity, so that a gate takes it for neither. The exit code says it too.
An undecided finding that the caller accepted has a suppression with the reason. A reviewed one is
no result, since code scanning would take it for a failure; a notification names it and the reason.

Sources:
https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/sarif-v2.1.0-os.html (3.27.9 kind, 3.27.10 level,
3.35 suppression)
https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support
https://github.com/microsoft/PSRule/issues/955 (results of every kind are findings)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from openai_ekm._version import __version__
from openai_ekm.printable import printable
from openai_ekm.reports.finding import State, exit_code, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.reports.finding import Finding, Place, Report, Rule

__all__ = ["SCHEMA", "as_sarif"]

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_OPEN: Final = {State.UNDECIDED, State.ACCEPTED}
_SAID: Final = {
    State.FAILS: "it does not hold",
    State.UNDECIDED: "it is undecided",
    State.ACCEPTED: "it is undecided, and accepted",
    State.REVIEWED: "it does not hold, and is accepted",
}


def as_sarif(reports: Sequence[Report]) -> dict[str, Any]:
    """Write reports as a SARIF log.

    Args:
        reports: What was found.
    """
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(each) for each in reports]}


def _run(report: Report) -> dict[str, Any]:
    notifications: list[dict[str, Any]] = [
        {
            "level": "warning" if each.state is State.UNDECIDED else "note",
            "message": {"text": _said(each)},
            "associatedRule": {"id": each.rule.id},
        }
        for each in report.findings
        if each.state in _OPEN | {State.REVIEWED}
    ]
    notifications += [{"level": "note", "message": {"text": note}} for note in report.notes]
    return {
        "tool": {
            "driver": {
                "name": report.tool,
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(each) for each in (*report.rules, report.undecided)],
            }
        },
        # Keys that are uploaded for one commit are told apart by what was judged.
        "automationDetails": {
            "id": f"{report.tool.replace(' ', '-')}/{printable(report.identity)}/"
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "exitCode": exit_code([report]),
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [
            _result(each, report)
            for each in report.findings
            if each.state not in {State.HOLDS, State.REVIEWED}
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": list(rule.tags)}
    if rule.severity is not None:
        properties |= {"precision": "high", "security-severity": rule.severity}
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.short},
        "fullDescription": {"text": rule.full},
        "help": {"text": rule.help},
        "helpUri": rule.page,
        "defaultConfiguration": {"level": rule.level},
        "properties": properties,
    }


def _said(finding: Finding) -> str:
    said = f": {_SAID[finding.state]}" if finding.state in _SAID else ""
    told = [sentence(f"{finding.title}{said}"), finding.message or ""]
    if finding.state is State.REVIEWED:
        told.append(f"Accepted: {finding.reason}")
    if finding.advice:
        told = [*map(sentence, filter(None, told)), f"Remedy: {sentence(finding.advice)}"]
    return " ".join(filter(None, told))


def _result(finding: Finding, report: Report) -> dict[str, Any]:
    is_open = finding.state in _OPEN
    rule = report.undecided if is_open else finding.rule
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(report.file)},
            # A judgement is about the whole of what was judged: it is shown at one character.
            "region": {
                "startLine": report.line,
                "startColumn": 1,
                "endLine": report.line,
                "endColumn": 2,
            },
        }
    }
    if finding.places:
        location["logicalLocations"] = [_logical(each) for each in finding.places]
    result: dict[str, Any] = {
        "ruleId": rule.id,
        "ruleIndex": len(report.rules) if is_open else report.rules.index(rule),
        "kind": "open" if is_open else "fail",
        "level": rule.level,
        "message": {"text": _said(finding)},
        "locations": [location],
        # The same break found again is the same result, wherever the source lies.
        "partialFingerprints": {
            "ekmClaim/v1": ":".join(
                (finding.id, *(each.key for each in finding.places), *finding.unseen)
            )
        },
    }
    if finding.properties:
        result["properties"] = dict(finding.properties)
    if finding.state is State.ACCEPTED:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.reason}
        ]
    return result


def _uri(file: str) -> str:
    scheme, absolute, rest = file.rpartition("file://")
    return f"{scheme}{absolute}{quote(rest.encode(errors='backslashreplace'))}"


def _logical(place: Place) -> dict[str, Any]:
    return {"name": place.name or place.path, "fullyQualifiedName": place.path, "kind": "object"}
