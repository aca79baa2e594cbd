"""Options that every verb takes, before or after its name: AWS profile, Region, output, logs.

Each option takes effect when it is read, so that an error in the options behind it is shown the
same way. `forget` undoes all of them: several runs in one process must not share them.

`-v` and `--debug` show calls, and what the HTTP libraries log. Each line passes the filter that
hides admin keys and escapes what a terminal acts on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import click

from openai_ekm import aws_selection, calls_log, terraform
from openai_ekm.cli import render
from openai_ekm.openai_api.redaction import RedactionFilter

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "GlobalOption",
    "WithGlobalOptions",
    "forget",
    "global_options",
    "show_calls",
    "show_everything",
    "stop_logs",
]


class _Printer(logging.Handler):
    """Print each record as progress is printed."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record; a traceback in it has lines of its own."""
        render.log(*self.format(record).split("\n"))


_handlers: Final[list[tuple[logging.Logger, logging.Handler]]] = []


def show_calls() -> None:
    """Show one line for each call to OpenAI and AWS, and for each start of Terraform."""
    _add(calls_log.LOGGER, logging.INFO, "%(message)s")


def show_everything() -> None:
    """Show what requests, urllib3 and botocore log."""
    _add(logging.getLogger(), logging.DEBUG, "%(levelname)s:%(name)s:%(message)s")
    # botocore logs whole answers, and one of them may be the secret that is asked for.
    logging.getLogger("botocore").setLevel(logging.INFO)
    calls_log.LOGGER.setLevel(logging.INFO)


def _add(logger: logging.Logger, level: int, form: str) -> None:
    if any(known is logger for known, _ in _handlers):
        return
    handler = _Printer()
    handler.setFormatter(logging.Formatter(form))
    handler.addFilter(RedactionFilter())
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False  # a handler further up would print it again
    _handlers.append((logger, handler))


def stop_logs() -> None:
    """Show nothing any more."""
    while _handlers:
        logger, handler = _handlers.pop()
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.WARNING if logger.parent is None else logging.NOTSET)


class GlobalOption(click.Option):
    """An option of every verb."""


def _use_profile(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        aws_selection.select(profile=value)


def _use_region(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        aws_selection.select(region=value)


def _use_terraform(_: click.Context, __: click.Parameter, value: str | None) -> None:
    if value is not None:
        terraform.select_program(value)


def _be_quiet(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        render.configure(quiet=True)


def _log_calls(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        show_calls()


def _debug(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        render.configure(debug=True)
        show_everything()


def _be_plain(_: click.Context, __: click.Parameter, value: bool) -> None:
    if value:
        render.configure(colour=False)


def _text(name: str, metavar: str, callback: Callable[..., None], text: str) -> GlobalOption:
    return GlobalOption(
        [name], metavar=metavar, help=text, callback=callback, expose_value=False, is_eager=True
    )


def _flag(names: list[str], callback: Callable[..., None], text: str) -> GlobalOption:
    return GlobalOption(
        names, is_flag=True, help=text, callback=callback, expose_value=False, is_eager=True
    )


def global_options() -> list[click.Parameter]:
    """Return the options, new ones for each command."""
    return [
        _text("--profile", "NAME", _use_profile, "AWS profile; wins over the environment."),
        _text("--region", "REGION", _use_region, "AWS Region; wins over the environment."),
        _text(
            "--terraform",
            "PROGRAM",
            _use_terraform,
            "Name or path of Terraform or OpenTofu.  [env var: EKM_TERRAFORM; default: terraform, "
            "else tofu]",
        ),
        _flag(["-v", "--verbose"], _log_calls, "Show each call to OpenAI and AWS."),
        _flag(["-q", "--quiet"], _be_quiet, "Show results and errors only, no progress."),
        _flag(
            ["--debug"],
            _debug,
            "Show what the HTTP libraries log, and the traceback of a defect; admin keys are "
            "hidden.  [env var: EKM_DEBUG]",
        ),
        _flag(["--no-color"], _be_plain, "Show no colours.  [env var: NO_COLOR]"),
    ]


NAMES: Final = "--profile, --region, --terraform, -v, -q, --debug, --no-color"


class WithGlobalOptions(click.Command):
    """A command with the options of every verb behind its own, and `-h` beside `--help`."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        settings["context_settings"] = {"help_option_names": ["-h", "--help"]}
        super().__init__(*args, **settings)
        self._global_options = global_options()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own options and those of every verb."""
        return [*super().get_params(ctx), *self._global_options]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write its own options, and those of every verb behind them; a group then lists its verbs.

        A verb below `ekm` names them in one line, because `ekm --help` explains them.
        """
        own: list[tuple[str, str]] = []
        every: list[tuple[str, str]] = []
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None and row[0]:
                (every if isinstance(parameter, GlobalOption) else own).append(row)
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        if ctx.parent is None:
            with formatter.section("Options of every verb"):
                formatter.write_dl(every)
        else:
            with formatter.section("Options of every verb (ekm --help)"):
                formatter.write_text(NAMES)
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)


def forget() -> None:
    """Undo what the options of an earlier run in this process chose."""
    aws_selection.forget()
    terraform.select_program(None)
    render.configure(quiet=False, debug=False, colour=None)
    stop_logs()
