"""The manual pages of docs/man: one for each verb, and none that roff reads otherwise."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from openai_ekm.cli.main import VERBS, ekm, load_verb, run

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import manual_pages  # noqa: E402 - once it can be found

PAGES = sorted((ROOT / "docs" / "man").glob("*.1"))


def commands() -> dict[str, click.Command]:
    """Every command by what a person types."""
    found: dict[str, click.Command] = {"ekm": ekm}
    for verb in VERBS:
        found[f"ekm {verb}"] = command = load_verb(verb)
        if isinstance(command, click.Group):
            found |= {f"ekm {verb} {name}": part for name, part in command.commands.items()}
    return found


def test_each_command_has_a_page_with_all_of_its_options() -> None:
    """Guards against: a verb without a page, and an option that the page leaves out."""
    assert sorted(page.stem for page in PAGES) == sorted(
        name.replace(" ", "-") for name in commands()
    )
    for name, command in commands().items():
        text = manual_pages.pages()[f"{name.replace(' ', '-')}.1"].replace("\\-", "-")
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                assert parameter.opts[0] in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a-b", "a\\-b"), (".TH forged", "\\&.TH forged"), ("'x", "\\&'x"), ("a\\n", "a\\en")],
)
def test_no_text_is_a_command_of_roff(text: str, shown: str) -> None:
    """Guards against: a help text that becomes a request, and disappears."""
    assert manual_pages.escape(text) == shown


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on this machine")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_groff_has_nothing_to_say(page: Path) -> None:
    """Guards against: a page that `man` complains about."""
    done = subprocess.run(
        ["groff", "-man", "-ww", "-z", "-K", "utf8", str(page)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize("name", commands())
def test_help_fits_a_terminal_of_80_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: an example that a narrow terminal breaks."""
    monkeypatch.setenv("COLUMNS", "80")
    assert run(ekm, "ekm", [*name.split()[1:], "--help"]) == 0
    said = capsys.readouterr().out
    assert [line for line in said.splitlines() if len(line) > 80] == []
    assert "see" in said.lower() or "Read more" in said or name in {"ekm", "ekm drill"}
