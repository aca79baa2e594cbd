"""Options of every verb: where they stand, what they change, and that a run leaves nothing."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from openai_ekm import aws_selection, aws_session, terraform
from openai_ekm.calls_log import LOGGER, log_call
from openai_ekm.cli import render
from openai_ekm.cli.commands.verb import Verb
from openai_ekm.cli.main import VERBS, ekm, load_verb, run
from openai_ekm.errors import BadInput

if TYPE_CHECKING:
    from openai_ekm.cli.version import VersionOptions

KEY = "sk-admin-InTheLogOfACall0123456789"
ALL = ("--profile", "--region", "--terraform", "-v", "-q", "--debug", "--no-color")


def verbs() -> list[click.Command]:
    """Every command, groups and what is below them among them."""
    found: list[click.Command] = [ekm]
    for command in map(load_verb, VERBS):
        found.append(command)
        if isinstance(command, click.Group):
            found += command.commands.values()
    return found


@pytest.mark.parametrize("command", verbs(), ids=lambda command: str(command.name))
def test_every_verb_takes_them(command: click.Command) -> None:
    """Guards against: a verb that knows no `--profile`, or knows it twice."""
    names = [name for each in command.get_params(click.Context(command)) for name in each.opts]
    assert sorted(set(names)) == sorted(names)
    assert set(ALL) <= set(names)


@pytest.mark.parametrize("before", [True, False])
def test_they_stand_before_or_after_the_verb(before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against: an option that counts in one of the two places only."""
    seen: list[object] = []

    def note(options: VersionOptions) -> None:
        selection = aws_selection.current()
        program = terraform.selected_program()
        seen.append((selection.profile, selection.region, program, options.as_json))

    monkeypatch.setattr("openai_ekm.cli.version.run", note)
    words = ["--profile", "audit", "--region", "eu-west-1", "--terraform", "tofu"]
    assert run(ekm, "ekm", [*words, "version"] if before else ["version", *words]) == 0
    assert seen == [("audit", "eu-west-1", "tofu", False)]
    assert aws_selection.current() == aws_selection.Selection()
    assert terraform.selected_program() is None


def test_after_the_verb_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The word nearer to what is done decides, as with other command lines."""
    seen: list[object] = []

    def note(options: VersionOptions) -> None:
        seen.append(aws_selection.current().region)

    monkeypatch.setattr("openai_ekm.cli.version.run", note)
    assert run(ekm, "ekm", ["--region", "eu-west-1", "version", "--region", "us-east-1"]) == 0
    assert seen == ["us-east-1"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], {"progress"}),
        (["-q"], set()),
        (["-v"], {"progress", "calls"}),
        (["-q", "-v"], {"calls"}),
        (["--debug"], {"progress", "calls", "library"}),
        (["--debug", "-v"], {"progress", "calls", "library"}),
    ],
)
def test_what_is_shown_on_stderr(
    words: list[str],
    shown: set[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against: a level that shows too little, a line twice, and the admin key in any."""

    def speak(options: VersionOptions) -> None:
        render.progress("the progress")
        log_call("OpenAI", f"GET /v1/x?{KEY}", "200\nforged", 0.25)
        logging.getLogger("urllib3").debug("Authorization: Bearer %s", KEY)
        logging.getLogger("botocore").debug("a whole answer")

    monkeypatch.setattr("openai_ekm.cli.version.run", speak)
    assert run(ekm, "ekm", ["version", *words]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("the progress") == int("progress" in shown)
    assert err.count("OpenAI  GET /v1/x") == int("calls" in shown)
    assert err.count("Authorization: Bearer") == int("library" in shown)
    assert "a whole answer" not in err
    assert KEY not in err
    assert len(err.splitlines()) == len(shown)
    assert not LOGGER.handlers


def test_debug_shows_the_traceback_of_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: a report of a defect without what its reader needs."""

    def fail(options: VersionOptions) -> None:
        raise ValueError("ours")

    monkeypatch.setattr("openai_ekm.cli.version.run", fail)
    assert run(ekm, "ekm", ["version"]) == 70
    assert "Traceback" not in capsys.readouterr().err
    assert run(ekm, "ekm", ["--debug", "version"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "variables", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--no-color"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colours(
    words: list[str],
    variables: dict[str, str],
    coloured: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Guards against: escapes in a file, and a pipeline's log that cannot have colours."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(ekm, "ekm", [*words, "validate", "--record", "nowhere"]) == 2
    assert ("\x1b[31m" in capsys.readouterr().err) == coloured


def test_a_profile_wins_over_keys_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against: a run in the account of the environment, where a profile was named."""
    credentials = tmp_path / "credentials"
    credentials.write_text(
        "[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\nregion = eu-west-3\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    try:
        aws_selection.select(profile="audit", region="eu-central-1")
        session = aws_session.new_session()
        assert getattr(session.get_credentials(), "access_key", None) == "AKIAPROFILE"
        assert session.region_name == "eu-central-1"
        aws_selection.select(profile="no such profile")
        with pytest.raises(BadInput, match="no such profile") as raised:
            aws_session.new_session().get_credentials()
        assert raised.value.remedy
    finally:
        aws_selection.forget()


def test_each_verb_names_its_page() -> None:
    """Guards against: help that leads to a page that is not there."""
    top = Path(__file__).resolve().parents[3]
    pages = {each.page for each in verbs() if isinstance(each, Verb)}
    assert [page for page in pages if not (top / page).is_file()] == []
