"""`--format`, `--output` and `--accept-undecided` of the verbs that judge."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.cli.reporting import shown_at
from tests.support.healthy import healthy, put
from tests.support.proof_sample import DELEGATE_ALL, document, snapshot

if TYPE_CHECKING:
    from pathlib import Path

REMEDY = "narrow or remove the statements that are named"
REASON = "the owner of the key proves it from AWS"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a snapshot that holds, one that fails, and one that is undecided."""
    monkeypatch.chdir(tmp_path)
    weak, blind = snapshot(), snapshot()
    weak["keys"][0]["policy"] = document(DELEGATE_ALL)
    del blind["keys"][0]["policy"]
    for name, found in (("holds", snapshot()), ("fails", weak), ("blind", blind)):
        (tmp_path / f"{name}.json").write_text(json.dumps(found), encoding="utf-8")
    return tmp_path


def told(capsys: Capture, *words: str) -> tuple[int, str]:
    """Run `ekm` and return the exit code and standard output."""
    code = run(ekm, "ekm", list(words))
    return code, capsys.readouterr().out


def accepting(*claims: str) -> list[str]:
    """The option for these claims."""
    return ["--accept-undecided", f"{','.join(claims)}={REASON}"]


def test_the_formats_of_one_proof_agree(capsys: Capture) -> None:
    """Guards against: a format that leaves out a failure, or its remedy."""
    marks = {
        "text": "(c) FAILS",
        "sarif": '"EKM003/least-privilege/key"',
        "junit": "<failure",
        "markdown": "| ❌ FAILS |",
        "github": "::error ",
    }
    for name, mark in marks.items():
        code, out = told(capsys, "prove", "fails.json", "--format", name)
        assert code == 1
        assert mark in out, name
        assert REMEDY in out, name
    (case,) = ET.fromstring(told(capsys, "prove", "fails.json", "--format", "junit")[1]).iter(
        "failure"
    )
    assert "DelegateToAccount" in (case.text or "")


def test_json_is_the_same_by_either_option(capsys: Capture) -> None:
    """Guards against: a program that reads `--json` and meets another document."""
    for verb in ("prove", "diagnose"):
        by_flag = told(capsys, verb, "fails.json", "--json")
        assert by_flag == told(capsys, verb, "fails.json", "--format", "json")
        assert by_flag == told(capsys, verb, "fails.json", "--json", "--format", "json")
        assert told(capsys, verb, "fails.json", "--json", "--format", "junit")[0] == 2


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"], ["--format=json"]])
def test_an_error_is_json_where_the_answer_would_be(words: list[str], capsys: Capture) -> None:
    """Guards against: a program that finds no document where a snapshot cannot be read."""
    code, out = told(capsys, "prove", "missing.json", *words)
    assert code == 2
    assert json.loads(out)["error"]["id"] == "snapshot_unreadable"


def test_one_run_writes_every_format(folder: Path, capsys: Capture) -> None:
    """A job needs a table, a log for code scanning and annotations of one judgement."""
    names = ("text", "json", "sarif", "junit", "markdown", "github")
    outputs = [word for name in names for word in ("--output", f"{name}=out.{name}")]
    code, out = told(capsys, "prove", "fails.json", "--format", "github", *outputs)
    assert code == 1
    assert (folder / "out.github").read_text(encoding="utf-8") == out
    for name in names:
        printed = told(capsys, "prove", "fails.json", "--format", name)[1]
        assert (folder / f"out.{name}").read_text(encoding="utf-8") == printed


@pytest.mark.parametrize(
    "words",
    [
        ("--output", "sarif"),
        ("--output", "pdf=x"),
        ("--output", "sarif="),
        ("--accept-undecided", "c"),
        ("--accept-undecided", "c="),
        ("--accept-undecided", "c= "),
        ("--accept-undecided", "=x"),
        ("--accept-undecided", "c,=x"),
        ("--format", "pdf"),
    ],
)
def test_an_option_of_another_form_is_a_usage_error(
    words: tuple[str, str], capsys: Capture
) -> None:
    """Guards against: an acceptance without a reason, and a file that is silently not written."""
    assert run(ekm, "ekm", ["prove", "holds.json", *words]) == 2
    assert "Error: " in capsys.readouterr().err


def test_an_unknown_claim_is_answered_with_the_known_ones(capsys: Capture) -> None:
    """Guards against: a misspelt claim that accepts nothing, for ever."""
    assert run(ekm, "ekm", ["prove", "blind.json", *accepting("c", "g")]) == 2
    assert "names 'g', which is no claim. The claims are a, b, c, d, e, f." in (
        capsys.readouterr().err
    )
    assert run(ekm, "ekm", ["diagnose", "blind.json", *accepting("c")]) == 2
    assert "The claims are state." in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(capsys: Capture) -> None:
    """Guards against: a wrong path that is a defect of ours."""
    assert run(ekm, "ekm", ["prove", "holds.json", "--output", "junit=no/x.xml"]) == 2
    assert "error[output_file_not_written]: no/x.xml" in capsys.readouterr().err


