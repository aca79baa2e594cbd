"""The answer of a verb that judges, as text for people, CI servers and code scanning.

A verb turns its result into a `Report`. Each writer turns reports into one text; none does I/O.
"""

from __future__ import annotations

from openai_ekm.reports.finding import (
    Finding,
    Place,
    Report,
    Rule,
    State,
    accept,
    exit_code,
)
from openai_ekm.reports.github import as_github
from openai_ekm.reports.junit import as_junit
from openai_ekm.reports.markdown import as_markdown
from openai_ekm.reports.sarif import as_sarif

__all__ = [
    "Finding",
    "Place",
    "Report",
    "Rule",
    "State",
    "accept",
    "as_github",
    "as_junit",
    "as_markdown",
    "as_sarif",
    "exit_code",
]
