"""emulate, demo: everything offline."""

from __future__ import annotations

from pathlib import Path

import click

from openai_ekm.cli import options
from openai_ekm.cli.commands.verb import verb

__all__ = [
    "demo_command",
    "emulate_command",
]


@verb("emulate", runs="emulate:run", page="docs/reliability.md")
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback address.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="TCP port; 0 takes a free one.",
)
@click.option(
    "--database",
    default=":memory:",
    help="SQLite file for the state. Without it the state ends with the process.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="Time after which OpenAI sees a change to IAM.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=TIMES][,…]",
    help="Make this fault, TIMES times or until it is switched off. See --list-faults.",
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Choose behaviour that OpenAI does not publish. See --list-settings.",
)
@click.option(
    "--trail",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write CloudTrail's log files of what OpenAI does in AWS there.",
)
@click.option(
    "--events",
    is_flag=True,
    help="Put the same events on EventBridge's default bus, in an emulated AWS only.",
)
@click.option("--list-settings", is_flag=True, help="Print every setting and exit.")
@click.option("--list-faults", is_flag=True, help="Print every fault and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one line once it listens.")
def emulate_command() -> None:
    """Emulate OpenAI's Admin API on this machine.

    To register or validate a key, the emulator judges the live policies as AWS would. Then it
    assumes the role from OpenAI's account, and encrypts and decrypts with the key. It does this in
    the AWS that AWS_ENDPOINT_URL names. Stop it with Ctrl-C or SIGTERM.

    It does not emulate the APIs that use a project (nothing is encrypted with its data keys, and
    no data-key cache runs out), other clouds, and the checks of a psp_decryption key.

    \b
    Examples:
      ekm emulate --port 8180 --database openai.sqlite3
      ekm emulate --settle 10 --fault lost-after-commit=1
      ekm emulate --fault "rate-limited=2,on=POST /organization/projects"
      ekm emulate --setting cloud_refusal_prefix=true
      ekm emulate --trail ./trail --events
      ekm emulate --list-settings

    \b
    Environment:
      AWS_ENDPOINT_URL   the AWS that keys are checked in, such as LocalStack
      OPENAI_ADMIN_KEY   the admin key that is accepted, with every scope
      EKM_EMULATOR_KEYS  further keys with fewer scopes:
                         {"sk-admin-reader": ["api.external_keys.read"]}
    """


@verb("demo", extra="demo", runs="demo:run", page="README.md")
@click.option(
    "--keep", is_flag=True, help="Destroy nothing, leave it running, and print how to look around."
)
@click.option(
    "--module",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="The Terraform module's folder.  [default: this checkout's, else the package's own]",
)
@options.json_option
def demo_command() -> None:
    """Rehearse everything offline, from apply to destroy.

    The rehearsal starts LocalStack and the OpenAI emulator on loopback and applies the example
    with registration. It asks OpenAI to use the key, and shows who may use it and who may not. It
    widens the key policy by hand, and finds the stranger and the change. It watches the key,
    disables it, hears the alarm, and enables it. Then a destroy is refused, and after the
    confirmation everything is destroyed. The rehearsal touches no account and needs no admin key.
    It stops all that it started, also after Ctrl-C or a failure. Only the evidence stays, in the
    cache folder. It takes two minutes.

    \b
    Examples:
      ekm demo                 the whole rehearsal
      ekm demo --keep          leave it running and look around
      ekm demo --json          the checks as JSON
    """
