"""Who is let in: keys, scopes, and both error shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from openai_ekm.emulator.auth import AdminKeys
from openai_ekm.errors import BadInput
from tests.support.emulated import ADMIN_KEY, BODY, READER_KEY

if TYPE_CHECKING:
    from tests.support.emulated import Api


def test_without_a_key_nothing_is_answered(api: Api) -> None:
    """The API would be open to whoever finds the port."""
    status, error = api.refused("GET", "external_keys", key=None)
    assert (status, error["type"]) == (401, "invalid_request_error")


def test_a_wrong_key_is_refused_and_not_repeated(api: Api) -> None:
    """A key would end in a log, with the answer that quotes it."""
    answer = api.call("GET", "external_keys", key="sk-admin-wrong")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert "sk-admin-wrong" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "external_keys", "api.external_keys.write"),
        ("DELETE", "external_keys/x", "api.external_keys.write"),
        ("POST", "projects", "api.management.write"),
        ("POST", "projects/x", "api.management.write"),
        ("POST", "projects/x/archive", "api.management.write"),
        ("GET", "audit_logs", "api.audit_logs.read"),
    ],
)
def test_a_missing_scope_is_a_bare_text(api: Api, method: str, path: str, scope: str) -> None:
    """A client that expects an object would crash at OpenAI."""
    body = BODY if path == "external_keys" else None
    status, error = api.refused(method, path, body, key=READER_KEY)
    assert status == 403
    assert error.startswith(
        "You have insufficient permissions for this operation. "
        f"Missing scopes: {scope}. Check that you have the correct role in your organization"
    )
    api.set(missing_scope_status=401)
    assert api.refused(method, path, body, key=READER_KEY)[0] == 401


def test_a_reader_reads_and_validates(api: Api) -> None:
    """A key with the read scopes would be refused what it may do."""
    key = api.register()
    for method, path in (
        ("GET", "external_keys"),
        ("GET", f"external_keys/{key['id']}"),
        ("POST", f"external_keys/{key['id']}/validate"),
        ("GET", "projects"),
    ):
        assert api.call(method, path, key=READER_KEY).status_code == 200


def test_the_key_comes_before_the_feature_and_the_feature_before_the_scope(api: Api) -> None:
    """A stranger could learn whether EKM is enabled."""
    api.set(feature_enabled=False)
    assert api.call("GET", "external_keys", key="sk-admin-wrong").status_code == 401
    assert api.call("POST", "external_keys", BODY, key=READER_KEY).status_code == 404


def test_the_answer_carries_openais_headers(api: Api) -> None:
    """A client could not name the request in a support ticket."""
    headers = api.call("GET", "external_keys").headers
    assert headers["x-request-id"].startswith("req_")
    assert headers["openai-version"] == "2020-10-01"
    assert headers["openai-organization"] == "org-emulated"
    assert int(headers["openai-processing-ms"]) >= 0
    assert not [name for name in headers if name.startswith("x-ratelimit")]
    api.set(ratelimit_headers=True, organization="org-mine")
    headers = api.call("GET", "external_keys").headers
    assert headers["openai-organization"] == "org-mine"
    assert "x-ratelimit-remaining-requests" in headers


def test_an_unknown_endpoint_is_a_404_of_its_own(api: Api) -> None:
    """A client's misspelt path would read as a feature that is off."""
    status, error = api.refused("GET", "external_key")
    assert status == 404
    assert error["message"] == "Invalid URL (GET /v1/organization/external_key)"


def test_keys_come_from_the_environment() -> None:
    """A key with fewer scopes could do everything, or the admin key nothing."""
    keys = AdminKeys.from_environment(
        {
            "OPENAI_ADMIN_KEY": ADMIN_KEY,
            "EKM_EMULATOR_KEYS": '{"sk-admin-r": ["api.external_keys.read"]}',
        }
    )
    keys.caller(f"Bearer {ADMIN_KEY}").require("anything", status=403)
    assert keys.caller("bearer sk-admin-r").scopes == {"api.external_keys.read"}
    assert ADMIN_KEY not in repr(keys)


@pytest.mark.parametrize(
    ("environment", "id"),
    [
        ({}, "emulator_admin_key_missing"),
        ({"OPENAI_ADMIN_KEY": " "}, "emulator_admin_key_missing"),
        (
            {"OPENAI_ADMIN_KEY": "x", "EKM_EMULATOR_KEYS": '["sk-admin-secret"]'},
            "emulator_keys_unreadable",
        ),
        (
            {"OPENAI_ADMIN_KEY": "x", "EKM_EMULATOR_KEYS": "{sk-admin-secret"},
            "emulator_keys_unreadable",
        ),
    ],
)
def test_keys_that_cannot_be_read_are_bad_input(environment: dict[str, str], id: str) -> None:
    """The emulator would start without a key, or print one."""
    with pytest.raises(BadInput) as caught:
        AdminKeys.from_environment(environment)
    assert caught.value.id == id
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_ip_allowlist_acts_after_its_delay(api: Api) -> None:
    """Guards against: a list that acts at once here, and after 15 minutes at OpenAI.

    Source: https://developers.openai.com/api/docs/guides (IP allowlist).
    """
    base = str(api.client.base_url)
    api.client = TestClient(api.client.app, base_url=base, client=("198.51.100.7", 1))
    api.set(ip_allowlist="192.0.2.0/24, 2001:db8::/32")
    assert api.call("GET", "external_keys").status_code == 200
    api.clock.now += 899
    assert api.call("GET", "external_keys").status_code == 200
    api.clock.now += 1
    status, error = api.refused("GET", "projects")
    assert (status, error["code"]) == (401, "ip_not_authorized")
    api.set(ip_allowlist="198.51.100.0/24", ip_not_authorized_status=403)
    assert api.refused("GET", "projects")[0] == 403
    api.clock.now += 900
    assert api.call("GET", "projects").status_code == 200
    with pytest.raises(BadInput) as raised:
        api.set(ip_allowlist="192.0.2.1/24")
    assert raised.value.id == "setting_value"


def test_refusals_of_the_caller_come_as_settings_and_faults(api: Api) -> None:
    """Guards against: a client whose words for these refusals nobody has seen."""
    api.set(mtls_required=True, mtls_code="mtls_certificate_required")
    status, error = api.refused("GET", "projects")
    assert (status, error["code"]) == (401, "mtls_certificate_required")
    api.set(mtls_required=False)
    for fault, expected in {
        "ip-not-authorized": (401, "ip_not_authorized"),
        "certificate-required": (401, "mtls_certificate_required"),
        "insufficient-quota": (429, "insufficient_quota"),
    }.items():
        api.fault(f"{fault}=1")
        status, error = api.refused("GET", "projects")
        assert (status, error["code"]) == expected
        assert api.call("GET", "projects").status_code == 200
