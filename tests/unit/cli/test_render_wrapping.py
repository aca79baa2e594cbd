"""Long lines on a terminal: broken at blanks, and what is copied stays whole."""

from __future__ import annotations

import sys
import threading

import pytest

from openai_ekm.cli import render
from openai_ekm.cli.render import break_points, columns_of

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def broken(line: str, width: int) -> list[str]:
    """The lines that a terminal of a width shows."""
    text = line
    for place, end in sorted(break_points(line, width).items(), reverse=True):
        text = text[:place] + end + text[place + 1 :]
    return text.split("\n")


@pytest.mark.parametrize("width", range(40, 100))
def test_no_line_is_longer_than_the_terminal_and_no_word_is_lost(width: int) -> None:
    """Guards against: a word that is cut, lost, or behind the edge."""
    line = "  remedy: " + " ".join("word" * (1 + number % 3) for number in range(60))
    lines = broken(line, width)
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == line.split()
    assert all(each.startswith("    word") for each in lines[1:])


def test_what_is_copied_stays_whole() -> None:
    """Guards against: a command or an ARN with a line's end in it."""
    command = "`ekm register --from-terraform . --project payments --wait 300`"
    lines = broken(f"Run {command} for the key {ARN} and see.", 50)
    assert any(command in each for each in lines)
    assert any(ARN in each for each in lines)


def test_a_narrow_terminal_and_a_short_line_are_left_alone() -> None:
    """Guards against: a break where none helps."""
    assert break_points("word " * 30, 39) == {}
    assert break_points("short", 80) == {}


def test_wide_letters_count_twice_and_marks_not_at_all() -> None:
    """Guards against: a line of Chinese that is twice as wide as the terminal."""
    assert (columns_of("abc"), columns_of("日本"), columns_of("e\u0301")) == (3, 4, 1)


def test_only_a_terminal_gets_broken_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: line ends that a program reads, and pieces in colour that lose a break."""
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.delenv("NO_COLOR", raising=False)
    line = ("word " * 8, render.Styled("red " * 8, "red"), "word " * 8)
    render.result(line)
    assert len(capsys.readouterr().out.splitlines()) == 1
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    lines = render.rendered(line, sys.stdout, wrap=True).split("\n")
    assert len(lines) == 3
    render.verbatim("word " * 40)
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_waiting_speaks_only_when_it_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against: minutes of silence; and a line for what ends at once."""
    with render.waiting("Doing it", after=3600):
        pass
    assert capsys.readouterr().err == ""
    spoken = threading.Event()
    real = render.progress

    def note(*lines: render.Line) -> None:
        real(*lines)
        if "(" in str(lines[0]):
            spoken.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "progress", note)
        with render.waiting("Doing it", after=0, every=0.01):
            assert spoken.wait(30)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Doing it …"
    assert said[1].startswith("Doing it … (")
    assert [each for each in threading.enumerate() if each.daemon and "speak" in each.name] == []
