"""`ekm` and `ekm-register`: entry points, and where an error becomes an exit code."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from itertools import pairwise
from typing import Any

import click

from openai_ekm._version import __version__
from openai_ekm.cli import global_options, render
from openai_ekm.errors import EXIT_INTERRUPTED, EkmError
from openai_ekm.loopback import keep_from_proxies
from openai_ekm.project import documentation_address

# Verb -> one-line help. It stands here so that `ekm --help` imports no verb.
VERBS: dict[str, str] = {
    "doctor": "Look at all that a registration needs; change nothing.",
    "register": "Register the key with OpenAI and create its projects.",
    "validate": "Ask OpenAI now whether it can use the key.",
    "diagnose": "Name the statement that keeps OpenAI out, and the smallest fix.",
    "status": "Show record, registration, projects, key, and where they differ.",
    "handoff": "Print the text to send to OpenAI for ChatGPT Enterprise.",
    "drift": "Compare what is with what was meant, in AWS and at OpenAI.",
    "drill": "Rehearse the kill switch: cut, see the refusal, give back.",
    "monitor": "Test that the alarms on the key reach somebody.",
    "usage": "Say who uses the key, since when, how often, what failed.",
    "evidence": "Write a pack of evidence for an auditor, or verify one.",
    "adopt": "Bring a set-up made by hand under the module.",
    "retire": "Undo a registration, in the order that loses nothing.",
    "decide": "Decide requests against policies, as AWS would.",
    "prove": "Prove least privilege for all requests, or show what breaks it.",
    "snapshot": "Collect all that AWS has about a key, as JSON.",
    "emulate": "Emulate OpenAI's Admin API on this machine.",
    "demo": "Rehearse everything offline, from apply to destroy.",
    "completion": "Print what makes a shell complete verbs and options.",
    "schema": "Print the JSON Schema of what ekm reads or prints.",
    "version": "Show the versions of package, module, Terraform and Python.",
    "help": "Explain a verb, or the environment variables.",
}

# The module of `openai_ekm.cli.commands` that declares each verb.
_GROUPS: dict[str, tuple[str, ...]] = {
    "registration": ("register", "validate", "status", "handoff", "adopt", "retire"),
    "policies": ("decide", "prove", "diagnose", "snapshot"),
    "operation": ("doctor", "drill", "monitor", "evidence"),
    "drift": ("drift",),
    "usage": ("usage",),
    "rehearsal": ("emulate", "demo"),
    "program": ("completion", "schema", "version", "help"),
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
    8  undecided: something that was not seen could change the answer
   70  a defect of ours: --debug shows more
  130  interrupted
Environment variables: ekm help environment
Every error: {errors}
"""

JSON_WORDS = {"--json", "--format=json"}


class VerbGroup(global_options.WithGlobalOptions, click.Group):
    """A group that imports its verbs only when one is called: `ekm --help` stays fast."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes, and where to read on."""
        self.epilog = EXIT_CODES.format(errors=documentation_address("docs/errors.md"))
        super().format_epilog(ctx, formatter)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return verbs in the order of a user's day, not of the alphabet."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb's command."""
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
            formatter.write_dl(list(VERBS.items()))


def load_verb(verb: str) -> click.Command:
    """Return the click command of a verb of `VERBS`."""
    group = next(name for name, verbs in _GROUPS.items() if verb in verbs)
    module = importlib.import_module(f"openai_ekm.cli.commands.{group}")
    command: click.Command = getattr(module, f"{verb}_command")
    return command


@click.group(cls=VerbGroup)
@click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")
def ekm() -> None:
    """A KMS key that you control under the data that OpenAI stores for you.

    \b
    Examples:
      ekm demo                               rehearse everything offline
      ekm register --from-terraform .        register what an apply made
      ekm validate --from-terraform .        can OpenAI use the key now?
      ekm help register                      the help of one verb
    """


def main(arguments: list[str] | None = None) -> None:
    """Run `ekm`."""
    sys.exit(render.settle_streams(run(ekm, "ekm", _prepared(arguments))))


def main_register(arguments: list[str] | None = None) -> None:
    """Run `ekm-register`, which is `ekm register` under a name of its own."""
    words = _prepared(arguments)
    if words in (["--version"], ["-V"]):
        render.result(f"ekm-register {__version__}")
        sys.exit(0)
    sys.exit(render.settle_streams(run(load_verb("register"), "ekm-register", words)))


def _prepared(arguments: list[str] | None) -> list[str]:
    """Set the process up, and return the words of the command line."""
    render.prepare_streams()
    os.environ.update(keep_from_proxies(os.environ))
    return sys.argv[1:] if arguments is None else arguments


def run(command: click.Command, program: str, arguments: list[str]) -> int:
    """Run a command and turn every way it can end into an exit code.

    Args:
        command: What to run.
        program: Its name, for usage lines.
        arguments: The words after the name.

    Returns:
        The exit code; an error has been rendered by then (`--debug` shows the traceback of a
        defect too).
    """
    global_options.forget()
    as_json = not JSON_WORDS.isdisjoint(arguments) or ("--format", "json") in pairwise(arguments)
    try:
        code: Any = command.main(args=arguments, prog_name=program, standalone_mode=False)
    except EkmError as error:
        render.error(error, as_json=as_json)
        return error.exit_code
    except click.ClickException as error:
        render.usage_error(error, as_json=as_json)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        render.progress("Interrupted.")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - a defect of ours: say so without a traceback
        return render.defect(error, as_json=as_json)
    finally:
        global_options.forget()
    return code if isinstance(code, int) else 0
