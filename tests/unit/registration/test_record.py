"""The record: what is written is read back, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from openai_ekm.errors import RecordUnreadable
from openai_ekm.registration.record import as_json, parse, serialise, timestamp
from tests.unit.registration.record_samples import RECORD


def test_record_is_read_as_it_was_written() -> None:
    """A member is lost between two runs."""
    assert parse(serialise(RECORD), "x") == RECORD
    assert parse(serialise(RECORD, indent=2), "x") == RECORD


def test_members_are_those_of_the_schema() -> None:
    """The Terraform module reads a member that is not there."""
    assert as_json(RECORD) == {
        "schema": "ekm-record/1",
        "state": "registered",
        "claim": 3,
        "external_key_id": "extkey_1",
        "type": "aws",
        "purpose": "ekm",
        "role_arn": RECORD.intent.role_arn,
        "kms_arn": RECORD.intent.kms_arn,
        "external_id": "org-abc123",
        "name": "prod",
        "base_url": "https://api.openai.com/v1",
        "projects": {"prod": {"id": "proj_1"}},
        "registered_at": "2026-11-24T06:00:00Z",
        "validated_at": "2026-11-24T06:00:01Z",
        "updated_at": "2026-11-24T06:00:02Z",
    }


def changed(**members: Any) -> str:
    """The record's text with members changed; `...` removes one."""
    value = as_json(RECORD)
    for name, member in members.items():
        if member is ...:
            del value[name]
        else:
            value[name] = member
    return json.dumps(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        changed(state="unknown"),
        changed(state=...),
        changed(claim="3"),
        changed(claim=True),
        changed(claim=-1),
        changed(role_arn="arn:aws:iam::1:role/x"),
        changed(kms_arn=...),
        changed(external_id=None),
        changed(name=""),
        changed(base_url=7),
        changed(type="gcp"),
        changed(purpose="psp_decryption"),
        changed(external_key_id=""),
        changed(projects=None),
        changed(projects=["prod"]),
        changed(in_doubt="yes"),
        changed(creating=7),
        changed(projects={"prod": "proj_1"}),
        changed(projects={"prod": {"id": None}}),
        changed(registered_at=5),
        changed(registered_at="yesterday"),
        changed(updated_at="2026-11-24T06:00:00"),
    ],
)
def test_anything_else_is_unreadable(text: str) -> None:
    """A record cut short or edited is taken as it is, and a second key registered."""
    with pytest.raises(RecordUnreadable) as raised:
        parse(text, "ssm:/x/record")
    assert raised.value.id == "record_unreadable"
    assert raised.value.exit_code == 7
    assert "ssm:/x/record" in raised.value.message


@pytest.mark.parametrize("schema", ["ekm-record/2", None, 1])
def test_another_schema_is_unreadable(schema: object) -> None:
    """A record of a later version is read by the rules of this one."""
    with pytest.raises(RecordUnreadable) as raised:
        parse(changed(schema=schema), "x")
    assert raised.value.id == "record_schema_unknown"


def test_what_is_unsettled_is_kept_and_a_record_at_rest_shows_nothing_of_it() -> None:
    """A run that is killed in doubt leaves a record that says that all is well."""
    unsettled = replace(RECORD, in_doubt=True, creating="prod")
    assert parse(serialise(unsettled), "x") == unsettled
    assert not {"in_doubt", "creating"} & json.loads(serialise(RECORD)).keys()


def test_retired_record_has_no_live_id() -> None:
    """A retired registration is asked for again."""
    assert parse(changed(state="retired"), "x").live_id is None
    assert RECORD.live_id == "extkey_1"


def test_times_are_utc() -> None:
    """Two machines write times that cannot be compared."""
    moment = datetime(2026, 11, 24, 7, 0, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert timestamp(moment) == "2026-11-24T06:00:00Z"
    assert timestamp(moment.astimezone(UTC)) == "2026-11-24T06:00:00Z"
