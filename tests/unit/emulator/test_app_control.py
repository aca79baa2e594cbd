"""The control surface, the log of calls, and the OpenAPI document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.emulated import ADMIN_KEY, BODY

if TYPE_CHECKING:
    from tests.support.emulated import Api


def test_the_log_holds_every_call_and_no_key(api: Api) -> None:
    """A test could not count calls, or a key would be in the log."""
    api.call("GET", "external_keys?limit=1")
    api.call("GET", "external_keys", key="sk-admin-wrong")
    answer = api.client.get("/_emulator/requests")
    first, second = answer.json()["requests"]
    assert (first["method"], first["path"]) == ("GET", "/v1/organization/external_keys")
    assert (first["query"], first["status"], second["status"]) == ("limit=1", 200, 401)
    assert first["request_id"] != second["request_id"]
    assert ADMIN_KEY not in answer.text
    assert "sk-admin" not in answer.text


def test_the_log_can_be_emptied_and_knows_lost_calls(api: Api) -> None:
    """A call without an answer would not be counted."""
    api.call("GET", "projects")
    api.client.delete("/_emulator/requests")
    api.fault("lost-after-commit=1")
    api.call("GET", "projects")
    (only,) = api.client.get("/_emulator/requests").json()["requests"]
    assert (only["status"], only["faults"]) == (None, ["lost-after-commit"])


def test_settings_are_changed_and_put_back(api: Api) -> None:
    """A test's setting would leak into the next test."""
    before = api.client.get("/_emulator/settings").json()
    api.client.patch("/_emulator/settings", json={"feature_enabled": False})
    assert api.call("GET", "external_keys").status_code == 404
    api.client.patch("/_emulator/settings", json=before)
    assert api.call("GET", "external_keys").status_code == 200


def test_faults_are_replaced_as_a_whole(api: Api) -> None:
    """A fault of an earlier test would still be on."""
    api.fault("slow", "feature-off")
    answer = api.client.put("/_emulator/faults", json={"rate_limited": 2}).json()
    assert answer["faults"] == [{"name": "rate-limited", "times": 2}]
    assert api.client.put("/_emulator/faults", json={}).json()["faults"] == []


@pytest.mark.parametrize(
    ("method", "path", "content", "part"),
    [
        ("PUT", "faults", b'["lost"]', "fault_unknown"),
        ("PUT", "faults", b"7", "fault_value"),
        ("PUT", "faults", b"{", "not JSON"),
        ("PATCH", "settings", b'{"colour": 1}', "setting_unknown"),
        ("PATCH", "settings", b'{"feature_enabled": []}', "setting_value"),
        ("PATCH", "settings", b"[]", "object"),
    ],
)
def test_wrong_control_changes_nothing(
    api: Api, method: str, path: str, content: bytes, part: str
) -> None:
    """A misspelt switch would be taken for done."""
    before = api.client.get(f"/_emulator/{path}").json()
    answer = api.client.request(method, f"/_emulator/{path}", content=content)
    assert answer.status_code == 400
    assert part in answer.text
    assert api.client.get(f"/_emulator/{path}").json() == before


DEEP = b"[" * 100_000 + b"]" * 100_000
HOSTILE = [
    DEEP,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b'{"name": ' + DEEP + b"}",
    b'{"slow": ' + DEEP + b"}",
    b'{"feature_enabled": ' + DEEP + b"}",
    b'{"name": "\\ud800"}',
    b'{"\\ud800": 1}',
    b'{"workspace_delete_message": "\\ud800"}',
    b'{"list_delay_seconds": Infinity}',
    b'{"list_delay_seconds": 1e400}',
    b'{"slow": 1e400}',
    b'{"slow": ' + b"9" * 400 + b"}",
    b'{"name": NaN}',
    b'{"max_projects": ' + b"9" * 5000 + b"}",
    b"\xff\xfe{\x00}\x00",
    b"\xff",
]


@pytest.mark.parametrize("content", HOSTILE, ids=range(len(HOSTILE)))
def test_json_that_cannot_be_kept_is_a_400(
    api: Api, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """A body from outside would be a defect of the server, or end up in what it answers."""
    before = api.client.get("/_emulator/settings").json()
    headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
    for method, path in (
        ("POST", "/v1/organization/external_keys"),
        ("POST", "/v1/organization/projects"),
        ("PUT", "/_emulator/faults"),
        ("PATCH", "/_emulator/settings"),
    ):
        answer = api.client.request(method, path, content=content, headers=headers)
        assert answer.status_code == 400, (path, answer.text)
        assert "message" in answer.json()["error"]
    assert api.client.get("/_emulator/settings").json() == before
    assert "Traceback" not in caplog.text


def test_health_answers_without_a_key(api: Api) -> None:
    """A test suite could not tell when it is up."""
    assert api.client.get("/_emulator/health").json()["status"] == "ok"


def test_the_document_holds_openais_endpoints_only(api: Api) -> None:
    """A client made from the document would call what OpenAI does not have."""
    document = api.client.get("/openapi.json").json()
    assert document["servers"] == [{"url": "/v1"}]
    found = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert found == {
        "POST /organization/external_keys",
        "GET /organization/external_keys",
        "GET /organization/external_keys/{external_key_id}",
        "DELETE /organization/external_keys/{external_key_id}",
        "POST /organization/external_keys/{external_key_id}/validate",
        "POST /organization/projects",
        "GET /organization/projects",
        "GET /organization/projects/{project_id}",
        "POST /organization/projects/{project_id}",
        "POST /organization/projects/{project_id}/archive",
        "POST /organization/external_storage",
        "GET /organization/external_storage",
        "GET /organization/external_storage/{id}",
        "DELETE /organization/external_storage/{id}",
        "POST /organization/external_storage/{id}/validate",
        "GET /organization/audit_logs",
    }
    assert "_emulator" not in json.dumps(document)


def test_the_document_describes_what_is_sent(api: Api) -> None:
    """A client made from the document would send another body."""
    document = api.client.get("/openapi.json").json()
    body = document["paths"]["/organization/external_keys"]["post"]["requestBody"]
    clouds = body["content"]["application/json"]["schema"]["oneOf"]
    (aws,) = [cloud for cloud in clouds if cloud["properties"]["type"]["const"] == "aws"]
    assert set(aws["required"]) == {"type", "name", "role_arn", "kms_arn", "external_id"}
    assert set(BODY) == set(aws["properties"])


def test_a_defect_is_answered_as_a_fault_of_the_server(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A client would see a broken connection where OpenAI answers 500."""
    monkeypatch.setattr(api.store, "projects", lambda **_: 1 / 0)
    status, error = api.refused("GET", "projects")
    assert (status, error["type"]) == (500, "server_error")
    assert "ZeroDivisionError" in caplog.text
