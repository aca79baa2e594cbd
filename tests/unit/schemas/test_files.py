"""The files of schemas: each is a schema, and says of each member what it is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from openai_ekm import schemas
from openai_ekm.cli.main import ekm, run
from openai_ekm.drift.baseline import SCHEMA as BASELINE
from openai_ekm.drift.report import SCHEMA as DRIFT
from openai_ekm.drill.note import SCHEMA as NOTE
from openai_ekm.drill.plan_text import SCHEMA as DRILL_PLAN
from openai_ekm.drill.report import SCHEMA as DRILL
from openai_ekm.fleet.manifest import SCHEMA as FLEET
from openai_ekm.registration.record import SCHEMA as RECORD
from openai_ekm.snapshot.snapshot import SCHEMA as SNAPSHOT
from tests.support.healthy import healthy
from tests.support.schemas import closed, faults_of, open_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = schemas.names()
FOLDER = Path(schemas.__file__).parent


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all that are in it."""
    if isinstance(schema, list):
        for each in schema:
            yield from parts(each)
    if isinstance(schema, dict):
        yield schema
        for each in schema.values():
            yield from parts(each)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_a_schema_under_its_name(name: str) -> None:
    """Guards against: a file that validators refuse, or that another file cannot refer to."""
    schema = schemas.read(name)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator.check_schema(schemas.bundled(name))
    assert schema["$id"] == f"{schemas.ID_PREFIX}{name}"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    assert (FOLDER / f"{name}.schema.json").read_text() == text


@pytest.mark.parametrize("name", NAMES)
def test_each_member_says_what_it_is(name: str) -> None:
    """Guards against: a member without a word, or with one that is no sentence."""
    schema = schemas.read(name)
    assert schema["title"]
    assert schema["description"].endswith(".")
    for part in parts(schema):
        for member, told in part.get("properties", {}).items():
            if part.get("type") in ("object", ["object", "null"]):
                assert "description" in told or "$ref" in told, member
        description = part.get("description")
        if isinstance(description, str):
            assert re.fullmatch(r"[A-Za-z].*\.", description), description


@pytest.mark.parametrize("name", NAMES)
def test_each_reference_leads_somewhere(name: str) -> None:
    """Guards against: a schema that fails when a document reaches a part of it."""
    whole = schemas.bundled(name)
    resources = {whole["$id"]: whole}
    resources |= {each["$id"]: each for each in whole.get("$defs", {}).values() if "$id" in each}
    for identifier, resource in resources.items():
        own = {
            **resource,
            "$defs": {k: v for k, v in resource.get("$defs", {}).items() if "$id" not in v},
        }
        for part in parts(own):
            if isinstance(target := part.get("$ref"), str):
                place, _, pointer = target.partition("#")
                found = resources[place or identifier]
                if pointer:
                    assert pointer.removeprefix("/$defs/") in found["$defs"], target


@pytest.mark.parametrize(
    "schema", [SNAPSHOT, FLEET, DRIFT, BASELINE, DRILL, DRILL_PLAN, NOTE, RECORD]
)
def test_each_format_with_a_version_has_a_schema(schema: str) -> None:
    """Guards against: a new version of a format, published under the schema of the old one."""
    name = schema.partition("/")[0]
    assert schemas.read(name)["properties"]["schema"]["const"] == schema


def test_what_ekm_prints_is_open_and_what_it_reads_is_closed() -> None:
    """Guards against: a consumer that refuses the next version, and a typo that ekm accepts."""
    refusing = {
        name
        for name in NAMES
        if any(part.get("additionalProperties") is False for part in parts(schemas.read(name)))
    }
    assert refusing == {
        *("decision-case", "ekm-drift-baseline", "ekm-evidence", "ekm-fleet", "ekm-snapshot")
    }


def test_the_suite_notices_a_new_member_anywhere() -> None:
    """Guards against: a check of the suite that is as open as the schema."""
    body = {"schema": SNAPSHOT, **healthy()}
    assert not faults_of("ekm-snapshot", body)
    added = {**body, "customer": {"account": "111122223333", "region": "eu-west-1"}}
    assert not list(open_validator("ekm-snapshot").iter_errors(added))
    (fault,) = faults_of("ekm-snapshot", added)
    assert "'region' was unexpected" in fault
    for name in NAMES:
        for part in parts(closed(schemas.read(name))):
            if "properties" in part and "type" in part:
                assert "additionalProperties" in part


def test_ekm_schema_lists_and_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Guards against: a schema that a user without the repository cannot get."""
    assert run(ekm, "ekm", ["schema"]) == 0
    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert listed == {*NAMES} - {"common"}
    assert run(ekm, "ekm", ["schema", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schemas"].keys() == listed
    for name in ("instances", "ekm-fleet/1"):
        assert run(ekm, "ekm", ["schema", name]) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed == schemas.bundled(name.partition("/")[0])
    for name in ("common", "ekm-fleet/2", "prove/1", "../prove", "diagnos"):
        assert run(ekm, "ekm", ["schema", name, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]["id"] == "schema_unknown"


def test_a_printed_schema_needs_no_other_file() -> None:
    """Guards against: a schema that no validator can use by itself."""
    answer: Any = {"exit_code": 3, "error": {"id": "x"}}
    document: Any = {"instances": {"a": answer}}
    errors = list(open_validator("instances").iter_errors(document))
    assert errors  # the part of another file was found, and refuses
