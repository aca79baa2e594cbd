"""A verb is a command that imports its work when it runs."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

import click

from openai_ekm.cli import global_options
from openai_ekm.errors import BadInput
from openai_ekm.project import documentation_address

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Verb", "VerbWithDefaultPart", "VerbWithParts", "verb"]


class DocumentedCommand(global_options.WithGlobalOptions):
    """A command whose help ends with where to read on.

    Args:
        page: The page of the documentation that tells more.
        settings: As for any command of click.
    """

    def __init__(self, *args: Any, page: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.page = page

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command adds, and where to read on."""
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write(f"Read more: {documentation_address(self.page)}\n")


class Verb(DocumentedCommand):
    """A command that imports what it does when it runs.

    Args:
        runs: A module of `openai_ekm.cli` and its function, as in `drill:run_revoke`. The function
            takes the options as one frozen object, whose class its annotation names, and returns
            the exit code, or None for 0.
        extra: The extra of the package that it needs.
        settings: As for any documented command.
    """

    def __init__(self, *args: Any, runs: str, extra: str = "rehearsal", **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.runs = runs
        self.extra = extra

    def load(self) -> tuple[Callable[[Any], int | None], type]:
        """Import the function that does what the verb says, and the class of its options.

        Raises:
            BadInput: It needs a library that is not installed: one of an extra.
        """
        module, _, name = self.runs.partition(":")
        try:
            loaded = importlib.import_module(f"openai_ekm.cli.{module}")
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] == "openai_ekm":
                raise
            words = f"`ekm {self.name}` needs {missing.name}, which is not installed."
            remedy = f"pip install 'openai-ekm-aws[{self.extra}]'"
            if self.extra == "operate":
                raise BadInput("operate_missing", words, remedy=remedy) from missing
            raise BadInput("rehearsal_missing", words, remedy=remedy) from missing
        function = getattr(loaded, name)
        return function, getattr(loaded, function.__annotations__["options"])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the function with the options that were given."""
        if os.environ.get("EKM_DEBUG"):
            global_options.show_everything()
        function, options_class = self.load()
        return function(options_class(**ctx.params))


class VerbWithParts(DocumentedCommand, click.Group):
    """A verb that has verbs of its own, such as `ekm drill revoke`."""


class VerbWithDefaultPart(VerbWithParts):
    """A verb with parts that does one of them where none is named, as `ekm drift` does.

    Args:
        default: The name of that part.
        settings: As for any verb with parts.
    """

    def __init__(self, *args: Any, default: str, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line; the default part's name may be left out."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def verb(
    name: str, *, runs: str, page: str, extra: str = "rehearsal", **settings: Any
) -> Callable[[Callable[[], None]], click.Command]:
    """Declare a verb; the docstring of what is decorated is its help."""
    return click.command(name, cls=Verb, runs=runs, page=page, extra=extra, **settings)
