"""Each kind of drift at OpenAI, and a near miss of each."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from openai_ekm.drift.compare_openai import Exceptions
from openai_ekm.drift.difference import State
from openai_ekm.openai_api.objects import Project
from openai_ekm.registration.record import State as Stage
from tests.constants import KEY, ROLE
from tests.unit.drift.sample import ALIAS, drift_of, intended, key, only, record, registered, told

OTHER_KEY = KEY.replace("1111", "9999")
CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "the registration is gone": ({"key": None}, ["registration"]),
    "it has another role": ({"key": key(role_arn=f"{ROLE}-2")}, ["registration"]),
    "it has another external id": ({"key": key(external_id="org-other")}, ["registration"]),
    "the answer leaves the external id out": ({"key": key(external_id=None)}, []),
    "there is no record": ({"record": None, "key": None}, ["record"]),
    "the record was begun": ({"record": record(state=Stage.REGISTERING)}, ["record"]),
    "a second registration of the same": (
        {"listed": (key(), key(id="extkey_2", api_project_ids=()))},
        ["duplicates"],
    ),
    "another registration of the key": (
        {"listed": (key(), key(id="extkey_2", name="x", role_arn=f"{ROLE}-2"))},
        ["duplicates"],
    ),
    "another registration of another role and key": (
        {"listed": (key(), key(id="extkey_2", role_arn=f"{ROLE}-2", kms_arn=OTHER_KEY))},
        [],
    ),
    "a second registration under another name": (
        {"listed": (key(), key(id="extkey_2", name="x"))},
        ["duplicates"],
    ),
    "a second registration without a name": (
        {"listed": (key(), key(id="extkey_2", name=None))},
        ["duplicates"],
    ),
    "a second registration for another purpose": (
        {"listed": (key(), key(id="extkey_2", purpose="other"))},
        ["duplicates"],
    ),
    "a second registration of another type": (
        {"listed": (key(), key(id="extkey_2", type="other"))},
        ["duplicates"],
    ),
    "a second registration, and the record's is gone": (
        {"key": None, "listed": (key(id="extkey_2"),)},
        ["registration", "duplicates"],
    ),
    "another registration, and there is no record": (
        {"record": None, "key": None, "listed": (key(), key(id="extkey_2", name="x"))},
        ["record", "duplicates"],
    ),
    "another registration of the key by its alias": (
        {"listed": (key(), key(id="extkey_2", role_arn=f"{ROLE}-2", kms_arn=ALIAS))},
        ["duplicates"],
    ),
    "another registration of another key by an alias": (
        {"listed": (key(), key(id="extkey_2", role_arn=f"{ROLE}-2", kms_arn=f"{ALIAS}-2"))},
        [],
    ),
    "a project is not active": (
        {"key": key(api_project_ids=()), "fates": MappingProxyType({"proj_1": "archived"})},
        ["projects"],
    ),
    "a project more": ({"key": key(api_project_ids=("proj_1", "proj_2"))}, ["projects"]),
    "a workspace": ({"key": key(workspace_id="ws_1")}, ["workspace"]),
    "another organization": ({"organization": "org-other"}, ["organization"]),
    "a name in place of the id": ({"organization": "Example"}, []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_is_drift_and_its_near_miss_is_none(name: str) -> None:
    """Guards against: a change at OpenAI that nobody hears of, or an alarm for none."""
    members, checks = CHANGES[name]
    assert told(drift_of(openai=registered(**members))) == checks


@pytest.mark.parametrize(
    ("fate", "said"),
    [("archived", "archived"), ("elsewhere", "without this key"), ("missing", "no such project")],
)
def test_a_project_that_is_not_active_tells_its_fate(fate: str, said: str) -> None:
    """Guards against: a project that is archived for good, looked for in vain."""
    found = registered(key=key(api_project_ids=()), fates={"proj_1": fate})
    assert said in only(drift_of(openai=found)).message


def test_with_another_organization_nothing_else_is_said_of_openai() -> None:
    """Guards against: an alarm that the registration is gone, by another organization's key."""
    drift = drift_of(openai=registered(key=None, organization="org-other"))
    assert told(drift) == ["organization"]
    undecided = told(drift, State.UNDECIDED)
    assert undecided == ["registration", "duplicates", "projects", "workspace"]


def test_an_organization_that_no_answer_names_is_undecided() -> None:
    """Guards against: an admin key of anybody's organization that passes for the right one."""
    drift = drift_of(openai=registered(organization=None))
    assert only(drift).state is State.UNDECIDED
    assert only(drift).check == "organization"
    by_name = drift_of(openai=registered(organization="Example"))
    assert by_name.differences == ()
    assert any("'Example'" in each for each in by_name.notes)
    assert drift_of(openai=registered(organization="Example"), sides=("aws",)).notes == ()
    unknown = record(organization="Example")
    assert drift_of(openai=registered(record=unknown, organization=None)).differences == ()


def test_a_further_alias_of_the_key_names_it_too() -> None:
    """Guards against: a second registration by an alias that somebody made by hand."""
    further = f"{ALIAS}-2"
    listed = (key(), key(id="extkey_2", role_arn=f"{ROLE}-2", kms_arn=further))
    drift = drift_of(
        lambda body: body["aliases"].append({"arn": further, "target": KEY}),
        openai=registered(listed=listed),
    )
    assert told(drift) == ["duplicates"]


def test_openai_that_was_not_asked_is_undecided() -> None:
    """Guards against: a run without an admin key that passes for one without drift."""
    drift = drift_of(openai=registered(unasked="there is no admin key"))
    assert told(drift) == []
    assert told(drift, State.UNDECIDED) == [
        *("organization", "record", "registration", "duplicates", "projects", "workspace")
    ]


PROJECTS = (
    Project("proj_1", "chat", None),
    Project("proj_2", "sandbox", None),
    Project("proj_3", "other", "extkey_9"),
)


@pytest.mark.parametrize(
    ("exceptions", "found"),
    [
        (Exceptions(require_key=False), []),
        (Exceptions(require_key=True), ["proj_2"]),
        (Exceptions(require_key=True, names=("sandbox",)), []),
        (Exceptions(require_key=True, names=("proj_2",)), []),
        (Exceptions(require_key=True, names=("chat",)), ["proj_2"]),
    ],
)
def test_an_active_project_without_a_key_is_drift_where_it_is_asked(
    exceptions: Exceptions, found: list[str]
) -> None:
    """Guards against: a project outside the key, and one that is under it by the key's list."""
    drift = drift_of(openai=registered(projects=PROJECTS), exceptions=exceptions)
    assert [each.subject for each in drift.of("project_keys")] == found
    assert ("project_keys" in drift.checks) == exceptions.require_key


def test_the_record_is_compared_with_what_was_meant() -> None:
    """Guards against: a registration of the role or key that the configuration had before."""
    body = intended().snapshot.as_json()
    body["registration"]["external_id"] = "org-new"
    assert told(drift_of(meant=intended(body))) == ["record"]


def test_a_workspace_s_key_needs_no_record() -> None:
    """Guards against: an alarm for ChatGPT Enterprise, which has no record."""
    meant = intended(registers=False)
    none = {"record": None, "key": None, "projects": ()}
    bound = registered(**none, listed=(key(workspace_id="ws_1"),))
    assert drift_of(meant=meant, openai=bound).differences == ()
    unseen = drift_of(meant=meant, openai=registered(**none, listed=()))
    assert told(unseen, State.UNDECIDED) == ["workspace"]
    of_api = drift_of(meant=meant, openai=registered(**none, listed=(key(),)))
    assert told(of_api) == ["record"]
