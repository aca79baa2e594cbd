"""Projects on the wire: encryption at creation, no way back from archived, what is a setting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.emulator.errors import ApiError

if TYPE_CHECKING:
    from tests.support.emulated import Api


def test_a_project_answers_the_reference_object(api: Api) -> None:
    """A client would meet another object than OpenAI's."""
    key = api.register()
    made = api.make_project(external_key_id=key["id"], residency="EU_STORAGE_PROCESSING")
    assert made.pop("id").startswith("proj_")
    assert made == {
        "object": "organization.project",
        "name": "p",
        "created_at": 1_795_000_000,
        "archived_at": None,
        "status": "active",
        "external_key_id": key["id"],
        "residency": "EU_STORAGE_PROCESSING",
    }


def test_a_project_can_answer_the_help_articles_object(api: Api) -> None:
    """A client that relies on more than `id` and `external_key_id` would not be found out."""
    api.set(project_shape="article")
    made = api.make_project()
    assert (made["object"], made["title"]) == ("project", "p")
    assert "name" not in made
    assert {"id", "external_key_id", "organization_id", "created"} <= set(made)


def test_the_same_name_makes_two_projects(api: Api) -> None:
    """A client would not learn that create is not idempotent."""
    assert api.make_project()["id"] != api.make_project()["id"]


def test_a_project_needs_a_key_that_is_there_and_for_ekm(api: Api) -> None:
    """A project would be created that nothing encrypts."""
    deleted = api.register()
    api.call("DELETE", f"external_keys/{deleted['id']}")
    psp = api.register(purpose="psp_decryption")
    for key_id, status in (("extkey_none", 404), (deleted["id"], 404), (psp["id"], 400)):
        found, error = api.refused("POST", "projects", {"name": "p", "external_key_id": key_id})
        assert (found, error["param"]) == (status, "external_key_id")
    api.set(unknown_key_status=400)
    body = {"name": "p", "external_key_id": "extkey_none"}
    assert api.refused("POST", "projects", body)[0] == 400
    assert len(api.call("GET", "projects").json()["data"]) == 1


def test_creating_a_project_does_not_check_the_key_unless_told(api: Api) -> None:
    """What is not public would be one fixed answer."""
    key = api.register()
    api.cloud.refusal = ApiError(400, "denied")
    api.make_project(external_key_id=key["id"])
    api.set(project_create_validates=True)
    body = {"name": "p", "external_key_id": key["id"]}
    assert api.refused("POST", "projects", body)[1]["message"] == "denied"


def test_a_key_deleted_meanwhile_encrypts_no_project(api: Api) -> None:
    """A project would be left with a key that nobody has."""
    api.set(project_create_validates=True)
    key = api.register()["id"]
    api.cloud.meanwhile = lambda: api.call("DELETE", f"external_keys/{key}")
    assert api.refused("POST", "projects", {"name": "p", "external_key_id": key})[0] == 404


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "p", "external_key_id": 3}, "external_key_id"),
        ({"name": "p", "geography": "EU", "residency": "GLOBAL"}, "geography"),
        ({"name": "p", "title": "q"}, "title"),
    ],
)
def test_a_wrong_field_is_named(api: Api, body: dict[str, Any], param: str) -> None:
    """A client could not say which of its values was wrong."""
    status, error = api.refused("POST", "projects", body)
    assert (status, error["param"]) == (400, param)


def test_residency_is_open_unless_told(api: Api) -> None:
    """A residency that OpenAI adds later would be refused, or the closed set not testable."""
    assert api.make_project(residency="MARS_STORAGE")["residency"] == "MARS_STORAGE"
    api.set(unknown_residency="refuse")
    body = {"name": "p", "residency": "MARS_STORAGE"}
    assert api.refused("POST", "projects", body)[1]["param"] == "residency"
    key = api.register()
    api.set(region_must_fit_residency=True)
    body = {"name": "p", "residency": "US_STORAGE_PROCESSING", "external_key_id": key["id"]}
    assert api.refused("POST", "projects", body)[1]["param"] == "residency"
    api.make_project(residency="EU_STORAGE_PROCESSING", external_key_id=key["id"])


def test_lists_leave_archived_projects_out_unless_asked(api: Api) -> None:
    """A client would take an archived project for a live one, or never see it."""
    kept, gone = api.make_project()["id"], api.make_project()["id"]
    api.call("POST", f"projects/{gone}/archive")
    active = {item["id"] for item in api.call("GET", "projects").json()["data"]}
    everything = api.call("GET", "projects?include_archived=true&limit=100").json()["data"]
    assert kept in active
    assert gone not in active
    assert gone in {item["id"] for item in everything}
    assert api.call("GET", f"projects/{gone}").json()["status"] == "archived"


