"""`ekm help`: the help of a verb, or the environment variables."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import click

from openai_ekm.cli import render
from openai_ekm.environment_variables import SECTIONS, VARIABLES

__all__ = ["run"]

_FOR_USERS = ("registrar", "openai", "machine")


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpOptions:
    """Options of `ekm help`."""

    topic: tuple[str, ...]


def run(options: HelpOptions) -> None:
    """Run `ekm help`."""
    root = click.get_current_context().find_root()
    if options.topic == ("environment",):
        render.result(*environment_lines())
        return
    context = root
    for word in options.topic:
        command = context.command
        verb = command.get_command(context, word) if isinstance(command, click.Group) else None
        if verb is None:
            raise _unknown(word, context)
        context = click.Context(verb, info_name=word, parent=context)
    render.result(*context.command.get_help(context).split("\n"))


def environment_lines() -> list[str]:
    """Return every environment variable that a user sets, by concern."""
    lines = [
        "An option on the command line wins over its variable. An empty variable counts as unset.",
        "AWS's own variables (AWS_PROFILE, AWS_REGION and so on) are read by AWS's SDK.",
    ]
    for section in _FOR_USERS:
        lines += ["", f"{SECTIONS[section]}:"]
        for variable in VARIABLES:
            if variable.section == section:
                lines.append(f"  {variable.name}  ({variable.holds.replace('`', '')})")
                lines.append(f"    {variable.meaning.replace('`', '')}")
    return lines


def _unknown(word: str, context: click.Context) -> click.UsageError:
    command = context.command
    known = command.list_commands(context) if isinstance(command, click.Group) else []
    near = difflib.get_close_matches(word, [*known, "environment"], n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return click.UsageError(
        f"There is no help about '{word}'.{hint or ' `ekm --help` lists the verbs.'}", context
    )
