"""`ekm emulate`: OpenAI's side of Enterprise Key Management on this machine."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.cli import render
from openai_ekm.emulator import faults as known_faults
from openai_ekm.emulator import server
from openai_ekm.emulator import settings as known_settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulateOptions:
    """Options of `ekm emulate`."""

    host: str
    port: int
    database: str
    settle: float
    faults: tuple[str, ...]
    settings: tuple[str, ...]
    trail: Path | None
    events: bool
    list_settings: bool
    list_faults: bool
    as_json: bool


def run(options: EmulateOptions) -> None:
    """Run `ekm emulate`."""
    if options.list_settings:
        _print_settings(known_settings.list_settings(), as_json=options.as_json)
    elif options.list_faults:
        _print_faults(dict(known_faults.FAULTS), as_json=options.as_json)
    else:
        server.run(
            host=options.host,
            port=options.port,
            database=options.database,
            settle=options.settle,
            faults=options.faults,
            settings=options.settings,
            trail=options.trail,
            events=options.events,
            environment=os.environ,
            ready=lambda where: _say_ready(where, as_json=options.as_json),
        )


def _say_ready(where: dict[str, Any], *, as_json: bool) -> None:
    """Print the line that others wait for."""
    if as_json:
        render.json_line(where)
        render.flush()
    else:
        render.result(f"OpenAI emulator listening on {where['base_url']}")


def _print_settings(settings: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        render.document({"settings": settings})
        return
    for setting in settings:
        render.result(f"{setting['name']} = {json.dumps(setting['default'])}  ({setting['type']})")
        render.result(f"    {setting['meaning']}")


def _print_faults(faults: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        render.document({"faults": faults})
        return
    for name, meaning in faults.items():
        render.result(name, f"    {meaning}")
