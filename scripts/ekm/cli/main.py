"""`ekm` and `ekm-register`: entry points, and where an error becomes an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from typing import Any

import click

from ekm._version import __version__
from ekm.cli import render
from ekm.errors import EkmError

# Verb -> (module, one-line help). The help stands here so that `ekm --help` imports no verb.
VERBS: dict[str, tuple[str, str]] = {
    "register": (
        "ekm.cli.register",
        "Register the key with OpenAI, make its projects.",
    ),
    "validate": ("ekm.cli.validate", "Ask OpenAI now whether it can use the key."),
    "diagnose": (
        "ekm.cli.diagnose",
        "Name the statement that keeps OpenAI out, and the smallest fix.",
    ),
    "status": (
        "ekm.cli.status",
        "Show record, registration, projects, key, and where they differ.",
    ),
    "handoff": ("ekm.cli.handoff", "Print what to hand OpenAI for ChatGPT Enterprise."),
    "drill": ("ekm.cli.drill", "Rehearse the kill switch: cut, see the refusal, give back."),
    "adopt": ("ekm.cli.adopt", "Bring a set-up made by hand under the module; prints imports."),
    "retire": ("ekm.cli.retire", "Undo a registration, in the order that loses nothing."),
    "decide": ("ekm.cli.decide", "Decide requests against policies, as AWS would."),
    "prove": ("ekm.cli.prove", "Prove least privilege over all requests, or show what breaks it."),
    "snapshot": ("ekm.cli.snapshot", "Collect all that bears on a key, as JSON."),
    "emulate": ("ekm.cli.emulate", "Run OpenAI's side on this machine."),
    "demo": ("ekm.cli.demo", "Rehearse everything offline, from apply to destroy."),
}

EXIT_CODES = """\b
Exit codes:
    0  done, or holds
    1  a check does not hold
    2  usage or bad input
    3  AWS refused
    4  OpenAI refused
    5  not reachable, or the deadline passed
    6  conflict: several matches, in use, held
    7  the record cannot be read
  130  interrupted
"""

# The shell's own code for a program that Ctrl-C ended.
EXIT_INTERRUPTED = 130


class VerbGroup(click.Group):
    """A group that imports a verb only when it is called: `ekm --help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Verbs in the order of a user's day, not of the alphabet."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its `command`."""
        if cmd_name not in VERBS:
            return None
        return load_verb(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; one that is not there gets the nearest named."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{near[0]}'?", ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List verbs from the table above, importing none."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


def load_verb(verb: str) -> click.Command:
    """Return the click command of a verb of `VERBS`."""
    command: click.Command = importlib.import_module(VERBS[verb][0]).command
    return command


@click.group(
    cls=VerbGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, "--version", message="%(prog)s %(version)s")
def ekm() -> None:
    """A KMS key that you control under the data that OpenAI stores for you.

    \b
    Examples:
      ekm demo                               rehearse everything offline
      ekm register --from-terraform .        register what an apply made
      ekm validate --from-terraform .        can OpenAI use the key now?
    """


def main(arguments: list[str] | None = None) -> None:
    """Run `ekm`; `ekm help VERB` is `ekm VERB --help`."""
    render.prepare_streams()
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    sys.exit(render.settle_streams(run(ekm, "ekm", words)))


def main_register(arguments: list[str] | None = None) -> None:
    """Run `ekm-register`, which is `ekm register` under a name of its own."""
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["--version"]:
        click.echo(f"ekm-register {__version__}")
        sys.exit(0)
    render.prepare_streams()
    sys.exit(render.settle_streams(run(load_verb("register"), "ekm-register", words)))


def run(command: click.Command, program: str, arguments: list[str]) -> int:
    """Run a command and turn every way it can end into an exit code.

    Args:
        command: What to run.
        program: Its name, for usage lines.
        arguments: The words after the name.

    Returns:
        The exit code; an error has been rendered by then, and never as a traceback
        (`EKM_DEBUG=1` shows the one behind a defect).
    """
    as_json = "--json" in arguments
    try:
        code: Any = command.main(args=arguments, prog_name=program, standalone_mode=False)
    except EkmError as error:
        render.error(error, as_json=as_json)
        return error.exit_code
    except click.UsageError as error:
        render.usage_error(error, as_json=as_json)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except Exception as error:  # a defect of ours: say so without a traceback
        if os.environ.get("EKM_DEBUG"):
            raise
        return render.defect(error, as_json=as_json)
    return code if isinstance(code, int) else 0
