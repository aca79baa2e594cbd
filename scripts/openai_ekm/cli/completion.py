"""`ekm completion`: what makes a shell complete verbs and options."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

from click.shell_completion import get_completion_class

from openai_ekm.cli import render

__all__ = ["run"]

PROGRAMS: Final = {"ekm": "_EKM_COMPLETE", "ekm-register": "_EKM_REGISTER_COMPLETE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionOptions:
    """Options of `ekm completion`."""

    shell: str


def run(options: CompletionOptions) -> None:
    """Run `ekm completion`.

    Source: https://click.palletsprojects.com/en/stable/shell-completion/
    """
    main = importlib.import_module("openai_ekm.cli.main")
    maker = get_completion_class(options.shell)
    assert maker is not None  # nosec B101 # narrows the type: the option takes no other shell
    for program, variable in PROGRAMS.items():
        command = main.ekm if program == "ekm" else main.load_verb("register")
        source = maker(command, {}, program, variable)
        render.verbatim(*(source.source_template % source.source_vars()).split("\n"))
