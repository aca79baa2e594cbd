"""Options that the registrar's verbs share, with their environment names.

A value comes from the command line, else from the environment (an empty variable counts as
unset), else from Terraform's outputs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ekm.cli import render
from ekm.errors import BadInput

if TYPE_CHECKING:
    from ekm.registrar.from_terraform import Outputs
    from ekm.registrar.intent import Intent

__all__ = [
    "LONGEST_WAIT",
    "Given",
    "arn_options",
    "confirm_option",
    "from_terraform_option",
    "gather",
    "intent_options",
    "json_option",
    "openai_options",
    "outputs_source",
    "outputs_text",
    "place_options",
    "secret_variable",
    "text_variable",
    "wait_option",
]

MEMBERS = (
    ("role-arn", "ARN of the role that OpenAI assumes."),
    ("kms-arn", "ARN of the KMS key."),
    ("external-id", "Id of your OpenAI organization (org-…), or of a project."),
    ("name", "Name of the registration, as OpenAI shows it."),
)
LONGEST_WAIT = 86_400  # seconds; a day, past which nobody is waiting

Command = TypeVar("Command", bound=Callable[..., Any])


def from_terraform_option(command: Command) -> Command:
    """`--from-terraform`."""
    return click.option(
        "--from-terraform",
        metavar="DIR|-",
        help="Take what is not given from `terraform output -json` in DIR, or from stdin.",
    )(command)


def place_options(command: Command) -> Command:
    """`--record` and `--from-terraform`."""
    return click.option(
        "--record",
        envvar="EKM_RECORD",
        metavar="ssm:NAME|file:PATH",
        help="Where the record is kept: an SSM path, or a file (then AWS is not called).",
        show_envvar=True,
    )(from_terraform_option(command))


def intent_options(command: Command) -> Command:
    """The four members of an intent."""
    return arn_options(_member_options(command, MEMBERS[2:]))


def arn_options(command: Command) -> Command:
    """`--role-arn` and `--kms-arn`."""
    return _member_options(command, MEMBERS[:2])


def _member_options(command: Command, members: tuple[tuple[str, str], ...]) -> Command:
    for name, text in reversed(members):
        variable = "EKM_" + name.replace("-", "_").upper()
        option = click.option(
            f"--{name}", envvar=variable, metavar="TEXT", help=text, show_envvar=True
        )
        command = option(command)
    return command


def openai_options(command: Command) -> Command:
    """Where the admin key is."""
    return click.option(
        "--admin-key-from",
        envvar="EKM_ADMIN_KEY_FROM",
        metavar="secretsmanager:ARN|ssm:NAME",
        help="Read the admin key there instead of from OPENAI_ADMIN_KEY.",
        show_envvar=True,
    )(command)


def wait_option(command: Command) -> Command:
    """`--wait`."""
    return click.option(
        "--wait",
        envvar="EKM_WAIT_SECONDS",
        type=click.IntRange(0, LONGEST_WAIT),
        default=180,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for what settles late in AWS, and for a run that holds the record.",
        show_envvar=True,
    )(command)


def confirm_option(command: Command) -> Command:
    """`--confirm-archive`."""
    return click.option(
        "--confirm-archive",
        envvar="EKM_CONFIRM_ARCHIVE",
        metavar="EXTERNAL_KEY_ID",
        help="Archive the key's active projects in this run, for good; names the key.",
        show_envvar=True,
    )(command)


def json_option(command: Command) -> Command:
    """`--json`."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
    )(command)