def test_pages_have_at_most_a_hundred_and_at_least_one(api: Api) -> None:
    """A client that asks for no items, or for too many, would not be found out."""
    for limit in (0, 101):
        assert api.refused("GET", f"projects?limit={limit}")[1]["param"] == "limit"
    api.make_project()
    first = api.call("GET", "projects?limit=1").json()
    assert (len(first["data"]), first["has_more"]) == (1, True)
    second = api.call("GET", f"projects?limit=1&after={first['last_id']}").json()
    assert second["has_more"] is False
    assert second["data"][0]["id"] != first["data"][0]["id"]


def test_the_feature_probe_is_there_even_when_the_feature_is_off(api: Api) -> None:
    """A client that takes the member's presence for the feature would not be found out."""
    api.set(feature_enabled=False)
    assert "external_key_id" in api.call("GET", "projects").json()["data"][0]
    api.set(external_key_id_always=False)
    assert "external_key_id" not in api.call("GET", "projects").json()["data"][0]


def test_update_changes_the_name_and_nothing_that_is_fixed(api: Api) -> None:
    """A client could believe that residency can be changed."""
    project = api.make_project(residency="GLOBAL")
    path = f"projects/{project['id']}"
    changed = api.call("POST", path, {"name": "q", "geography": None}).json()
    assert changed == {**project, "name": "q"}
    assert api.refused("POST", path, {"residency": "GLOBAL"})[1]["param"] == "residency"


def test_an_existing_project_gets_a_key_only_with_the_flag(api: Api) -> None:
    """A client would skip the new project that the first test must be on."""
    key, project = api.register(), api.make_project()
    path, body = f"projects/{project['id']}", {"external_key_id": key["id"]}
    assert api.refused("POST", path, body)[0] == 400
    api.set(existing_project_flag=True)
    assert api.call("POST", path, body).json()["external_key_id"] == key["id"]
    assert api.call("POST", path, {"external_key_id": None}).json()["external_key_id"] == key["id"]
    api.set(null_clears_key=True)
    assert api.call("POST", path, {"external_key_id": None}).json()["external_key_id"] is None


def test_the_key_of_a_project_is_not_swapped_after_a_revocation(api: Api) -> None:
    """Data under a revoked key would be left behind as if a swap could save it."""
    api.set(existing_project_flag=True)
    first, second = api.register(), api.register()
    project = api.make_project(external_key_id=first["id"])
    path = f"projects/{project['id']}"
    api.call("POST", path, {"external_key_id": second["id"]})
    assert api.call("GET", path).json()["external_key_id"] == second["id"]
    api.cloud.refusal = ApiError(400, "denied")
    status, error = api.refused("POST", path, {"external_key_id": first["id"]})
    assert status == 400
    assert "revoked" in error["message"]
    assert api.call("GET", path).json()["external_key_id"] == second["id"]


def test_an_archived_project_stays_archived(api: Api) -> None:
    """A client could believe that a project comes back."""
    project = api.make_project()
    path = f"projects/{project['id']}"
    api.clock.now += 60
    archived = api.call("POST", f"{path}/archive").json()
    assert (archived["status"], archived["archived_at"]) == ("archived", 1_795_000_060)
    api.clock.now += 60
    assert api.call("POST", f"{path}/archive").json() == archived
    assert api.refused("POST", path, {"name": "q"})[0] == 400
    api.set(second_archive_status=400, update_archived_status=404)
    assert api.call("POST", f"{path}/archive").status_code == 400
    assert api.refused("POST", path, {"name": "q"})[0] == 404


def test_the_default_project_is_left_alone(api: Api) -> None:
    """A client could archive the project that everything else is booked on."""
    default = api.call("GET", "projects").json()["data"][0]
    assert api.refused("POST", f"projects/{default['id']}", {"name": "q"})[0] == 400
    assert api.call("POST", f"projects/{default['id']}/archive").status_code == 400
    api.set(default_project_archive="allow")
    assert api.call("POST", f"projects/{default['id']}/archive").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "projects/none"), ("POST", "projects/none/archive")],
)
def test_a_project_that_is_not_there_is_a_404(api: Api, method: str, path: str) -> None:
    """A client would take a project of another organization for its own."""
    assert api.refused(method, path)[0] == 404


def test_limits_can_be_set(api: Api) -> None:
    """A client could not be tried against an organization that is full."""
    key = api.register()
    api.set(max_projects_per_key=1)
    api.make_project(external_key_id=key["id"])
    body = {"name": "p", "external_key_id": key["id"]}
    assert api.refused("POST", "projects", body)[0] == 400
    api.make_project()
    api.set(max_projects=3)
    assert api.refused("POST", "projects", {"name": "p"})[0] == 400
