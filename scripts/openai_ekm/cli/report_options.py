"""Options of a verb that judges: in which format it answers, and what it accepts undecided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

__all__ = ["FORMATS", "report_options"]

FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")

Command = TypeVar("Command", bound=Callable[..., Any])


def report_options(command: Command) -> Command:
    """Add `--format`, `--json`, `--output`, `--sarif`, `--source` and `--accept-undecided`."""
    for option in (
        click.option(
            "--accept-undecided",
            "acceptances",
            metavar="CLAIM=REASON",
            multiple=True,
            help="Accept this claim if it is undecided, for this reason; repeatable. Several "
            "claims take commas. A claim that fails is never accepted.",
        ),
        click.option(
            "--source",
            "source_file",
            metavar="NAME",
            help="File at which findings are shown; default: the file that was read, or the "
            "module's call.",
        ),
        click.option(
            "--sarif",
            metavar="FILE",
            type=click.Path(dir_okay=False, path_type=Path),
            help="The same as --output sarif=FILE.",
        ),
        click.option(
            "--output",
            "outputs",
            metavar="FORMAT=FILE",
            multiple=True,
            help="Also write the answer to FILE in this format; repeatable.",
        ),
        click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            help="Print the answer as text (default), as JSON, as SARIF 2.1.0 for code scanning, "
            "as JUnit XML, as a Markdown table for a pull request, or as annotations of GitHub "
            "Actions.",
        ),
    ):
        command = option(command)
    return command
