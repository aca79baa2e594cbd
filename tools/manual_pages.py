"""Write the manual pages of `docs/man` from the command line's own help.

    python tools/manual_pages.py           write the pages
    python tools/manual_pages.py --check   fail when a page differs from the help (CI)

Each verb has a page: ekm-register(1), ekm-drill-revoke(1). The wheel installs them.

Source: https://man7.org/linux/man-pages/man7/groff_man.7.html
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Final

import click

from openai_ekm._version import __version__
from openai_ekm.cli.commands.verb import Verb
from openai_ekm.cli.global_options import GlobalOption
from openai_ekm.cli.main import EXIT_CODES, VERBS, ekm, load_verb
from openai_ekm.environment_variables import VARIABLES

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "man"
_VARIABLE: Final = re.compile(r"\b(?:EKM|OPENAI|AWS|NO|FORCE)_[A-Z_]+\b")


def escape(text: str) -> str:
    """Return text as roff shows it, character by character."""
    shown = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", shown)


def paragraphs(text: str) -> list[str]:
    """Return prose and marked blocks as roff."""
    lines: list[str] = []
    for block in inspect.cleandoc(text).split("\n\n"):
        if block.startswith("\b\n"):
            kept = block[2:].split("\n")
            lines += [".PP", ".nf", *map(escape, kept), ".fi"]
        else:
            lines += [".PP", escape(" ".join(block.split()))]
    return lines


def page(name: str, command: click.Command, below: dict[str, str]) -> str:
    """Return a manual page.

    Args:
        name: As in `ekm drill revoke`.
        command: The command.
        below: Its verbs and what they do, of a group.
    """
    context = click.Context(command, info_name=name)
    text = command.help or ""
    summary = command.get_short_help_str(200).rstrip(".")
    usage = " ".join(command.collect_usage_pieces(context))
    title = name.replace(" ", "-")
    lines = [
        f'.TH {escape(title.upper())} 1 "" "openai\\-ekm\\-aws {__version__}" "User Commands"',
        ".SH NAME",
        f"{escape(title)} \\- {escape(summary)}",
        ".SH SYNOPSIS",
        f".B {escape(name)}",
        escape(usage),
        ".SH DESCRIPTION",
        *paragraphs(text),
        ".SH OPTIONS",
    ]
    every: list[str] = []
    for parameter in command.get_params(context):
        row = parameter.get_help_record(context)
        if row is not None:
            entry = [".TP", f".B {escape(row[0])}", escape(row[1].replace("  ", " "))]
            if isinstance(parameter, GlobalOption):
                every += entry
            else:
                lines += entry
    if command is ekm:
        lines += every
    else:
        lines += [".PP", escape("The options of every verb are in ekm(1).")]
    if below:
        lines += [".SH VERBS"]
        for verb, words in below.items():
            lines += [".TP", f".B {escape(verb)}", escape(words)]
    if command is ekm:
        codes = EXIT_CODES.partition("Environment variables:")[0].replace("\b\n", "")
        lines += [".SH EXIT STATUS", ".nf", *map(escape, codes.strip().split("\n")[1:]), ".fi"]
    epilog = command.epilog or ""
    if epilog:
        lines += [".SH FURTHER", *paragraphs(epilog)]
    return "\n".join([*lines, *environment(lines, all_of_them=command is ekm), *see_also(command)])


def environment(lines: list[str], *, all_of_them: bool) -> list[str]:
    """Return the section on variables: those that a page names, or every one that a user sets."""
    named = set(_VARIABLE.findall("\n".join(lines)))
    told = [
        each
        for each in VARIABLES
        if each.section not in {"tests", "internal"} and (all_of_them or each.name in named)
    ]
    if not told:
        return []
    section = [".SH ENVIRONMENT"]
    for each in told:
        section += [".TP", f".B {each.name}", escape(each.meaning.replace("`", ""))]
    return section


def see_also(command: click.Command) -> list[str]:
    """Return where to read on."""
    page_name = f", {command.page}" if isinstance(command, Verb) else ""
    others = "" if command is ekm else "ekm(1), "
    return [".SH SEE ALSO", escape(f"{others}docs/errors.md{page_name}"), ""]


def pages() -> dict[str, str]:
    """Return every page by its file's name."""
    made = {"ekm.1": page("ekm", ekm, VERBS)}
    for verb in VERBS:
        command = load_verb(verb)
        below: dict[str, str] = {}
        if isinstance(command, click.Group):
            for name, part in command.commands.items():
                below[name] = part.get_short_help_str(200)
                made[f"ekm-{verb}-{name}.1"] = page(f"ekm {verb} {name}", part, {})
        made[f"ekm-{verb}.1"] = page(f"ekm {verb}", command, below)
    return made


def main() -> int:
    """Write the pages, or with --check say whether they are up to date."""
    check = sys.argv[1:] == ["--check"]
    made = pages()
    FOLDER.mkdir(exist_ok=True)
    outdated = False
    for file in FOLDER.glob("*.1"):
        if file.name not in made:
            outdated = True
            if not check:
                file.unlink()
    for name, text in made.items():
        file = FOLDER / name
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        outdated = True
        if not check:
            file.write_text(text, encoding="utf-8")
    if check and outdated:
        print("docs/man: a page differs from the command's help. Run `make docs`.")
    return int(check and outdated)


if __name__ == "__main__":
    sys.exit(main())
