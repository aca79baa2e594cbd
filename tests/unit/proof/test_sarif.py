"""The SARIF log: what the schema and code scanning ask of it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from proof_sample import DELEGATE_ALL, TRUST, document, proven, snapshot
from sarif_rules import CODE_SCANNING, SARIF

from ekm.cli.main import ekm, run
from ekm.proof.sarif import as_sarif

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


@pytest.mark.parametrize("found", [snapshot(), _open(), _unanswered()])
def test_a_log_is_as_the_schema_and_code_scanning_ask(found: Json) -> None:
    """Code scanning refuses the upload, or shows an alert without its rule or place."""
    log = as_sarif(proven(found), "folder/snapshot.json")
    for schema in (SARIF, CODE_SCANNING):
        checker = jsonschema.Draft7Validator.FORMAT_CHECKER
        jsonschema.Draft7Validator(schema, format_checker=checker).validate(log)
    (told,) = log["runs"]
    rules = told["tool"]["driver"]["rules"]
    assert [each["id"] for each in rules] == list("abcdef")
    assert len({each["shortDescription"]["text"] for each in rules}) == len(rules)
    failing = [each.id for each in proven(found).claims if not each.holds]
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
    log: Json = as_sarif(proven(_open()), "snapshot.json")
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


def test_two_snapshots_of_a_commit_do_not_replace_one_another() -> None:
    """Code scanning keeps the alerts of the key that was uploaded last."""
    one, other = (
        as_sarif(proven(snapshot()), name)["runs"][0]["automationDetails"]["id"]
        for name in ("keys/a.json", "keys/b.json")
    )
    assert (one, other) == ("ekm-prove/keys/a.json/", "ekm-prove/keys/b.json/")


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
    capsys.readouterr()
