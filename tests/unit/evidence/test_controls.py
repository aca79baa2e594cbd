"""The table of controls: every row is whole, and none promises what a pack cannot show."""

from __future__ import annotations

import re
from dataclasses import asdict, fields

from openai_ekm.evidence.controls import FRAMEWORKS, read_controls
from openai_ekm.evidence.pack import Pack
from openai_ekm.proof.result import TITLES


def test_every_row_says_what_is_supported_what_is_not_and_what_a_person_does() -> None:
    """Guards against: a row that reads as if the pack alone met a control."""
    rows = read_controls()
    assert {row.framework for row in rows} == FRAMEWORKS
    for row in rows:
        for text in (row.title, row.supports, row.does_not_show, row.person):
            assert text.strip() == text != "", row.id


def test_no_row_says_compliant() -> None:
    """Guards against: a word that only an auditor may say."""
    for row in read_controls():
        assert "complian" not in str(asdict(row)).lower(), row.id


def test_no_row_says_with_which_result_its_members_show_something() -> None:
    """Guards against: "nobody else may use the key" in a pack whose proof shows who may.

    The rows are the same in every pack.
    """
    asked = re.compile(r"\b(?:whether|who|what|which|when|where|how)\b", re.IGNORECASE)
    for row in read_controls():
        assert asked.search(row.supports), row.id
        assert not re.match(r"(?:OpenAI|The role|Nobody) (?!is\b)", row.supports), row.id


def test_rows_name_members_and_claims_that_there_are() -> None:
    """Guards against: a row that leads a reader to a member that no pack has."""
    attributes = {field.name for field in fields(Pack)}
    for row in read_controls():
        assert row.members, row.id
        assert set(row.members) <= attributes, row.id
        assert set(row.claims) <= set(TITLES), row.id


def test_a_control_stands_once() -> None:
    """Guards against: two rows of one control that say different things."""
    names = [(row.framework, row.id) for row in read_controls()]
    assert len(set(names)) == len(names)
