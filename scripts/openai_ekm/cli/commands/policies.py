"""decide, prove, diagnose, snapshot: what the policies allow."""

from __future__ import annotations

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import verb
from openai_ekm.cli.options import report_options

__all__ = [
    "decide_command",
    "diagnose_command",
    "prove_command",
    "snapshot_command",
]


@verb("decide", runs="decide:run", page="docs/how-decisions-are-made.md")
@options.argument("file", metavar="FILE|-", text="File of decision cases, or - for standard input.")
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="The answers are JSON with or without this option.",
)
def decide_command() -> None:
    """Decide requests against policies, as AWS would.

    The command reads decision cases from FILE or standard input, one JSON object on each line.
    It prints one answer on each line as soon as a case is decided.

    \b
    Example:
      echo '{"id": "1", "request": {...}, "policies": {...}}' | ekm decide -
      {"id": "1", "decision": "Allowed", "decided_by": [...], "missing": []}
    """


@verb("prove", runs="prove:run", page="docs/proof.md")
@options.argument(
    "file",
    metavar="[SNAPSHOT|-]",
    required=False,
    text="File of a snapshot, or - for standard input.",
)
@options.source_options
@options.offline_option
@click.option(
    "--assume-none",
    metavar="LIST",
    multiple=True,
    help="Take these for empty where they were not seen: scps, rcps, grants, "
    "permissions_boundary, related.",
)
@options.at_option("Judge from this time on, as 2026-11-29T10:00:00Z.  [default: from now on]")
@report_options
def prove_command() -> None:
    """Prove least privilege for all requests, or show what breaks it.

    The command reads a snapshot (`ekm snapshot`), or collects one with the same options. With a
    plan it judges every instance of the module. The exit code is 0 if every claim holds. It is 1
    if a claim fails; the command then shows a request that breaks it. It is 8 if none fails and
    one is undecided; the command then names what was not seen and could break it. An undecided
    claim that --accept-undecided names does not count; docs/pipeline.md has the gate.

    \b
    Examples:
      ekm prove --from-terraform .
      terraform show -json PLAN | ekm prove --from-plan - --output sarif=ekm.sarif
      terraform show -json PLAN | ekm prove --from-plan - --format github \\
        --accept-undecided c,d,e,f='the owner of the key proves it from AWS'
      ekm prove s.json --json
      ekm prove pack/snapshot.json --at 2026-11-29T10:00:00Z
    """


@verb("diagnose", runs="diagnose:run", page="docs/diagnosis.md")
@options.argument(
    "snapshot",
    metavar="[SNAPSHOT|-]",
    required=False,
    text="File of a snapshot, or - for standard input.",
)
@options.source_options
@options.offline_option
@click.option("--error", "error_text", metavar="TEXT", help="Explain this answer of OpenAI.")
@options.at_option("Judge OpenAI's calls at this time, as 2026-11-29T10:00:00Z.  [default: now]")
@report_options
def diagnose_command() -> None:
    """Name the answer of OpenAI's validation, the statement at fault, and the smallest fix.

    The command reads a snapshot (`ekm snapshot`), or collects one with the same options. The exit
    code is 0 if nothing is at fault, 1 if something is, and 8 if the key's state was not seen and
    --accept-undecided does not name it: state.

    \b
    Examples:
      ekm diagnose --from-terraform .
      ekm diagnose --from-terraform . --format markdown
      ekm diagnose s.json --json
      ekm diagnose --error "User: … is not authorized to perform: kms:Encrypt …"
    """


@verb("snapshot", runs="snapshot:run", page="docs/diagnosis.md")
@options.source_options
@options.offline_option
@click.option(
    "--json",
    is_flag=True,
    expose_value=False,
    help="A snapshot is JSON with or without this option.",
)
def snapshot_command() -> None:
    """Collect all that AWS has about a key, as one JSON document.

    The command reads from AWS the policies and settings in force; Terraform's outputs say for
    which role and key. With --offline it reads the outputs alone, which say what Terraform applied
    last. With --from-plan it reads the plan alone, which says what Terraform will apply. The
    snapshot leaves out what they do not have.

    \b
    Examples:
      ekm snapshot --role-arn ARN --kms-arn ARN --external-id org-… > s.json
      ekm snapshot --from-terraform . > s.json
      terraform show -json PLAN | ekm snapshot --from-plan - | ekm diagnose -
    """
