"""Show on stderr what `-v` and `--debug` ask for: calls, and what the HTTP libraries log.

Each line passes the filter that hides admin keys and escapes what a terminal acts on.
"""

from __future__ import annotations

import logging
from typing import Final

from openai_ekm import calls_log
from openai_ekm.cli import render
from openai_ekm.openai_api.redaction import RedactionFilter

__all__ = ["show_calls", "show_everything", "stop"]


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


def stop() -> None:
    """Show nothing any more."""
    while _handlers:
        logger, handler = _handlers.pop()
        logger.removeHandler(handler)
        logger.propagate = True
        logger.setLevel(logging.WARNING if logger.parent is None else logging.NOTSET)
