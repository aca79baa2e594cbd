"""Options that several verbs share, and the classes that hold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

__all__ = [
    "FORMATS",
    "LONGEST_WAIT",
    "AllOptions",
    "ArnOptions",
    "IdentifierOptions",
    "IntentOptions",
    "PlaceOptions",
    "TerraformOptions",
    "all_option",
    "argument",
    "arn_options",
    "at_option",
    "confirm_option",
    "drill_wait_option",
    "external_id_option",
    "external_key_option",
    "from_terraform_option",
    "intent_options",
    "json_option",
    "module_option",
    "offline_option",
    "openai_options",
    "place_options",
    "report_option",
    "report_options",
    "source_options",
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


@dataclass(frozen=True, kw_only=True)
class TerraformOptions:
    """Options of a verb with `from_terraform_option` and `module_option`."""

    from_terraform: str | None
    module: str | None


@dataclass(frozen=True, kw_only=True)
class AllOptions(TerraformOptions):
    """Options of a verb with `all_option` beside those."""

    every: bool


@dataclass(frozen=True, kw_only=True)
class PlaceOptions(TerraformOptions):
    """Options of a verb with `place_options`."""

    record: str | None


@dataclass(frozen=True, kw_only=True)
class ArnOptions:
    """Options of a verb with `arn_options`."""

    role_arn: str | None
    kms_arn: str | None


@dataclass(frozen=True, kw_only=True)
class IdentifierOptions(ArnOptions):
    """Options of a verb with `arn_options` and `external_id_option`."""

    external_id: str | None


@dataclass(frozen=True, kw_only=True)
class IntentOptions(IdentifierOptions):
    """Options of a verb with `intent_options`."""

    name: str | None


def variable_of(name: str) -> str:
    """Return the environment variable of an option, such as EKM_ROLE_ARN of `role-arn`."""
    return "EKM_" + name.replace("-", "_").upper()


class Argument(click.Argument):
    """An argument that the help explains, as it explains an option.

    Args:
        text: What it is.
        settings: As for any argument of click.
    """

    def __init__(self, *args: Any, text: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.text = text

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Return its row in the help."""
        return self.make_metavar(ctx), self.text


def argument(name: str, *, text: str, **settings: Any) -> Callable[[Command], Command]:
    """Declare an argument, with its text in the help."""
    return click.argument(name, cls=Argument, text=text, **settings)


from_terraform_option = click.option(
    "--from-terraform",
    metavar="DIR|-",
    help="Take missing values from `terraform output -json` in DIR, or from stdin.",
)
module_option = click.option(
    "--module",
    metavar="NAME",
    help="Choose an instance if Terraform's output ekm is a map of several.",
)
all_option = click.option(
    "--all",
    "every",
    is_flag=True,
    help="Take every instance of Terraform's output ekm, in turn.",
)


def place_options(command: Command) -> Command:
    """Declare `--record`, `--from-terraform` and `--module`."""
    return click.option(
        "--record",
        envvar="EKM_RECORD",
        metavar="ssm:NAME|file:PATH",
        help="Place of the record: an SSM path, or a file, which needs no AWS.",
        show_envvar=True,
    )(from_terraform_option(module_option(command)))


def intent_options(command: Command) -> Command:
    """Declare the four members of an intent."""
    return arn_options(_member_options(command, MEMBERS[2:]))


class _RenamedOption(click.Option):
    """An option whose earlier names are still accepted; help shows the first name alone."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the row of the help."""
        record = super().get_help_record(ctx)
        return None if record is None else (f"{self.opts[0]} {self.metavar}", record[1])


def external_key_option(text: str, *earlier: str) -> Callable[[Command], Command]:
    """Add `--external-key`.

    Args:
        text: What the verb does with the registration.
        earlier: Names that an earlier release gave the option.
    """
    return click.option(
        "--external-key",
        *earlier,
        "external_key",
        cls=_RenamedOption,
        metavar="ID",
        help=text,
    )


