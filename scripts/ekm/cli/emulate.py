"""`ekm emulate`: OpenAI's side of Enterprise Key Management on this machine."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from ekm.cli import render
from ekm.errors import BadInput

__all__ = ["command"]

EPILOG = """\b
Environment:
  AWS_ENDPOINT_URL   the AWS that keys are checked in, such as LocalStack
  OPENAI_ADMIN_KEY   the admin key that is accepted, with every scope
  EKM_EMULATOR_KEYS  further keys with fewer scopes:
                     {"sk-admin-reader": ["api.external_keys.read"]}

\b
Examples:
  ekm emulate --port 8180 --database openai.sqlite3
  ekm emulate --settle 10 --fault lost-after-commit=1
  ekm emulate --fault "rate-limited=2,seconds=1,on=POST /organization/projects"
  ekm emulate --setting cloud_refusal_prefix=true
  ekm emulate --list-settings
"""


@click.command(epilog=EPILOG)
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
    help="SQLite file that keeps the state. Without one, nothing outlives the process.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=0,
    show_default=True,
    metavar="SECONDS",
    help="How long a change to IAM takes to be visible to OpenAI.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[=TIMES][,…]",
    help="Misbehave, TIMES times or until it is switched off. See --list-faults.",
)
@click.option(
    "--setting",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Decide what is not publicly known about OpenAI. See --list-settings.",
)
@click.option("--list-settings", is_flag=True, help="Print every setting and exit.")
@click.option("--list-faults", is_flag=True, help="Print every fault and exit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one line once it listens.")
def command(
    *,
    host: str,
    port: int,
    database: str,
    settle: float,
    faults: tuple[str, ...],
    settings: tuple[str, ...],
    list_settings: bool,
    list_faults: bool,
    as_json: bool,
) -> None:
    """Run OpenAI's side on this machine.

    Registering and validating a key judges the live policies as AWS would, then assumes the role
    from OpenAI's account and encrypts and decrypts with the key, all in the AWS that
    AWS_ENDPOINT_URL names. Stop it with Ctrl-C or SIGTERM.

    Not emulated: the APIs that use a project (nothing is encrypted with its data keys, and no
    data-key cache runs out), other clouds, and the checks of a psp_decryption key.
    """
    try:
        from ekm.emulator import faults as known_faults  # noqa: PLC0415 - `ekm --help` stays fast
        from ekm.emulator import settings as known_settings  # noqa: PLC0415
        from ekm.emulator import start  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "ekm":
            raise
        raise BadInput(
            "rehearsal_missing",
            f"The emulator needs {missing.name}, which is not installed.",
            remedy="pip install 'openai-ekm-aws[rehearsal]'",
        ) from missing
    if list_settings:
        _print_settings(known_settings.list_settings(), as_json=as_json)
    elif list_faults:
        _print_faults(dict(known_faults.FAULTS), as_json=as_json)
    else:
        start.run(
            host=host,
            port=port,
            database=database,
            settle=settle,
            faults=faults,
            settings=settings,
            environment=os.environ,
            ready=lambda where: _say_ready(where, as_json=as_json),
        )


def _say_ready(where: dict[str, Any], *, as_json: bool) -> None:
    """Print the line that others wait for."""
    line = json.dumps(where) if as_json else f"OpenAI emulator listening on {where['base_url']}"
    click.echo(line)


def _print_settings(settings: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        render.document({"settings": settings})
        return
    for setting in settings:
        click.echo(f"{setting['name']} = {json.dumps(setting['default'])}  ({setting['type']})")
        click.echo(f"    {setting['meaning']}")


def _print_faults(faults: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        render.document({"faults": faults})
        return
    for name, meaning in faults.items():
        click.echo(f"{name}\n    {meaning}")
