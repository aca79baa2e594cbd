"""Drift in every format: what is said, what an exit code is, and text of strangers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_ekm.drift.report import as_json, report_of
from openai_ekm.printable import json_text
from openai_ekm.reports import as_github, as_junit, as_markdown, as_sarif, exit_code
from tests.support.schemas import faults_of
from tests.unit.drift.sample import drift_of, key, registered
from tests.unit.drift.test_baseline import accepted
from tests.unit.drift.test_compare_aws import GRANT, grants
from tests.unit.drift.test_compare_policies import by_hand, key_policy

Json = Any
HOSTILE = "x\u202e\x1b[31m|`<b>\n::error::@all"


def unseen(body: Json) -> None:
    """Leave the grants out."""
    body.pop("grants")


def test_the_answer_is_the_exit_code() -> None:
    """Guards against: a pipeline that goes on where something drifts or was not seen."""
    for drift, answer, code in (
        (drift_of(), "same", 0),
        (drift_of(grants(GRANT)), "drift", 1),
        (drift_of(unseen), "undecided", 8),
        (drift_of(unseen, undecided={"grants": "no grants"}), "same", 0),
        (drift_of(grants(GRANT), entries=accepted(drift_of(grants(GRANT)))), "same", 0),
    ):
        assert as_json(drift)["answer"] == answer
        assert faults_of("ekm-drift", as_json(drift)) == []
        assert exit_code([report_of(drift)]) == code


def test_drift_is_never_accepted_as_undecided() -> None:
    """Guards against: an option for what was not seen that silences what was."""
    drift = drift_of(grants(GRANT), undecided={"grants": "no grants"})
    assert exit_code([report_of(drift)]) == 1
    assert any("not needed" in each for each in as_json(drift)["notes"])


def test_each_format_says_what_differs_and_what_is_accepted_and_why() -> None:
    """Guards against: a format that leaves a difference out, or accepts one in silence."""
    entries = accepted(drift_of(grants(GRANT)))

    def change(body: Json) -> None:
        grants(GRANT)(body)
        by_hand(body)
        key_policy(body)[0]["Sid"] = "Other"

    reports = [report_of(drift_of(change, entries=entries))]
    for text in (
        json.dumps(as_sarif(reports)),
        as_junit(reports),
        as_markdown(reports),
        as_github(reports),
    ):
        assert "kms:Decrypt" in text
        assert "OPS-17" in text
    (log,) = as_sarif(reports)["runs"]
    assert [each["ruleId"] for each in log["results"]] == ["EKM208/drift/key_policy"]
    assert len({each["id"] for each in log["tool"]["driver"]["rules"]}) > 20


@pytest.mark.parametrize("text", [HOSTILE])
def test_text_of_strangers_is_shown_and_does_nothing(text: str) -> None:
    """Guards against: a Sid, a grantee or a project that acts on a terminal or forges a line."""

    def change(body: Json) -> None:
        by_hand(body)
        key_policy(body)[-1]["Sid"] = f"sid{text}"
        grants({**GRANT, "grantee_principal": f"grantee{text}"})(body)

    spoilt = registered(key=key(name=f"name{text}", workspace_id=f"workspace{text}"))
    drift = drift_of(change, openai=spoilt)
    reports = [report_of(drift)]
    for shown in (
        json_text(as_json(drift), indent=1),
        json_text(as_sarif(reports)),
        as_junit(reports),
        as_markdown(reports),
        as_github(reports),
    ):
        assert all(each.isprintable() or each == "\n" for each in shown)
        for each in ("granteex", "namex", "workspacex"):
            assert each in shown
        # SARIF has messages, and no requests with the statements that decide them.
        assert ("sidx" in shown) == ("sarif" not in shown)
    assert not [each for each in as_github(reports).splitlines() if each.startswith("::error::")]
