"""Faults on request: what a client meets, how often, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.emulator.faults import FAULTS, Fault, Faults, parse_fault, parse_faults
from openai_ekm.errors import BadInput
from tests.support.emulated import BODY

if TYPE_CHECKING:
    from tests.support.emulated import Api


def listed(api: Api) -> int:
    """How many keys there are."""
    return len(api.call("GET", "external_keys").json()["data"])


def test_a_response_lost_before_commit_changed_nothing(api: Api) -> None:
    """A client that adopts after a lost response would adopt what is not there."""
    api.fault("lost-before-commit=1,on=POST /organization/external_keys")
    api.call("POST", "external_keys", BODY)
    assert len(api.broken) == 1
    assert listed(api) == 0
    assert not api.cloud.asked


def test_a_response_lost_after_commit_changed_everything(api: Api) -> None:
    """A client that repeats after a lost response would not be found out."""
    api.fault("lost-after-commit=1,on=POST /organization/external_keys")
    api.call("POST", "external_keys", BODY)
    assert len(api.broken) == 1
    assert listed(api) == 1


def test_a_rate_limit_comes_with_and_without_a_delay(api: Api) -> None:
    """A client that needs the header would spin, one that ignores it hammer."""
    api.fault("rate-limited=1,seconds=7", "rate-limited-bare=1,on=GET /organization/projects")
    first = api.call("GET", "external_keys")
    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    second = api.call("GET", "projects")
    assert second.status_code == 429
    assert "retry-after" not in second.headers
    assert second.headers["x-request-id"]
    assert api.call("GET", "projects").status_code == 200


def test_a_server_error_is_before_or_after_commit(api: Api) -> None:
    """A client could take a 5xx for a definite refusal."""
    api.fault("server-error=1,status=503")
    assert api.call("POST", "external_keys", BODY).status_code == 503
    assert listed(api) == 0
    api.fault("server-error-after-commit=1")
    answer = api.call("POST", "external_keys", BODY)
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "server_error")
    assert listed(api) == 1


def test_a_broken_body_is_no_json(api: Api) -> None:
    """A client would crash on a 2xx that it cannot read."""
    api.fault("broken-json=1")
    answer = api.call("POST", "external_keys", BODY)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()
    assert listed(api) == 1


def test_errors_come_in_three_shapes(api: Api) -> None:
    """A client that expects an object would crash."""
    text = "The external key x was not found"
    assert api.refused("GET", "external_keys/x")[1]["message"] == text
    api.fault("second-shape=1")
    assert api.call("GET", "external_keys/x").json() == {"error": text}
    api.fault("error-absent=1")
    assert api.call("GET", "external_keys/x").json() == {"message": text}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("feature-off", 404, None),
        ("incorrect-hostname", 401, "incorrect_hostname"),
        ("invalid-key", 401, "invalid_api_key"),
    ],
)
def test_refusals_by_fault(api: Api, fault: str, status: int, code: str | None) -> None:
    """A client could not be tried against a lost feature, host or key."""
    api.fault(fault)
    found, error = api.refused("GET", "external_keys")
    assert (found, error["code"]) == (status, code)


def test_a_lost_feature_leaves_projects_alone(api: Api) -> None:
    """The switch would break more than OpenAI's flag does."""
    api.fault("feature-off")
    assert api.call("GET", "projects").status_code == 200


def test_a_missing_scope_names_the_scope(api: Api) -> None:
    """A user would not learn which scope to add."""
    api.fault("missing-scope")
    assert "api.management.read" in api.refused("GET", "projects")[1]


def test_lists_can_be_blind_to_what_is_new(api: Api) -> None:
    """A client that looks once after an ambiguous create would make a second key."""
    api.register()
    api.fault("eventual-lists=1")
    assert listed(api) == 0
    assert listed(api) == 1
    api.fault("eventual-lists,seconds=10")
    api.clock.now += 10
    assert listed(api) == 1


def test_lists_can_be_blind_to_new_and_archived_projects(api: Api) -> None:
    """A client that looks once after an ambiguous create would make a second project."""
    key = api.register()["id"]
    made = api.make_project(external_key_id=key)["id"]

    def shown() -> tuple[bool, bool]:
        names = [item["id"] for item in api.call("GET", "projects").json()["data"]]
        using = api.call("GET", f"external_keys/{key}").json()["api_project_ids"]
        return made in names, made in using

    api.set(list_delay_seconds=30, read_delay_seconds=30)
    assert api.call("GET", f"external_keys/{key}").status_code == 404
    api.clock.now += 31
    assert shown() == (True, True)
    api.call("POST", f"projects/{made}/archive")
    assert shown() == (True, True)
    api.clock.now += 31
    assert shown() == (False, False)


