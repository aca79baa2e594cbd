"""Help and imports of the registrar's verbs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from openai_ekm.cli.main import VERBS as VERBS_OF_ALL
from openai_ekm.cli.main import ekm, load_verb, main, run

VERBS = ("register", "validate", "status", "handoff", "retire")
LATE = "boto3", "botocore", "requests", "urllib3", "filelock"
PROBE = """
import sys
from openai_ekm.cli.main import {main}
try:
    {main}({words})
except SystemExit as ended:
    assert ended.code == 0, ended.code
print(sorted(set({late}) & set(sys.modules)))
"""


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A user who asks for help gets a list of options and no idea."""
    assert run(load_verb(verb), f"ekm {verb}", ["--help"]) == 0
    said = capsys.readouterr().out
    assert "Examples:" in said
    assert f"ekm {verb}" in said.split("Examples:")[1]
    assert "--json" in said


@pytest.mark.parametrize("verb", VERBS_OF_ALL)
def test_each_row_of_the_help_has_a_name_and_a_text(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Guards against: an argument that stands among the options and says nothing."""
    run(load_verb(verb), f"ekm {verb}", ["--help"])
    said = capsys.readouterr().out
    options = said.partition("\nOptions:\n")[2].partition("\n\n")[0]
    lines = options.splitlines()
    assert all(each.strip() for each in lines)
    for at, line in enumerate(lines):
        if line.startswith("  ") and not line.startswith("   "):  # a name begins here
            below = lines[at + 1] if at + 1 < len(lines) else ""
            assert "  " in line.strip() or below.startswith("   "), line


@pytest.mark.parametrize(
    ("main", "words"),
    [
        ("main_register", ["--help"]),
        ("main", ["--help"]),
        ("main", ["status", "--help"]),
        ("main", ["retire", "--help"]),
    ],
)
def test_help_imports_no_client(main: str, words: list[str]) -> None:
    """Each `--help` takes half a second longer, for clients that it does not call."""
    probe = PROBE.format(main=main, words=words, late=LATE)
    said = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    ).stdout
    assert said.splitlines()[-1] == "[]"


def test_environment_names_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Terraform sets a variable that the registrar does not read."""
    run(load_verb("register"), "ekm-register", ["--help"])
    said = capsys.readouterr().out
    for name in (
        "EKM_ROLE_ARN",
        "EKM_KMS_ARN",
        "EKM_EXTERNAL_ID",
        "EKM_NAME",
        "EKM_PROJECTS",
        "EKM_RECORD",
        "EKM_WAIT_SECONDS",
        "EKM_ADMIN_KEY_FROM",
        "EKM_CONFIRM_ARCHIVE",
        "OPENAI_ADMIN_KEY",
        "OPENAI_BASE_URL",
        "EKM_CALLS_PER_MINUTE",
    ):
        assert name in said


def test_help_before_a_verb_is_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    """Who types `ekm help status`, as with git or terraform, is told that there is no `help`."""
    with pytest.raises(SystemExit) as ended:
        main(["help", "status"])
    assert ended.value.code == 0
    assert "Usage: ekm status" in capsys.readouterr().out


def test_a_verb_that_is_not_there_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error ends without the way on."""
    assert run(ekm, "ekm", ["vlidate"]) == 2
    assert "Did you mean 'validate'?" in capsys.readouterr().err


@pytest.mark.parametrize("verb", VERBS_OF_ALL)
def test_no_help_shows_what_is_for_click(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Examples run into one line, behind a mark that is meant for the formatter."""
    assert run(load_verb(verb), f"ekm {verb}", ["--help"]) == 0
    assert "\\b" not in capsys.readouterr().out
