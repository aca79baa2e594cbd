"""JUnit XML: what CI servers count."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from openai_ekm.reports import as_junit
from tests.unit.reports.samples import every_state, hostile, report


def test_each_state_is_what_a_ci_server_counts() -> None:
    """Guards against: an undecided claim that counts as passed."""
    root = ET.fromstring(as_junit([every_state()]))
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6",
        "failures": "1",
        "errors": "1",
        "skipped": "2",
    }
    children = {case.get("name", "")[1]: [each.tag for each in case] for case in suite}
    assert children == {
        "a": [],
        "b": ["failure"],
        "c": ["error"],
        "d": ["skipped"],
        "e": ["system-out"],
        "f": ["skipped"],
    }
    texts = {case.get("name", "")[1]: "".join(case.itertext()) for case in suite}
    assert all("remedy: Remove the statement" in texts[name] for name in "bcdef")
    (skipped,) = suite[3]
    assert skipped.get("message") == "undecided and accepted: the owner proves it"
    assert root.get("failures") == "1"


@pytest.mark.parametrize(
    "text",
    ['"/><failure>', "]]></failure>", "&#10;&evil;", "x\x00\x08\ufffe\ud800", "a\nb\rc", "<!--"],
)
def test_a_value_forges_no_element(text: str) -> None:
    """Guards against: a Sid that closes its test case, or makes the document unreadable."""
    root = ET.fromstring(as_junit([hostile(text)]))
    assert [each.tag for each in root.iter()] == [
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "testcase",
        "skipped",
        "system-out",
    ]


def test_each_report_is_a_suite_of_its_own() -> None:
    """Guards against: two instances whose claims replace one another."""
    reports = [
        report(*every_state().findings, subject="module.red"),
        report(*every_state().findings, subject="module.blue"),
    ]
    root = ET.fromstring(as_junit(reports))
    assert [suite.get("name") for suite in root] == [
        "ekm prove module.red",
        "ekm prove module.blue",
    ]
    names = {(case.get("classname"), case.get("name")) for case in root.iter("testcase")}
    assert len(names) == 12
