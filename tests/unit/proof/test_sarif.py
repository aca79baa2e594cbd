"""The SARIF log: what the schema and code scanning ask of it."""

from __future__ import annotations

import copy
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from openai_ekm.cli.main import ekm, run
from openai_ekm.proof import Answer, Judged
from openai_ekm.proof.report import RULES, UNDECIDED, report_of
from openai_ekm.reports import as_sarif
from openai_ekm.snapshot import Snapshot
from tests.support.proof_sample import DELEGATE_ALL, TRUST, document, proven, snapshot
from tests.support.sarif_rules import CODE_SCANNING, SARIF

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any


def _open() -> Json:
    found = snapshot()
    found["keys"][0]["policy"] = document(DELEGATE_ALL)
    return found


def _unanswered() -> Json:
    """Claims that fail without a request: a malformed document, an open point, no role."""
    found = snapshot()
    found["keys"][0]["policy"]["Statement"].append({"Effect": "Allow"})
    loose = {**TRUST, "Condition": {"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/t}"}}}
    found["role"]["trust_policy"] = document(loose)
    return found


def _blind() -> Json:
    """Claims that are undecided beside one that fails."""
    found = _open()
    del found["scps"], found["rcps"], found["role"]["permissions_boundary"], found["grants"]
    return found


def logged(found: Json, source: str = "snapshot.json", instance: str = "") -> Json:
    """The log of one snapshot."""
    judged = Judged(instance, Snapshot.from_json(found), proven(found))
    return as_sarif([report_of(judged, file=source)])


@pytest.mark.parametrize("found", [snapshot(), _open(), _unanswered(), _blind()])
def test_a_log_is_as_the_schema_and_code_scanning_ask(found: Json) -> None:
    """Code scanning refuses the upload, or shows an alert without its rule or place."""
    log = logged(found, "folder/snapshot.json")
    for schema in (SARIF, CODE_SCANNING):
        checker = jsonschema.Draft7Validator.FORMAT_CHECKER
        jsonschema.Draft7Validator(schema, format_checker=checker).validate(log)
    (told,) = log["runs"]
    rules = told["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == [*(rule.id for rule in RULES.values()), UNDECIDED.id]
    assert len({each["shortDescription"]["text"] for each in rules}) == len(rules)
    failing = [
        RULES[each.id].id if each.answer is Answer.FAILS else UNDECIDED.id
        for each in proven(found).claims
        if not each.holds
    ]
    assert [each["ruleId"] for each in told["results"]] == failing
    for each in told["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]


def _objects(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of every object outside property bags and fingerprints."""
    if isinstance(value, dict):
        yield path
        for name, each in value.items():
            if name not in ("properties", "partialFingerprints"):
                yield from _objects(each, (*path, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _objects(each, (*path, index))


def test_the_rules_refuse_what_the_schema_refuses() -> None:
    """The check above passes any log: a misspelt member, one of another type, one left out."""
    log: Json = logged(_blind())
    validator = jsonschema.Draft7Validator(SARIF)
    for path in _objects(log):
        broken = copy.deepcopy(log)
        place = broken
        for step in path:
            place = place[step]
        place["misspelt"] = 1
        assert not validator.is_valid(broken), path
    changes: list[tuple[tuple[Any, ...], Any]] = [
        (("version",), "2.0.0"),
        (("runs", 0, "results", 0, "level"), "critical"),
        (("runs", 0, "results", 0, "kind"), "undecided"),
        (("runs", 0, "invocations", 0, "exitCode"), "8"),
        (("runs", 0, "results", 0, "ruleIndex"), -2),
        (("runs", 0, "results", 0, "message"), "text"),
        (("runs", 0, "results", 0, "partialFingerprints"), {"x": 1}),
        (("runs", 0, "tool", "driver", "rules", 0, "properties", "tags"), ["a", "a"]),
    ]
    for path, value in changes:
        broken = copy.deepcopy(log)
        place = broken
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert not validator.is_valid(broken), path


def test_an_undecided_claim_is_neither_a_failure_nor_a_pass() -> None:
    """Code scanning takes every result for a finding, whatever its kind, and none for a pass."""
    (run_,) = logged(_blind())["runs"]
    rules = {each["id"]: each for each in run_["tool"]["driver"]["rules"]}
    seen = {each["ruleId"]: each for each in run_["results"]}
    assert seen.keys() == {RULES["c"].id, UNDECIDED.id}
    assert (seen[UNDECIDED.id]["kind"], seen[UNDECIDED.id]["level"]) == ("open", "none")
    assert "security-severity" not in rules[UNDECIDED.id]["properties"]
    assert rules[UNDECIDED.id]["defaultConfiguration"]["level"] == "none"
    prints = [each["partialFingerprints"]["ekmClaim/v1"] for each in run_["results"]]
    assert len(set(prints)) == len(prints)
    (told,) = run_["invocations"]
    assert told["exitCode"] == 1
    named = [each["associatedRule"]["id"] for each in told["toolExecutionNotifications"]]
    assert named == [RULES[claim].id for claim in "bde"]
    assert logged(snapshot())["runs"][0]["invocations"][0]["exitCode"] == 0


@pytest.mark.parametrize("what", ["instance", "kms_arn", "role_arn", "external_id"])
def test_two_things_of_a_commit_do_not_replace_one_another(what: str) -> None:
    """Code scanning keeps the alerts of the key that was uploaded last."""
    other = snapshot()
    if what != "instance":
        other["registration"][what] += "9"
    ids = [
        log["runs"][0]["automationDetails"]["id"]
        for log in (logged(snapshot()), logged(other, instance="m" if what == "instance" else ""))
    ]
    assert len(set(ids)) == len(ids)
    assert all(each.startswith("ekm-prove/") and each.endswith("/") for each in ids)


def test_a_file_is_named_relative_to_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code scanning shows the alert at no file: the path is absolute, or no URI."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    file = tmp_path / "a folder" / "snapshot.json"
    file.write_text(json.dumps(_open()), encoding="utf-8")
    for name in (str(file), "a folder/snapshot.json", "./a folder/../a folder/snapshot.json"):
        assert run(ekm, "ekm", ["prove", name, "--sarif", "ekm.sarif"]) == 1
        (told,) = json.loads((tmp_path / "ekm.sarif").read_text(encoding="utf-8"))["runs"]
        (place,) = told["results"][0]["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert uri == "a%20folder/snapshot.json"
    monkeypatch.chdir(tmp_path / "a folder")
    (tmp_path / ".git").mkdir()
    (tmp_path / "a folder" / "main.tf").touch()
    text = file.read_text(encoding="utf-8")
    for words, wanted in (
        (["snapshot.json"], "a%20folder/snapshot.json"),
        (["-"], "a%20folder/main.tf"),
        (["-", "--source", "infrastructure/ekm.tf"], "infrastructure/ekm.tf"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert run(ekm, "ekm", ["prove", *words, "--sarif", "ekm.sarif"]) == 1
        (told,) = json.loads(Path("ekm.sarif").read_text(encoding="utf-8"))["runs"]
        (place,) = told["results"][0]["locations"]
        assert place["physicalLocation"]["artifactLocation"]["uri"] == wanted
    capsys.readouterr()
