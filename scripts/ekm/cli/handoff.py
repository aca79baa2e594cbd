"""`ekm handoff`."""

from __future__ import annotations

import click

from ekm.cli import options, render
from ekm.errors import BadInput

__all__ = ["command"]


@click.command("handoff", context_settings={"help_option_names": ["-h", "--help"]})
@options.arn_options
@options.from_terraform_option
@options.json_option
def command(
    *,
    role_arn: str | None,
    kms_arn: str | None,
    from_terraform: str | None,
    as_json: bool,
) -> None:
    """Print what to hand OpenAI for ChatGPT Enterprise, where registering has no API.

    It calls neither OpenAI nor AWS.

    \b
    Examples:
      ekm handoff --from-terraform .
      terraform output -json | ekm handoff --from-terraform - --json
    """
    from ekm.registrar.handoff import Handoff  # noqa: PLC0415 - `--help` needs none of it

    given = options.gather(role_arn=role_arn, kms_arn=kms_arn, from_terraform=from_terraform)
    for option, value in (("--role-arn", given.role_arn), ("--kms-arn", given.kms_arn)):
        if value is None:
            raise BadInput(
                "option_missing",
                f"{option} is missing: neither given, nor in the environment, nor in Terraform's "
                "outputs.",
                at_fault=option,
                remedy=f"Give {option}, or --from-terraform DIR after an apply.",
            )
    handoff = Handoff(role_arn=given.role_arn or "", kms_arn=given.kms_arn or "")
    if as_json:
        render.document(handoff.as_json())
    else:
        click.echo(handoff.as_text())