@dataclass(frozen=True, slots=True)
class Given:
    """What was given, by whichever way; None where nothing was."""

    role_arn: str | None
    kms_arn: str | None
    external_id: str | None
    name: str | None
    record: str | None
    projects: tuple[str, ...]

    def intent(self) -> Intent:
        """The intent, whole.

        Raises:
            BadInput: A member is missing or malformed.
        """
        from ekm.registrar.intent import Intent  # noqa: PLC0415 - `--help` needs none of it

        for member, value in self._members().items():
            if value is None:
                option = "--" + member.replace("_", "-")
                raise BadInput(
                    "option_missing",
                    f"{option} is missing: neither given, nor in EKM_{member.upper()}, nor in "
                    "Terraform's outputs.",
                    at_fault=option,
                    remedy=f"Give {option}, or --from-terraform DIR after an apply.",
                )
        return Intent(
            role_arn=self.role_arn or "",
            kms_arn=self.kms_arn or "",
            external_id=self.external_id or "",
            name=self.name or "",
        )

    def intent_if_any(self) -> Intent | None:
        """The intent, or None when no member was given."""
        if all(value is None for value in self._members().values()):
            return None
        return self.intent()

    def account(self) -> str | None:
        """The account that the AWS credentials must be of, where the role is known.

        Raises:
            BadInput: The role's ARN is malformed.
        """
        from ekm.registrar.intent import account_of, check_role_arn  # noqa: PLC0415 - see above

        if self.role_arn is None:
            return None
        check_role_arn(self.role_arn)
        return account_of(self.role_arn)

    def _members(self) -> dict[str, str | None]:
        return {
            "role_arn": self.role_arn,
            "kms_arn": self.kms_arn,
            "external_id": self.external_id,
            "name": self.name,
        }


def gather(
    *,
    role_arn: str | None = None,
    kms_arn: str | None = None,
    external_id: str | None = None,
    name: str | None = None,
    record: str | None = None,
    projects: tuple[str, ...] = (),
    from_terraform: str | None = None,
    outputs_text: str | None = None,
) -> Given:
    """Fill in from the environment and Terraform's outputs, and check the projects' names.

    `outputs_text` is what was read by `from_terraform` already.

    Raises:
        BadInput: The outputs cannot be read, or a project's name is malformed.
    """
    from ekm.registrar.intent import check_project  # noqa: PLC0415 - `--help` needs none of it

    outputs = _outputs(from_terraform, outputs_text)
    wanted = projects or _projects_variable()
    if wanted is None:
        wanted = outputs.projects or ()
    for project in wanted:
        check_project(project)
    return Given(
        role_arn=role_arn if role_arn is not None else outputs.role_arn,
        kms_arn=kms_arn if kms_arn is not None else outputs.kms_arn,
        external_id=external_id if external_id is not None else outputs.external_id,
        name=name if name is not None else outputs.name,
        record=record if record is not None else outputs.record,
        projects=tuple(dict.fromkeys(wanted)),
    )


def text_variable(name: str) -> str | None:
    """An environment variable; an empty one counts as unset."""
    return os.environ.get(name) or None


def secret_variable(name: str) -> str | None:
    """An environment variable that no child of this process is given from now on.

    A `credential_process` of the AWS configuration, for one, would inherit it. When the command
    ends the variable is put back, for whoever called it in this process.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        return text_variable(name)
    key = f"ekm.secret.{name}"
    if key not in context.meta:
        context.meta[key] = os.environ.pop(name, None)
        context.find_root().call_on_close(lambda: _put_back(name, context.meta[key]))
    value: str | None = context.meta[key]
    return value or None


def _put_back(name: str, value: str | None) -> None:
    if value is not None:
        os.environ.setdefault(name, value)


def outputs_source(source: str) -> str:
    """Where outputs come from, for messages."""
    return "standard input" if source == "-" else f"terraform output in {source}"


def outputs_text(source: str) -> str:
    """What `terraform output -json` prints, in a folder or on standard input."""
    from ekm.registrar import from_terraform  # noqa: PLC0415 - `--help` needs none of it

    if source == "-":
        return sys.stdin.read()
    folder = Path(source)
    render.progress(f"Reading Terraform's outputs in {folder.resolve()}.")
    return from_terraform.run_terraform(folder)


def _outputs(source: str | None, text: str | None) -> Outputs:
    from ekm.registrar import from_terraform  # noqa: PLC0415 - `--help` needs none of it

    if source is None:
        return from_terraform.Outputs()
    given = outputs_text(source) if text is None else text
    return from_terraform.parse(given, outputs_source(source))


def _projects_variable() -> tuple[str, ...] | None:
    text = text_variable("EKM_PROJECTS")
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise BadInput(
            "projects_malformed",
            f"EKM_PROJECTS is {text[:80]!r}; it must be a JSON list of names.",
            at_fault="EKM_PROJECTS",
            remedy='Set it to a list as in ["prod"], or use --project NAME.',
        )
    return tuple(value)
