"""Workflow commands: one a line, whatever a value holds."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from openai_ekm.printable import printable
from openai_ekm.reports import State, as_github
from tests.unit.reports.samples import every_state, finding, hostile, report

COMMAND = re.compile(r"::(?P<name>\w+) (?P<properties>[^:\n]*)::(?P<data>.*)")
EVIL = [
    "x::set-env name=PATH::/tmp",
    "x\n::add-mask::secret",
    "x\r::error::forged",
    "x,title=forged,line=1",
    "x%0A::error::forged%3A%2C",
    "##[add-path]/tmp",
    "x\u2028::stop-commands::t",
    "\x1b[31m\u202e",
]


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    """The commands of a text, read as the runner reads them."""
    found = []
    for line in text.splitlines():
        command = COMMAND.fullmatch(line)
        assert command is not None, line
        pairs = (each.split("=", 1) for each in command["properties"].split(","))
        properties = {name: unquote(value) for name, value in pairs}
        found.append((command["name"], properties, unquote(command["data"])))
    return found


def test_each_state_has_its_level_and_the_gravest_come_first() -> None:
    """Guards against: a failure that GitHub cuts off behind ten notices."""
    commands = read(as_github([every_state()]))
    assert [name for name, _, _ in commands] == [*("error", "error", "notice", "notice", "warning")]
    assert [given["title"] for _, given, _ in commands] == [
        "ekm prove: (b) FAILS",
        "ekm prove: (c) UNDECIDED",
        "ekm prove: (d) undecided and accepted",
        "ekm prove: (f) accepted",
        "ekm prove: (e) warning",
    ]
    for _, given, data in commands:
        assert (given["file"], given["line"]) == ("infrastructure/main.tf", "7")
        assert data.split("\n")[-1].startswith("remedy: Remove the statement")
    assert "accepted: the owner proves it" in commands[2][2]


@pytest.mark.parametrize("text", EVIL)
def test_a_value_forges_no_command(text: str) -> None:
    """Guards against: a Sid that sets a variable of the job, or ends its own annotation."""
    written = as_github([hostile(text)])
    commands = read(written)
    assert [name for name, _, _ in commands] == ["error", "notice", "notice"]
    for line in written.splitlines():
        # The runner reads the older form anywhere in a line that is no command of the newer form.
        assert line.startswith(("::error ", "::notice "))
    for _, given, _ in commands[:2]:
        assert given.keys() == {"file", "line", "title"}
        assert given["line"] == "3"
        assert given["file"] == f"folder/{printable(text)}.tf"
        assert printable(text) in given["title"]
    assert set(written) <= {chr(code) for code in range(32, 127)} | {"\n"}


def test_a_file_outside_the_repository_is_left_out() -> None:
    """Guards against: an annotation at a file that GitHub does not have."""
    made = report(finding(State.FAILS))
    outside = replace(made, file="file:///tmp/plan.json")
    ((_, given, _),) = read(as_github([outside]))
    assert given.keys() == {"title"}
