"""`ekm demo`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.cli import render
from openai_ekm.rehearsal.demo import Report, rehearse

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """Options of `ekm demo`."""

    keep: bool
    module: Path | None
    as_json: bool


def run(options: DemoOptions) -> None:
    """Run `ekm demo`."""
    say = render.progress if options.as_json else render.result
    say("The whole rehearsal runs on this machine: nothing reaches AWS or OpenAI.")
    report = Report(say)
    answers = rehearse(report, module=options.module, keep=options.keep)
    report.summary()
    if options.as_json:
        render.document({**report.as_json(), "decisions": [answer.as_json() for answer in answers]})
