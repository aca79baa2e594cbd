"""Commands that documents, remedies and help show are commands that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

from openai_ekm.cli.main import VERBS, ekm, load_verb

ROOT = Path(__file__).resolve().parents[2]
# Between backticks, or at the beginning of a line or after a pipe, as in a block or a docstring's
# example; up to what ends a command.
SHOWN = re.compile(
    r"(?:^\s*(?:- run: |\$ )?|[`|] ?|\b(?:run|Run|in) )(ekm(?:-register)? [a-z-][^`|;#)\n]*)",
    re.MULTILINE,
)
OPTION = re.compile(r"^--[a-z][a-z-]*")


def texts() -> list[str]:
    """Documents, the module, and the package: what a user reads."""
    listed = subprocess.run(
        ["git", "ls-files", "*.md", "*.tf", "scripts/*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split() if SHOWN.search(read(name))]


def read(name: str) -> str:
    """A file, continued lines joined."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.sub(r" ?\\\n\s*", " ", text)


def options_of(command: click.Command) -> set[str]:
    """Every `--option` that a command takes."""
    parameters = command.get_params(click.Context(command))
    given = {name for each in parameters for name in (*each.opts, *each.secondary_opts)}
    return {name for name in given if name.startswith("--")} | {"--help"}


def unknown(shown: str) -> list[str]:
    """What a command line names that there is not."""
    program, *words = shown.split()
    if program == "ekm" and words[0].startswith("-"):
        known = options_of(ekm) | {"--version", "-V", "-h", "-v", "-q"}
        named = [word for word in words if word.startswith("-")]
        return [name for name in named if name not in known]
    verb = "register" if program == "ekm-register" else words.pop(0)
    if verb not in VERBS:
        return [verb] if verb != "help" else []
    command = load_verb(verb)
    if isinstance(command, click.Group):
        if not words or words[0] not in command.commands:
            return []  # "`ekm drill` rehearses …"
        command = command.commands[words.pop(0)]
    known = options_of(command) | ({"--version"} if program == "ekm-register" else set())
    named = [found[0] for word in words if (found := OPTION.match(word))]
    return [name for name in named if name not in known]


@pytest.mark.parametrize("name", texts())
def test_every_command_that_is_shown_exists(name: str) -> None:
    """Guards against: a page that shows a verb or an option that does not exist."""
    wrong = {shown.strip(): bad for shown in SHOWN.findall(read(name)) if (bad := unknown(shown))}
    assert wrong == {}
