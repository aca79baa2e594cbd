"""Reports as Markdown for a pull request: one table, then notes.

Text from outside is hostile. A table's cell shows plain words as text, and everything else as code:
GitHub and GitLab make no link, mention, reference, picture or HTML out of a code span.

Sources:
https://github.github.com/gfm/ (4.10 tables, 6.3 code spans)
https://docs.github.com/en/get-started/writing-on-github (mentions and references)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from openai_ekm.printable import code_span, printable
from openai_ekm.reports.finding import WORDS, State, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.reports.finding import Finding, Report

__all__ = ["as_markdown", "safe_text"]

_MARKS: Final = {
    State.HOLDS: "✅",
    State.FAILS: "❌",
    State.UNDECIDED: "❓",
    State.ACCEPTED: "☑️",
    State.REVIEWED: "☑️",
    State.WARNS: "⚠️",
}
_GRAVEST: Final = (
    *(State.FAILS, State.UNDECIDED, State.WARNS),
    *(State.ACCEPTED, State.REVIEWED, State.HOLDS),
)
# Signs that may stand before and after a word, and mean nothing in Markdown.
_BEFORE: Final = "(\"'"
_AFTER: Final = ")\"'.,;:?"
_PARTS: Final = re.compile(
    rf"(?P<before>[{re.escape(_BEFORE)}]*)(?P<core>.*?)(?P<after>[{re.escape(_AFTER)}]*)"
)
# Letters of any script, with hyphens and apostrophes inside, or a short number.
_WORD: Final = re.compile(r"[^\W\d_]+(?:[-'][^\W\d_]+)*|\d{1,6}")
_SYMBOL: Final = re.compile(r"\((?:\w+ )+not known before apply\)")
# A command between backquotes and an ARN with the name of a symbol hold blanks; a word holds none.
_PIECE: Final = re.compile(
    rf"[{re.escape(_BEFORE)}]*`[^`]+`[{re.escape(_AFTER)}]*(?= |$)"
    rf"|[^ ]*{_SYMBOL.pattern}[^ ]*"
    r"|[^ ]+"
)
LONGEST_CELL: Final = 1200
# A comment of GitHub holds 65,536 characters.
LONGEST_TABLE: Final = 60_000


def safe_text(text: str) -> str:
    """Return a text as Markdown in which only plain words are text; the rest is code.

    Args:
        text: One sentence or more, with values in it.
    """
    return " ".join(map(_safe_word, _PIECE.findall(printable(text))))


def _safe_word(word: str) -> str:
    found = _PARTS.fullmatch(word)
    if found is None or not found["core"] or _SYMBOL.search(word):
        return code_span(word)
    core = found["core"]
    if core.startswith("`") and core.endswith("`") and core[1:-1] and "`" not in core[1:-1]:
        return f"{found['before']}{code_span(core[1:-1])}{found['after']}"
    shown = core if _WORD.fullmatch(core) else code_span(core)
    return f"{found['before']}{shown}{found['after']}"


def as_markdown(reports: Sequence[Report]) -> str:
    """Write reports as one table.

    Args:
        reports: What was found.
    """
    tool = reports[0].tool if reports else "ekm"
    several = len(reports) > 1
    heads = [*(["instance"] if several else []), "answer", "claim", "why", "remedy"]
    lines = [
        f"### {tool}: {summary(reports)}",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
    ]
    rows = [
        (each.state, f"| {' | '.join([*_subject(report, several=several), *_cells(each)])} |")
        for report in reports
        for each in report.findings
    ]
    shown = _that_fit(rows)
    lines += shown
    if len(shown) < len(rows):
        lines += ["", f"{len(rows) - len(shown)} more rows are left out: they are too many."]
    notes = [note for report in reports for note in report.notes]
    if notes:
        lines += ["", *(f"- {safe_text(note)}" for note in notes)]
    return "\n".join([*lines, ""])


def _subject(report: Report, *, several: bool) -> list[str]:
    return [code_span(report.subject or ".")] if several else []


def _that_fit(rows: Sequence[tuple[State, str]]) -> list[str]:
    """Return the rows in their order; of too many the gravest, which come first."""
    if sum(len(text) for _, text in rows) > LONGEST_TABLE:
        rows = sorted(rows, key=lambda row: _GRAVEST.index(row[0]))
    length = 0
    shown: list[str] = []
    for _, text in rows:
        length += len(text) + 1
        if length > LONGEST_TABLE:
            break
        shown.append(text)
    return shown


def summary(reports: Sequence[Report]) -> str:
    """Return how many findings there are of each state, in words.

    Args:
        reports: What was found.
    """
    states = [each.state for report in reports for each in report.findings]
    told = [f"{states.count(each)} {WORDS[each]}" for each in State if each in states]
    return ", ".join(told) or "nothing was judged"


def _cells(finding: Finding) -> list[str]:
    answer = f"{_MARKS[finding.state]} {WORDS[finding.state]}"
    why = [safe_text(_cut(finding.message))] if finding.message else []
    why += [f"{safe_text(label)}: {_value(_cut(text))}" for label, text in finding.details]
    if finding.reason is not None:
        why.append(safe_text(_cut(f"Accepted: {finding.reason}")))
    shown = "<br>".join(why)
    remedy = safe_text(sentence(finding.advice)) if finding.advice else ""
    return [answer, safe_text(f"({finding.id}) {finding.title}"), shown, remedy]


def _value(text: str) -> str:
    """Return one value; JSON is one piece of code."""
    return code_span(text) if text.startswith(("{", "[", '"')) else safe_text(text)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_CELL else f"{text[:LONGEST_CELL]} …"
