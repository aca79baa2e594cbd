"""`ekm demo`."""

from __future__ import annotations

from pathlib import Path

import click

from ekm.cli import render

__all__ = ["command"]


@click.command("demo", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--keep", is_flag=True, help="Destroy nothing, leave it running, say how to look.")
@click.option(
    "--module",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The Terraform module's folder.  [default: this checkout, or the current folder]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def command(*, keep: bool, module: Path | None, as_json: bool) -> None:
    """Rehearse everything offline, from apply to destroy.

    Starts LocalStack and the OpenAI emulator on loopback, applies the example with registration,
    asks OpenAI to use the key, shows who may use it and who may not, disables and enables it,
    is refused a destroy, and destroys it all. It touches no account and needs no key, and stops
    what it started, also on Ctrl-C or failure. It takes a minute or two.

    \b
    Examples:
      ekm demo                 the whole story
      ekm demo --keep          leave it running and look around
      ekm demo --json          the checks as JSON
    """
    from ekm.harness.demo import Report, rehearse  # noqa: PLC0415 - `--help` needs none of it

    say = render.progress if as_json else click.echo
    say("The whole mission on this machine: nothing here reaches AWS or OpenAI.")
    report = Report(say)
    answers = rehearse(report, module=module, keep=keep)
    report.summary()
    if as_json:
        render.document({**report.as_json(), "decisions": [answer.as_json() for answer in answers]})
