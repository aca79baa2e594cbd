"""SARIF of any report: warnings, acceptances, hostile text. tests/unit/proof has the proof's."""

from __future__ import annotations

import json

import jsonschema
import pytest

from openai_ekm.printable import json_text
from openai_ekm.reports import as_sarif
from tests.support.sarif_rules import CODE_SCANNING, SARIF
from tests.unit.reports.samples import OPEN, RULE, WARNING, every_state, hostile


def test_each_state_is_a_result_of_its_rule() -> None:
    """Guards against: an accepted claim that vanishes, or a warning that blocks a merge."""
    (run,) = as_sarif([every_state()])["runs"]
    seen = [(each["ruleId"], each["kind"], each["level"]) for each in run["results"]]
    assert seen == [
        (RULE.id, "fail", "error"),
        (OPEN.id, "open", "none"),
        (OPEN.id, "open", "none"),
        (WARNING.id, "fail", "warning"),
    ]
    assert [each.get("suppressions") for each in run["results"]] == [
        None,
        None,
        [{"kind": "external", "status": "accepted", "justification": "the owner proves it"}],
        None,
    ]
    assert all(
        "Remedy: Remove the statement." in each["message"]["text"] for each in run["results"]
    )
    notices = [each["message"]["text"] for each in run["invocations"][0][NOTICES]]
    assert [each for each in notices if "Accepted: the owner proves it" in each]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["endLine"]) == (7, 7)


NOTICES = "toolExecutionNotifications"


@pytest.mark.parametrize("text", ['"}', "a b?#%", "\u202e\x00\ud800", "x\ny", "[a](b)"])
def test_a_log_with_hostile_text_is_as_the_schema_asks(text: str) -> None:
    """Guards against: an upload that code scanning refuses."""
    written = json_text(as_sarif([hostile(text), every_state()]), indent=2)
    assert all(each.isprintable() or each == "\n" for each in written)
    log = json.loads(written)
    for schema in (SARIF, CODE_SCANNING):
        jsonschema.Draft7Validator(
            schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
        ).validate(log)
