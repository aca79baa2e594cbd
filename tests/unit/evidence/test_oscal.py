"""The OSCAL of a pack: valid against NIST's schema, with the same ids each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.evidence.members import members_of
from openai_ekm.evidence.oscal import OSCAL_VERSION, assessment_plan, assessment_results
from tests.support.evidence_pack import make_pack, member
from tests.support.healthy import KEY_USE, healthy, put

if TYPE_CHECKING:
    from openai_ekm.evidence.pack import Pack

FOLDER = Path(__file__).resolve().parents[2] / "support" / "oscal"


def faults(name: str, document: Any) -> list[str]:
    """What in a document is not of NIST's schema."""
    from jsonschema import Draft7Validator  # noqa: PLC0415 - for these tests alone

    text = (FOLDER / f"oscal_{name}_schema.json").read_text(encoding="utf-8")
    # Python's patterns have no classes of Unicode by property.
    schema = json.loads(text.replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d"))
    assert f"/{OSCAL_VERSION}/" in schema["$id"]
    return [
        f"{each.json_path}: {each.message[:200]}"
        for each in Draft7Validator(schema).iter_errors(document)
    ]


@pytest.mark.parametrize(
    "snapshot",
    [
        healthy(),
        put(healthy(), f"{KEY_USE}/Condition", ...),
        put(healthy(), "grants", ...),
        put(healthy(), f"{KEY_USE}/Sid", "\n# <b>*_`\u202e` \x1b[31m"),
    ],
    ids=["holds", "fails", "undecided", "hostile"],
)
def test_it_is_valid_against_the_schema_of_nist(snapshot: dict[str, Any]) -> None:
    """Guards against: OSCAL that no tool of an auditor reads; a claim of each answer."""
    files = members_of(make_pack(snapshot))
    assert faults("ap", member(files, "oscal/assessment-plan.json")) == []
    assert faults("ar", member(files, "oscal/assessment-results.json")) == []


def test_findings_are_about_claims_and_never_about_controls() -> None:
    """Guards against: a document that says that a control is satisfied."""
    files = members_of(make_pack(put(healthy(), f"{KEY_USE}/Condition", ...)))
    result = member(files, "oscal/assessment-results.json")["assessment-results"]["results"][0]
    states = {
        each["target"]["target-id"]: each["target"]["status"]["state"]
        for each in result["findings"]
    }
    assert set(states) == {f"ekm-claim-{letter}" for letter in "abcdef"}
    assert states["ekm-claim-a"] == "satisfied"
    assert states["ekm-claim-c"] == "not-satisfied"
    assert {each["target"]["type"] for each in result["findings"]} == {"objective-id"}


def ids_of(pack: Pack) -> set[str]:
    """Every UUID of the OSCAL of a pack."""
    text = json.dumps([assessment_plan(pack), assessment_results(pack)])
    return set(re.findall(r'"uuid": "([^"]+)"', text))


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in ("validation", "usage", "drift", "rotation", "audit_events")),
        *({name: ()} for name in ("documents", "decisions", "drills", "not_seen")),
        {"diagnosis": {}},
        {"redacted": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_packs_that_differ_in_a_member_share_no_id(change: dict[str, Any]) -> None:
    """Guards against: two results of one UUID, of which a tool of an auditor keeps one."""
    pack = make_pack()
    assert len(ids_of(pack)) > 10
    assert ids_of(pack) == ids_of(make_pack())
    assert ids_of(pack) & ids_of(replace(pack, **change)) == set()


def test_every_reference_leads_somewhere() -> None:
    """Guards against: an observation or a plan that a finding names and that is not there."""
    files = members_of(make_pack())
    plan = member(files, "oscal/assessment-plan.json")["assessment-plan"]
    results = member(files, "oscal/assessment-results.json")["assessment-results"]
    assert f"oscal/{results['import-ap']['href']}" in files
    resources = {each["uuid"] for each in plan["back-matter"]["resources"]}
    assert plan["import-ssp"]["href"].removeprefix("#") in resources
    result = results["results"][0]
    observed = {each["uuid"] for each in result["observations"]}
    for finding in result["findings"]:
        for each in finding["related-observations"]:
            assert each["observation-uuid"] in observed
    for each in result["observations"]:
        path = each["relevant-evidence"][0]["href"].removeprefix("../")
        assert path in files or any(name.startswith(path) for name in files)
