"""drift: the comparison of what is with what was meant."""

from __future__ import annotations

from pathlib import Path

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import Verb, VerbWithDefaultPart
from openai_ekm.cli.options import report_options

__all__ = ["drift_command"]


@click.group(
    "drift",
    cls=VerbWithDefaultPart,
    default="check",
    page="docs/operate/drift.md",
)
def drift_command() -> None:
    """Compare what is with what was meant, in AWS and at OpenAI.

    Without the name of a part the command does `check`.

    \b
    Examples:
      ekm drift --from-terraform .
      ekm drift --from-terraform . --baseline accepted.json --json > drift.json
      ekm drift accept drift.json --baseline accepted.json --all \\
        --reason 'OPS-17: backups' --by jane@example.com --expires 2027-03-31
    """


@drift_command.command(
    "check",
    cls=Verb,
    runs="drift:run",
    page="docs/operate/drift.md",
    short_help="Compare, and report what differs.",
)
@click.option(
    "--from-terraform",
    metavar="DIR|-",
    help="Compare with Terraform's state in DIR; or, from stdin, with what `terraform show -json` "
    "or `terraform output -json` prints.",
)
@click.option(
    "--from-plan",
    metavar="FILE|-",
    help="Compare with a saved plan, or with what `terraform show -json PLAN` prints.",
)
@click.option("--module", metavar="ADDRESS", help="Choose an instance if there are several.")
@click.option(
    "--record",
    envvar="EKM_RECORD",
    metavar="ssm:NAME|file:PATH",
    help="Place of the record.  [default: the module's]",
    show_envvar=True,
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the differences that are accepted; `ekm drift accept` writes it.",
)
@click.option(
    "--require-key",
    is_flag=True,
    help="Every active project of the organization must be under a key.",
)
@click.option(
    "--except",
    "exceptions",
    metavar="PROJECT",
    multiple=True,
    help="With --require-key: leave out this project, by name or id; repeatable.",
)
@click.option(
    "--side",
    type=click.Choice(["both", "aws", "openai"]),
    default="both",
    show_default=True,
    help="Look in AWS, at OpenAI, or at both.",
)
@options.openai_options
@report_options
def check_command() -> None:
    """Compare what is with what was meant, and report what differs.

    The command compares policies by what they allow. For each document that differs it shows a
    request that is allowed and was not meant to be, or the other way round. A change of a text
    that allows nothing more or less is told apart. It changes nothing.

    The exit code is 0 if nothing differs that is not accepted, 1 if something does, and 8 if
    nothing does and something was not seen.

    \b
    Examples:
      ekm drift --from-terraform .
      terraform show -json PLAN | ekm drift --from-plan - --side aws
      ekm drift --from-terraform . --baseline accepted.json --format github
      ekm drift --from-terraform . --require-key --except sandbox
    """


@drift_command.command(
    "accept",
    cls=Verb,
    runs="drift:run_accept",
    page="docs/operate/drift.md",
    short_help="Accept differences for a reason, until a day.",
)
@options.argument(
    "report", metavar="REPORT|-", text="File of what `ekm drift --json` printed, or - for stdin."
)
@click.option(
    "--baseline",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; what it has stays.",
)
@click.option(
    "--difference",
    "differences",
    metavar="ID",
    multiple=True,
    help="Accept this difference of the report; repeatable.",
)
@click.option("--all", "every", is_flag=True, help="Accept everything in the report that is drift.")
@click.option("--reason", metavar="TEXT", required=True, help="Why it is accepted.")
@click.option("--by", metavar="NAME", required=True, help="Who accepts it.")
@click.option(
    "--expires",
    metavar="YYYY-MM-DD",
    required=True,
    help="Last day of the acceptance, UTC; at most 366 days away.",
)
@options.json_option
def accept_command() -> None:
    """Accept differences of a report, each for a reason, until a day.

    The command calls neither AWS nor OpenAI: it accepts exactly what the report shows. An accepted
    difference is quiet until its last day is over. It comes back when it changes. Every report
    lists it with its reason.

    \b
    Examples:
      ekm drift --from-terraform . --json > drift.json
      ekm drift accept drift.json --baseline accepted.json \\
        --difference grants-0123456789abcdef --reason 'OPS-17: backups' \\
        --by jane@example.com --expires 2027-03-31
    """