def external_id_option(command: Command) -> Command:
    """Declare `--external-id`."""
    return _member_options(command, MEMBERS[2:3])


def arn_options(command: Command) -> Command:
    """Declare `--role-arn` and `--kms-arn`."""
    return _member_options(command, MEMBERS[:2])


def _member_options(command: Command, members: tuple[tuple[str, str], ...]) -> Command:
    for name, text in reversed(members):
        option = click.option(
            f"--{name}", envvar=variable_of(name), metavar="TEXT", help=text, show_envvar=True
        )
        command = option(command)
    return command


def openai_options(command: Command) -> Command:
    """Declare where the admin key is, and the client certificate of mutual TLS."""
    for option, variable, text in (
        ("--mtls-key", "OPENAI_MTLS_KEY_PATH", "Its private key, PEM, not encrypted."),
        ("--mtls-cert", "OPENAI_MTLS_CERT_PATH", "Client certificate for mutual TLS, PEM."),
    ):
        command = click.option(
            option,
            envvar=variable,
            metavar="FILE",
            help=text,
            show_envvar=True,
            expose_value=False,
            callback=_keep_for_client,
        )(command)
    return click.option(
        "--admin-key-from",
        envvar="EKM_ADMIN_KEY_FROM",
        metavar="secretsmanager:ARN|ssm:NAME",
        help="Read the admin key there instead of from OPENAI_ADMIN_KEY.",
        show_envvar=True,
    )(command)


def _keep_for_client(context: click.Context, option: click.Parameter, value: str | None) -> None:
    """Keep a file's name for `client_certificate`: every verb takes it, and none looks at it."""
    context.meta[f"ekm.{option.name}"] = value or None


def _wait_option(text: str) -> Callable[[Command], Command]:
    return click.option(
        "--wait",
        envvar="EKM_WAIT_SECONDS",
        type=click.IntRange(0, LONGEST_WAIT),
        default=180,
        show_default=True,
        metavar="SECONDS",
        help=text,
        show_envvar=True,
    )


wait_option = _wait_option("Longest wait for IAM, and for another run that holds the record.")
drill_wait_option = _wait_option(
    "Longest time to ask until OpenAI is refused, and until it can use the key again; also for "
    "another run that holds the record."
)
confirm_option = click.option(
    "--confirm-archive",
    envvar="EKM_CONFIRM_ARCHIVE",
    metavar="EXTERNAL_KEY_ID",
    help="Archive the active projects of this key in this run; archiving is final.",
    show_envvar=True,
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)
report_option = click.option(
    "--report",
    metavar="PATH",
    help="Also write the report to PATH.json and PATH.md, however the run ends.",
)
offline_option = click.option(
    "--offline",
    is_flag=True,
    help="With --from-terraform: read the outputs alone; do not call AWS.",
)


def at_option(text: str) -> Callable[[Command], Command]:
    """Declare `--at`, the time that a snapshot is judged at.

    Args:
        text: What the verb does with it.
    """
    return click.option("--at", metavar="TIME", help=text)


def source_options(command: Command) -> Command:
    """Declare the options that say where a snapshot comes from."""
    for option in (
        click.option(
            "--module",
            metavar="ADDRESS",
            help="Choose an instance if there are several.",
        ),
        click.option(
            "--from-plan",
            metavar="FILE|-",
            help="Read a saved plan, or what `terraform show -json PLAN` prints; do not call AWS.",
        ),
        click.option(
            "--from-terraform",
            metavar="DIR|-",
            help="Read `terraform output -json` in DIR, or from stdin.",
        ),
        *(
            click.option(
                f"--{name}", metavar="TEXT", help=f"{text}  [env var: {variable_of(name)}]"
            )
            for name, text in reversed(MEMBERS[:3])
        ),
    ):
        command = option(command)
    return command


FORMATS: Final = ("text", "json", "sarif", "junit", "markdown", "github")


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