def test_a_gate_passes_for_a_stated_reason(capsys: Capture) -> None:
    """An existing key's pull request passes, and every format says for which reason."""
    assert told(capsys, "prove", "blind.json")[0] == 8
    words = ["prove", "blind.json", *accepting("b", "c", "d", "e", "f")]
    for name in ("text", "json", "sarif", "junit", "markdown", "github"):
        code, out = told(capsys, *words, "--format", name)
        assert code == 0, name
        assert REASON in out, name
        assert "undecided" in out.lower(), name
    assert "(c) UNDECIDED and accepted" in told(capsys, *words)[1]
    assert told(capsys, "prove", "blind.json", *accepting("b", "c", "d", "e"))[0] == 8
    found: Any = json.loads(told(capsys, *words, "--json")[1])
    assert {each["id"]: each.get("accepted") for each in found["claims"]} == {
        "a": None,
        **dict.fromkeys("bcdef", REASON),
    }
    assert found["answer"] == "undecided"
    assert "notes" not in found


def test_a_violation_is_not_accepted(capsys: Capture) -> None:
    """Guards against: a policy that gives the key away behind an acceptance of last year."""
    for name in ("text", "json", "sarif", "junit", "markdown", "github"):
        code, out = told(capsys, "prove", "fails.json", *accepting("c"), "--format", name)
        assert code == 1
        assert "accepts" in out, name
        assert REASON not in out, name


def test_an_acceptance_that_nothing_needs_is_told(capsys: Capture) -> None:
    """Guards against: an acceptance that nobody takes out."""
    code, out = told(capsys, "prove", "holds.json", *accepting("c"))
    assert code == 0
    assert "Note: (c) is decided. --accept-undecided c is not needed: remove the option." in out
    assert json.loads(told(capsys, "prove", "holds.json", *accepting("c"), "--json")[1])["notes"]


def test_a_diagnosis_is_written_in_each_format(folder: Path, capsys: Capture) -> None:
    """Guards against: a fault whose remedy a format leaves out."""
    wrong = put(healthy(), "keys/0/state", "Disabled")
    (folder / "d.json").write_text(json.dumps(wrong), encoding="utf-8")
    found = json.loads(told(capsys, "diagnose", "d.json", "--json")[1])
    (fault,) = found["faults"]
    for name in ("text", "sarif", "junit", "markdown", "github"):
        code, out = told(capsys, "diagnose", "d.json", "--format", name)
        assert code == 1
        assert fault["remedy"].split()[-1].rstrip(".") in out, name
    stateless = put(healthy(), "keys/0/state", ...)
    (folder / "s.json").write_text(json.dumps(stateless), encoding="utf-8")
    assert told(capsys, "diagnose", "s.json")[0] == 8
    for name in ("text", "json", "sarif", "junit", "markdown", "github"):
        code, out = told(capsys, "diagnose", "s.json", *accepting("state"), "--format", name)
        assert code == 0, name
        assert REASON in out, name


def test_what_an_error_text_means_is_a_failure_in_each_format(capsys: Capture) -> None:
    """Guards against: an explained refusal that a format shows as passed."""
    text = "arn:aws:kms:eu-west-1:111122223333:key/1 is disabled."
    for name, mark in (("junit", "<failure"), ("markdown", "❌"), ("github", "::error ")):
        code, out = told(capsys, "diagnose", "--error", text, "--format", name)
        assert code == 1
        assert mark in out
        assert "Remedy" in out or "remedy" in out


def test_findings_are_shown_at_the_call_of_the_module(folder: Path) -> None:
    """Guards against: an annotation at line 1, which no reviewer of a change sees."""
    (folder / ".git").mkdir()
    root = folder / "root"
    root.mkdir()
    (root / "main.tf").write_text("# nothing\n", encoding="utf-8")
    (root / "ekm.tf").write_text('\n\nmodule "other" {\n}\nmodule  "ekm" {\n', encoding="utf-8")
    assert shown_at(("-",), "root", 'module.ekm["prod"]', None) == ("root/ekm.tf", 5)
    assert shown_at((None,), "root", "module.gone", None) == ("root/main.tf", 1)
    assert shown_at(("holds.json",), None, "module.ekm", None) == ("holds.json", 1)
    assert shown_at(("-",), "root", "module.ekm", "x.tf") == ("x.tf", 1)
