"""Which registration and which project is the one that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from openai_ekm.errors import Conflict
from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.registration import matching
from openai_ekm.registration.intent import Intent

INTENT = Intent(
    role_arn="arn:aws:iam::111122223333:role/openai-ekm",
    kms_arn="arn:aws:kms:eu-west-1:111122223333:alias/openai-ekm",
    external_id="org-abc123",
    name="prod",
)
KEY = ExternalKey(
    id="extkey_1",
    type="aws",
    purpose="ekm",
    name="prod",
    role_arn=INTENT.role_arn,
    kms_arn=INTENT.kms_arn,
    external_id="org-abc123",
)


@pytest.mark.parametrize(
    "change",
    [{}, {"external_id": None}, {"purpose": None}, {"type": None}, {"api_project_ids": ("p",)}],
)
def test_matches(change: dict[str, Any]) -> None:
    """A registration whose answer left a member out is registered a second time."""
    assert matching.matches(INTENT, replace(KEY, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"type": "gcp"},
        {"purpose": "psp_decryption"},
        {"name": "other"},
        {"name": None},
        {"role_arn": INTENT.role_arn + "x"},
        {"role_arn": None},
        {"kms_arn": INTENT.kms_arn + "x"},
        {"kms_arn": None},
        {"external_id": "org-other"},
        {"workspace_id": "ws_1"},
    ],
)
def test_does_not_match(change: dict[str, Any]) -> None:
    """Somebody else's registration is adopted."""
    assert not matching.matches(INTENT, replace(KEY, **change))
    assert matching.choose_key(INTENT, [replace(KEY, **change)]) is None


def test_several_matches_are_named_and_left_to_a_person() -> None:
    """One of two registrations is picked by chance, and the other holds the data."""
    keys = [KEY, replace(KEY, id="extkey_2", api_project_ids=("p",)), replace(KEY, name="x")]
    with pytest.raises(Conflict) as raised:
        matching.choose_key(INTENT, keys)
    assert raised.value.id == "several_matches"
    assert "extkey_1" in raised.value.message
    assert "extkey_2 (1 project" in raised.value.message
    assert "--external-key" in (raised.value.remedy or "")


def test_lookalikes_are_told() -> None:
    """A registration of the same key under another name goes unnoticed."""
    keys = [KEY, replace(KEY, id="extkey_2", name="x"), replace(KEY, id="extkey_3", kms_arn="y")]
    assert [key.id for key in matching.lookalikes(INTENT, keys)] == ["extkey_2"]


PROJECT = Project("proj_1", "prod", "extkey_1")


@pytest.mark.parametrize(
    "project",
    [
        replace(PROJECT, name="other"),
        replace(PROJECT, external_key_id="extkey_2"),
        replace(PROJECT, external_key_id=None),
        replace(PROJECT, archived=True),
    ],
)
def test_project_of_another_key_name_or_state_is_not_adopted(project: Project) -> None:
    """A project that is not encrypted under this key is recorded as if it were."""
    assert matching.choose_project("prod", "extkey_1", [project], None) is None


def test_project_is_adopted_by_key_and_name() -> None:
    """A project whose answer was lost is made a second time."""
    assert matching.choose_project("prod", "extkey_1", [PROJECT], None) == PROJECT


def test_several_projects_of_a_name_need_the_record() -> None:
    """One of two projects is picked by chance."""
    two = [PROJECT, replace(PROJECT, id="proj_2")]
    assert matching.choose_project("prod", "extkey_1", two, "proj_2") == two[1]
    with pytest.raises(Conflict) as raised:
        matching.choose_project("prod", "extkey_1", two, None)
    assert raised.value.id == "several_projects"
    assert "proj_1, proj_2" in raised.value.message


@pytest.mark.parametrize(
    ("recorded", "active", "fresh", "needed"),
    [
        ({}, {"p1"}, True, False),
        ({}, set(), False, False),
        ({}, {"p1"}, False, True),
        ({"other": "p1"}, {"p1"}, False, False),
        ({"prod": "p1"}, set(), False, True),
        ({"other": "p1"}, {"p1", "p2"}, False, True),
    ],
)
def test_projects_are_listed_only_where_nothing_else_settles_it(
    recorded: dict[str, str], active: set[str], fresh: bool, needed: bool
) -> None:
    """A call is wasted on every run, or a project made twice."""
    assert matching.needs_listing("prod", recorded, frozenset(active), fresh=fresh) is needed