@pytest.mark.parametrize(
    ("fault", "status", "kind", "made"),
    [
        ("proxy-page=1", 502, "text/html", 0),
        ("proxy-page=1,status=504", 504, "text/html", 0),
        ("proxy-page-after-commit=1", 502, "text/html", 1),
        ("redirect=1", 302, None, 0),
        ("status-201=1", 201, "application/json", 1),
    ],
)
def test_what_stands_between_client_and_api_can_answer(
    api: Api, fault: str, status: int, kind: str | None, made: int
) -> None:
    """A proxy's page, a redirect or another success could not be tried."""
    api.fault(fault)
    answer = api.call("POST", "external_keys", BODY, follow_redirects=False)
    assert (answer.status_code, answer.headers.get("content-type")) == (status, kind)
    assert listed(api) == made


def test_a_limit_per_endpoint_can_be_set(api: Api) -> None:
    """A client's pacing could not be tried."""
    api.set(calls_per_minute=2)
    codes = [api.call("GET", "projects").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    limited = api.call("GET", "projects")
    assert 1 <= int(limited.headers["retry-after"]) <= 61
    assert api.call("GET", "external_keys").status_code == 200
    api.clock.now += 61
    assert api.call("GET", "projects").status_code == 200
    api.set(retry_after=False, calls_per_minute=1)
    assert "retry-after" not in api.call("GET", "projects").headers


def test_a_fault_is_counted_only_where_it_applies() -> None:
    """A fault meant for one call would be used up by another."""
    faults = Faults([parse_fault("server-error=2,on=POST /organization/projects")])
    assert faults.take("GET", "/v1/organization/projects") == {}
    assert faults.take("POST", "/v1/organization/projects_other") == {}
    assert "server-error" in faults.take("POST", "/v1/organization/projects/x/archive")
    assert "server-error" in faults.take("POST", "/v1/organization/projects")
    assert faults.take("POST", "/v1/organization/projects") == {}
    assert faults.current() == []


@pytest.mark.parametrize(
    ("on", "method", "path", "applies"),
    [
        ("POST", "POST", "/v1/organization/projects", True),
        ("post", "GET", "/v1/organization/projects", False),
        ("/organization/projects", "GET", "/v1/organization/projects/x", True),
        ("/v1/organization/projects/", "GET", "/v1/organization/projects", True),
        ("GET /organization/projects", "POST", "/v1/organization/projects", False),
    ],
)
def test_where_a_fault_applies(on: str, method: str, path: str, applies: bool) -> None:
    """A fault would hit other calls than those it was meant for."""
    assert Fault("slow", on=on).applies_to(method, path) is applies


@pytest.mark.parametrize(
    "body",
    [
        ["slow=2"],
        {"faults": ["slow=2"]},
        {"faults": [{"name": "slow", "times": 2}]},
        {"slow": 2},
        {"slow": "2"},
        {"slow": {"times": 2}},
    ],
)
def test_the_control_surface_takes_any_natural_form(body: Any) -> None:
    """A test would have to know one spelling among several that look right."""
    assert parse_faults(body) == [Fault("slow", times=2)]


def test_names_may_have_underscores_and_true_means_always() -> None:
    """Python's keyword arguments could not name a fault."""
    assert parse_faults({"lost_after_commit": True, "slow": False}) == [Fault("lost-after-commit")]
    assert parse_faults({}) == []


@pytest.mark.parametrize(
    ("text", "id", "part"),
    [
        ("lost", "fault_unknown", "lost-before-commit"),
        ("slow=0", "fault_value", "slow"),
        ("slow=x", "fault_value", "slow"),
        ("slow=1.5", "fault_value", "slow"),
        ("slow=1,seconds=-1", "fault_value", "seconds"),
        ("slow=1,seconds=nan", "fault_value", "seconds"),
        ("server-error=1,status=404", "fault_value", "status"),
        ("slow=1,colour=red", "fault_value", "colour"),
        ("slow=1,seconds", "fault_value", "seconds"),
        ("slow=1,on=everywhere", "fault_value", "on"),
    ],
)
def test_a_fault_that_cannot_be_read_is_bad_input(text: str, id: str, part: str) -> None:
    """A misspelt fault would never happen, and its test pass for nothing."""
    with pytest.raises(BadInput) as caught:
        parse_fault(text)
    assert caught.value.id == id
    assert part in f"{caught.value.message} {caught.value.remedy}"


def test_every_fault_says_what_it_does() -> None:
    """`--list-faults` would print a name alone."""
    assert all(text.endswith(".") for text in FAULTS.values())
