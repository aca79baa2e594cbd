"""Where record, OpenAI and AWS differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.registration.handoff import handoff_lines
from openai_ekm.registration.record import Record, State
from openai_ekm.registration.status import KeyState, judge
from tests.unit.registration.record_samples import RECORD

KEY = ExternalKey(
    id="extkey_1",
    type="aws",
    name="prod",
    role_arn=RECORD.intent.role_arn,
    kms_arn=RECORD.intent.kms_arn,
    external_id="org-abc123",
    api_project_ids=("proj_1",),
)
PROJECTS = (Project("proj_1", "prod", "extkey_1"),)
ENABLED = KeyState("Enabled", RECORD.intent.kms_arn)


def test_nothing_differs() -> None:
    """A set-up that is well is reported as broken."""
    status = judge("file:x", RECORD, KEY, PROJECTS, ENABLED)
    assert status.differences == ()
    shown = status.as_json()
    assert shown["holds"] is True
    assert shown["registration"]["projects"] == [{"id": "proj_1", "name": "prod"}]


@pytest.mark.parametrize(
    ("record", "key", "state", "words"),
    [
        (None, None, None, "no record"),
        (RECORD, None, ENABLED, "OpenAI has no such registration"),
        (RECORD, replace(KEY, kms_arn="x"), ENABLED, "kms_arn: the record has"),
        (RECORD, replace(KEY, api_project_ids=()), ENABLED, "is not active"),
        (RECORD, replace(KEY, api_project_ids=("proj_1", "proj_2")), ENABLED, "not in the record"),
        (RECORD, KEY, KeyState("Disabled"), "is Disabled, not Enabled"),
        (RECORD, KEY, KeyState("NotFound"), "is NotFound"),
        (replace(RECORD, state=State.REGISTERING), KEY, ENABLED, "run it again"),
        (replace(RECORD, state=State.RETIRED), KEY, ENABLED, "says retired"),
    ],
)
def test_each_difference_is_said(
    record: Record | None, key: ExternalKey | None, state: KeyState | None, words: str
) -> None:
    """Something is wrong, and status says that all is well."""
    status = judge("file:x", record, key, PROJECTS, state)
    assert any(words in difference for difference in status.differences), status.differences
    assert status.as_json()["holds"] is False


def test_key_that_was_not_looked_at_is_not_judged() -> None:
    """A state that nobody asked for is taken as bad, or as good."""
    status = judge("file:x", RECORD, KEY, PROJECTS, None)
    assert status.differences == ()
    assert status.as_json()["key"] is None


def test_handoff_has_exactly_the_two_arns() -> None:
    """The message to OpenAI lacks an ARN, or gives away more than is needed."""
    text = " ".join(handoff_lines(RECORD.intent.role_arn, RECORD.intent.kms_arn))
    assert RECORD.intent.role_arn in text
    assert RECORD.intent.kms_arn in text
    assert "org-" not in text
