"""Everything that is printed for people passes `cli.render`, a line at a time."""

from __future__ import annotations

import ast
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

import openai_ekm
from openai_ekm.cli import render
from openai_ekm.cli.main import ekm, run
from openai_ekm.errors import BadInput, EkmError
from openai_ekm.openai_api.redaction import RedactionFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(openai_ekm.__file__).parent
# The printer; and the fleet's table, which takes lines of its own away again and renders each.
PRINTERS = {"cli/render.py", "cli/fleet_progress.py"}
# What prints, or what writes colours: a call `x.name(…)`, or a name of the module `sys`.
CALLS = {"echo", "secho", "style", "echo_via_pager", "show", "write_usage", "print_exc"}
STREAMS = {"stdout", "stderr", "__stdout__", "__stderr__"}
EVIL = "x\x1b]52;c;QQ==\x07\r\u202e\x9b31m\nremedy: pay\u2028Nothing differs."


def test_only_the_printer_prints() -> None:
    """Guards against: a `click.echo` in a verb, by which a value reaches the terminal raw."""
    found = [
        f"{name}:{line}: {what}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if (name := path.relative_to(PACKAGE).as_posix()) not in PRINTERS
        for line, what in prints(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def prints(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The places of a module that print by themselves."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print")):
                yield node.lineno, "print"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CALLS:
                yield node.lineno, name
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in STREAMS:
                yield node.lineno, f"sys.{name}"


@pytest.mark.parametrize(
    "source", ["print(1)", "click.echo(x)", "sys.stdout.write(x)", "e.show()", "click.style(x)"]
)
def test_the_search_finds_what_prints(source: str) -> None:
    """Guards against: a search that finds nothing."""
    assert list(prints(ast.parse(source)))


def raw(text: str) -> list[str]:
    """The characters of an output that a terminal acts on, ends of lines apart."""
    return [each for each in text if not each.isprintable() and each != "\n"]


@click.command()
@click.option("--number", type=int)
def failing(number: int | None) -> None:
    """Fail with hostile text."""
    raise BadInput(EVIL, EVIL, at_fault=EVIL, remedy=EVIL, request_id=EVIL)


@click.command()
def broken() -> None:
    """Fail as only a defect does."""
    raise ValueError(EVIL)


def test_an_error_is_as_many_lines_as_it_has_members(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer of OpenAI forges the line `remedy:`, which a person does."""
    assert run(failing, "ekm", []) == 2
    err = capsys.readouterr().err
    assert raw(err) == []
    assert [line.split(":")[0] for line in err.splitlines()][1:] == [
        "  at fault",
        "  remedy",
        "  request id",
        "  see",
    ]
    assert r"x\u001b]52;c;QQ==\u0007\r\u202e\u009b31m\nremedy: pay\u2028Nothing differs." in err


@pytest.mark.parametrize("words", [["--number", EVIL], [f"--{EVIL}"], [EVIL]])
def test_a_usage_error_shows_no_word_raw(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A word of the command line, which a script took from elsewhere, acts on the terminal."""
    assert run(failing, "ekm", words) == 2
    err = capsys.readouterr().err
    assert raw(err) == []
    lines = err.splitlines()
    assert lines[0].startswith("Usage: ")
    assert lines[-1].startswith("Error: ")
    assert len(lines) == 4


@pytest.mark.parametrize("words", [[], ["drill"]], ids=["ekm", "ekm drill"])
def test_a_group_without_a_verb_shows_its_help(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: the first words that a user types are answered by one escaped line."""
    assert run(ekm, "ekm", words) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0].startswith("Usage: ekm")
    assert any(line.strip().startswith("drill" if not words else "revoke") for line in lines)
    assert "\\n" not in printed.err
    assert "Error" not in printed.err


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_defect_shows_no_message_raw(
    debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A defect, or its traceback, prints what broke us; and ends in another code with a debug."""
    monkeypatch.setenv("EKM_DEBUG", debug)
    assert run(broken, "ekm", []) == 70
    err = capsys.readouterr().err
    assert raw(err) == []
    assert ("Traceback" in err) == bool(debug)
    assert not any(line.startswith("remedy") for line in err.splitlines())


def test_a_defect_shows_no_admin_key(capsys: pytest.CaptureFixture[str]) -> None:
    """What broke us may hold the key: a library names the header that it failed at."""
    key = "sk-admin-InTheWordsOfADefect0123456789"
    assert render.defect(RuntimeError(f"header Bearer {key}"), as_json=True) == 70
    shown = capsys.readouterr()
    assert "hidden" in shown.err
    assert key not in shown.err + shown.out


def test_json_of_an_error_shows_nothing_raw(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` on a terminal acts on OpenAI's words."""
    render.error(EkmError("x", EVIL, remedy=EVIL), as_json=True)
    assert raw(capsys.readouterr().out) == []


def test_lines_and_colours_come_from_the_printer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value in a coloured piece brings colours or lines of its own."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    shown = render.rendered(("a ", render.Styled(EVIL, "red"), EVIL), sys.stdout)
    assert shown.startswith("a \x1b[31m\x1b[1mx\\u001b")
    assert shown.count("\x1b") == 3
    render.result(EVIL, "b")
    render.progress(EVIL)
    out, err = capsys.readouterr()
    assert (len(out.splitlines()), len(err.splitlines())) == (2, 1)


def test_the_debug_log_shows_nothing_raw() -> None:
    """With EKM_DEBUG=1 a header that urllib3 logs acts on the terminal."""
    error = ValueError(EVIL)
    told = (ValueError, error, None)
    record = logging.LogRecord("n", logging.DEBUG, "p", 1, "said %s", (EVIL,), told)
    assert RedactionFilter().filter(record)
    assert raw(logging.Formatter().format(record)) == []
