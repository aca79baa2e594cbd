"""Audit-log events: what is logged, under which member, and how it is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.emulated import Api


def test_every_change_is_logged_under_a_member_of_its_name(api: Api) -> None:
    """A drill would look for evidence that is not there."""
    key = api.register()
    project = api.make_project(external_key_id=key["id"])
    api.call("POST", f"projects/{project['id']}", {"name": "q"})
    api.call("POST", f"projects/{project['id']}/archive")
    api.call("POST", f"external_keys/{key['id']}/validate")
    api.call("DELETE", f"external_keys/{key['id']}")
    events = api.call("GET", "audit_logs").json()["data"]
    assert [event["type"] for event in reversed(events)] == [
        "external_key.registered",
        "project.created",
        "project.updated",
        "project.archived",
        "external_key.removed",
    ]
    details = {event["type"]: event[event["type"]] for event in events}
    assert details["external_key.registered"] == {"id": key["id"], "data": key}
    assert details["external_key.removed"] == {"id": key["id"]}
    assert details["project.created"]["data"] == {"name": "p", "title": "p"}
    assert details["project.archived"] == {"id": project["id"]}


def test_an_admin_keys_actions_are_booked_on_the_default_project(api: Api) -> None:
    """A client that looks for the new project's id would find nothing at OpenAI."""
    default = api.call("GET", "projects").json()["data"][0]
    api.register()
    event = api.call("GET", "audit_logs").json()["data"][0]
    assert event["project"] == {"id": default["id"], "name": default["name"]}
    assert event["actor"]["type"] == "api_key"
    assert event["actor"]["api_key"]["id"].startswith("key_")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("event_types[]=external_key.removed&event_types[]=external_key.registered", 2),
        ("event_types[]=project.created", 0),
        ("actor_ids[]=user-emulated", 2),
        ("actor_ids[]=user-other", 0),
        ("actor_emails[]=owner@example.com", 2),
        ("actor_emails[]=other@example.com", 0),
        ("project_ids[]=proj_other", 0),
        ("resource_ids[]=extkey_other", 0),
        ("tenant_only=true", 0),
        ("effective_at[gt]=1795000000", 1),
        ("effective_at[gte]=1795000000", 2),
        ("effective_at[lt]=1795000100", 1),
        ("effective_at[lte]=1795000100", 2),
        ("effective_at[gt]=1795000000&effective_at[lt]=1795000100", 0),
    ],
)
def test_filters_narrow(api: Api, query: str, count: int) -> None:
    """A search would show events that nobody asked for, or hide some."""
    key = api.register()
    api.clock.now += 100
    api.call("DELETE", f"external_keys/{key['id']}")
    assert len(api.call("GET", f"audit_logs?{query}").json()["data"]) == count


def test_pages_go_forward_and_back(api: Api) -> None:
    """A client would miss events between two pages."""
    for _ in range(4):
        api.register()
    ids = [event["id"] for event in api.call("GET", "audit_logs").json()["data"]]
    after = api.call("GET", f"audit_logs?limit=2&after={ids[0]}").json()
    assert [event["id"] for event in after["data"]] == ids[1:3]
    assert after["has_more"] is True
    before = api.call("GET", f"audit_logs?limit=2&before={ids[3]}").json()
    assert [event["id"] for event in before["data"]] == ids[1:3]


@pytest.mark.parametrize("cursor", ["after", "before"])
def test_an_unknown_cursor_is_refused_by_its_name(api: Api, cursor: str) -> None:
    """Guards against: a refusal of `before` that blames `after`."""
    api.register()
    body = api.call("GET", f"audit_logs?{cursor}=audit_log-none").json()
    assert body["error"]["param"] == cursor
    assert f"'{cursor}'" in body["error"]["message"]


def test_what_is_logged_and_when_are_settings(api: Api) -> None:
    """What is not public would be one fixed answer."""
    api.set(audit_delay_seconds=30, audit_registered_data="empty")
    api.set(audit_validate_type="external_key.validated")
    key = api.register()
    api.call("POST", f"external_keys/{key['id']}/validate")
    assert api.call("GET", "audit_logs").json()["data"] == []
    api.clock.now += 30
    validated, registered = api.call("GET", "audit_logs").json()["data"]
    assert registered["external_key.registered"] == {"id": key["id"], "data": {}}
    assert validated["type"] == "external_key.validated"


@pytest.mark.parametrize("query", ["effective_at[gt]=now", "limit=0", "tenant_only=maybe"])
def test_a_wrong_query_is_refused(api: Api, query: str) -> None:
    """A client's mistake would be taken for the default."""
    api.register()
    assert api.refused("GET", f"audit_logs?{query}")[0] == 400
