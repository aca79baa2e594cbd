"""External keys on the wire: texts, shapes, order of checks, and what is a setting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from openai_ekm.emulator.errors import ApiError
from tests.support.emulated import BODY

if TYPE_CHECKING:
    from tests.support.emulated import Api


def test_a_registration_answers_the_whole_object(api: Api) -> None:
    """A client would meet another object than OpenAI's."""
    answer = api.call("POST", "external_keys", {**BODY, "purpose": "ekm"})
    found = answer.json()
    assert re.fullmatch(r"extkey_[0-9a-f]{28}", found.pop("id"))
    assert found == {
        "object": "organization.external_key",
        "created_at": 1_795_000_000,
        "api_project_ids": [],
        "type": "aws",
        "purpose": "ekm",
        "name": "prod",
        "role_arn": BODY["role_arn"],
        "kms_arn": BODY["kms_arn"],
        "external_id": "org-abc",
        "workspace_id": "",
    }


def test_purpose_is_ekm_unless_it_is_said(api: Api) -> None:
    """A client that leaves the member out would register something else."""
    assert api.register()["purpose"] == "ekm"
    assert [row.name for row in api.cloud.asked] == ["prod"]


@pytest.mark.parametrize(
    ("changes", "message", "param", "code"),
    [
        (
            {"role_arn": "arn:aws-us-gov:iam::111122223333:role/x"},
            (
                "Invalid 'role_arn': string does not match pattern. Expected a string that matches "
                r"the pattern '^arn:aws:iam::\d{12}:role/.+$'."
            ),
            "role_arn",
            "invalid_value",
        ),
        (
            {"role_arn": "arn:aws:iam::111122223333:role/x\n"},
            (
                "Invalid 'role_arn': string does not match pattern. Expected a string that matches "
                r"the pattern '^arn:aws:iam::\d{12}:role/.+$'."
            ),
            "role_arn",
            "invalid_value",
        ),
        ({"name": ""}, None, "name", "string_below_min_length"),
        ({"name": 7}, None, "name", "invalid_type"),
        ({"name": None}, None, "name", "invalid_type"),
        (
            {"type": "ibm"},
            "Invalid value: 'ibm'. Supported values are: 'aws', 'azure', 'gcp', and 'oci'.",
            "type",
            "invalid_value",
        ),
        (
            {"purpose": "backup"},
            "Invalid value: 'backup'. Supported values are: 'ekm' and 'psp_decryption'.",
            "purpose",
            "invalid_value",
        ),
        ({"kms_arn": "arn:aws:kms:eu-west-1:111122223333:key/x"}, None, "kms_arn", "invalid_value"),
        ({"external_id": "org abc"}, None, "external_id", "invalid_value"),
        ({"external_id": "x"}, None, "external_id", "invalid_value"),
        ({"colour": "red"}, "Unknown parameter: 'colour'.", "colour", "unknown_parameter"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_checked_in_the_cloud(
    api: Api, changes: dict[str, Any], message: str | None, param: str, code: str
) -> None:
    """A client could not say which of its values was wrong, or a key would be used for nothing."""
    status, error = api.refused("POST", "external_keys", {**BODY, **changes})
    assert status == 400
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    if message is not None:
        assert error["message"] == message
    assert not api.cloud.asked


@pytest.mark.parametrize("field", ["type", "name", "role_arn", "kms_arn", "external_id"])
def test_a_missing_field_is_named(api: Api, field: str) -> None:
    """A registration without one of its members would be stored."""
    body = {name: value for name, value in BODY.items() if name != field}
    status, error = api.refused("POST", "external_keys", body)
    assert (status, error["param"]) == (400, field)
    assert error["message"] == f"Missing required parameter: '{field}'."


def test_digits_of_another_script_are_no_account(api: Api) -> None:
    """An account that cannot exist would be looked up."""
    account = "".join(chr(0x0660 + int(digit)) for digit in "111122223333")
    changes = {"kms_arn": BODY["kms_arn"].replace("111122223333", account)}
    assert api.refused("POST", "external_keys", {**BODY, **changes})[1]["param"] == "kms_arn"


def test_what_is_registered_meanwhile_counts(api: Api) -> None:
    """Two creates at once would both pass a limit that allows one."""
    api.set(max_external_keys=1)
    api.cloud.meanwhile = lambda: api.register(name="faster")
    assert api.refused("POST", "external_keys", BODY)[0] == 400
    assert [key["name"] for key in api.call("GET", "external_keys").json()["data"]] == ["faster"]


@pytest.mark.parametrize(
    "kms_arn",
    [
        "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555",
        "arn:aws:kms:ap-southeast-2:111122223333:key/mrk-0123456789abcdef0123456789abcdef",
        "arn:aws:kms:eu-west-1:111122223333:alias/openai/ekm",
    ],
)
def test_the_three_forms_of_kms_arn_are_accepted(api: Api, kms_arn: str) -> None:
    """A documented form would be refused."""
    assert api.register(kms_arn=kms_arn)["kms_arn"] == kms_arn


def test_other_clouds_are_checked_for_form_and_refused(api: Api) -> None:
    """A key of another cloud would be registered without any check."""
    azure = {"type": "azure", "name": "n", "tenant_id": "t", "vault_uri": "u", "key_name": "k"}
    status, error = api.refused("POST", "external_keys", azure)
    assert status == 400
    assert error["message"] == (
        "Invalid 'key_name': string does not match pattern. Expected a string that matches the "
        "pattern '^org-[0-9a-zA-Z-]*--[0-9a-zA-Z-]*$'."
    )
    _, error = api.refused("POST", "external_keys", {**azure, "key_name": "org-1--key"})
    assert (error["param"], error["code"]) == ("type", "unsupported_value")


@pytest.mark.parametrize("content_type", ["text/plain", ""])
def test_a_body_of_another_type_is_refused(api: Api, content_type: str) -> None:
    """A client that forgets the content type would pass here and fail at OpenAI."""
    answer = api.client.post(
        "/v1/organization/external_keys",
        content=b"{}",
        headers={"Authorization": "Bearer sk-admin-everything", "Content-Type": content_type},
    )
    assert answer.status_code == 400
    assert "expected application/json" in answer.json()["error"]["message"]


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(api: Api, content: bytes) -> None:
    """A broken body would end as a fault of the server."""
    answer = api.client.post(
        "/v1/organization/external_keys",
        content=content,
        headers={"Authorization": "Bearer sk-admin-everything", "Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "We could not parse the JSON body of your request."


def test_a_refusal_by_the_cloud_stores_nothing(api: Api) -> None:
    """A definite refusal would leave a registration behind, and a retry make a second one."""
    api.cloud.refusal = ApiError(400, "User: … is not authorized to perform: sts:AssumeRole …")
    status, error = api.refused("POST", "external_keys", BODY)
    assert (status, error["param"], error["code"]) == (400, None, None)
    assert api.call("GET", "external_keys").json()["data"] == []
    assert api.call("GET", "audit_logs").json()["data"] == []


def test_the_same_registration_twice_makes_two(api: Api) -> None:
    """A client would not learn that create is not idempotent."""
    assert api.register()["id"] != api.register()["id"]
    api.set(identical_registrations="refuse")
    assert api.refused("POST", "external_keys", BODY)[0] == 400


@pytest.mark.parametrize(
    ("setting", "changes"),
    [
        ({"unique_names": True}, {"external_id": "org-other"}),
        ({"max_external_keys": 1}, {"name": "another"}),
        ({"name_max_length": 3}, {}),
        ({"organization": "org-mine"}, {}),
        ({"psp_registration": "refuse"}, {"purpose": "psp_decryption"}),
    ],
)
def test_what_is_unknown_can_be_made_a_refusal(
    api: Api, setting: dict[str, Any], changes: dict[str, Any]
) -> None:
    """A client could not be tried against an API that is stricter than the default."""
    api.register()
    api.set(**setting)
    assert api.refused("POST", "external_keys", {**BODY, **changes})[0] == 400


def test_an_external_id_must_be_of_the_organization_when_there_is_one(api: Api) -> None:
    """The id of a foreign organization would be registered."""
    project = api.make_project()
    api.set(organization="org-mine")
    status, error = api.refused("POST", "external_keys", BODY)
    assert (status, error["param"]) == (400, "external_id")
    api.register(external_id="org-mine")
    api.register(external_id=project["id"])


def test_unknown_members_can_be_ignored(api: Api) -> None:
    """A client could not be tried against an API that ignores what it does not know."""
    api.set(unknown_members="ignore")
    assert "colour" not in api.register(colour="red")


def test_a_psp_key_is_listed_by_its_purpose_and_not_checked(api: Api) -> None:
    """A client that forgets to filter would not be found out."""
    psp = api.register(purpose="psp_decryption")
    ekm = api.register()
    assert [row.id for row in api.cloud.asked] == [ekm["id"]]
    listed = api.call("GET", "external_keys").json()["data"]
    assert [item["id"] for item in listed] == [ekm["id"], psp["id"]]
    only = api.call("GET", "external_keys?purpose=psp_decryption").json()["data"]
    assert [item["id"] for item in only] == [psp["id"]]
    alias = {**BODY, "purpose": "psp_decryption"}
    alias["kms_arn"] = "arn:aws:kms:eu-west-1:111122223333:alias/x"
    assert api.refused("POST", "external_keys", alias)[0] == 400


def test_pages_follow_the_cursor_to_the_end(api: Api) -> None:
    """A client would miss what is on the second page, or never stop."""
    ids = [api.register()["id"] for _ in range(5)]
    first = api.call("GET", "external_keys?limit=2&order=asc").json()
    assert [item["id"] for item in first["data"]] == ids[:2]
    assert (first["object"], first["has_more"]) == ("list", True)
    assert (first["first_id"], first["last_id"]) == (ids[0], ids[1])
    last = api.call("GET", f"external_keys?limit=3&order=asc&after={ids[1]}").json()
    assert [item["id"] for item in last["data"]] == ids[2:]
    assert last["has_more"] is False
    empty = api.call("GET", f"external_keys?order=asc&after={ids[4]}").json()
    assert (empty["data"], empty["first_id"], empty["last_id"]) == ([], None, None)


def test_limit_zero_and_an_unknown_cursor_are_settings(api: Api) -> None:
    """What is not public would be one fixed answer."""
    api.register()
    assert api.call("GET", "external_keys?limit=0").json()["data"] == []
    assert api.refused("GET", "external_keys?after=extkey_gone")[0] == 400
    api.set(limit_zero="default", unknown_after="empty")
    assert len(api.call("GET", "external_keys?limit=0").json()["data"]) == 1
    assert api.call("GET", "external_keys?after=extkey_gone").json()["data"] == []


@pytest.mark.parametrize("query", ["limit=101", "limit=-1", "limit=x", "order=up", "purpose=all"])
def test_a_wrong_query_is_refused(api: Api, query: str) -> None:
    """A client's mistake would be taken for the default."""
    status, error = api.refused("GET", f"external_keys?{query}")
    assert (status, error["param"]) == (400, query.partition("=")[0])


def test_the_three_404_texts_differ(api: Api) -> None:
    """A client could not tell a key that is gone from a feature that is off."""
    found = {
        method: api.refused(method, "external_keys/extkey_gone")[1]["message"]
        for method in ("GET", "DELETE")
    }
    assert found["GET"] == "The external key extkey_gone was not found"
    assert found["DELETE"] == "No external key found with id 'extkey_gone'"
    status, error = api.refused("POST", "external_keys/extkey_gone/validate")
    assert (status, error["message"]) == (404, "The external key extkey_gone was not found")
    api.set(delete_missing_text="get")
    message = api.refused("DELETE", "external_keys/extkey_gone")[1]["message"]
    assert message == "The external key extkey_gone was not found"
    api.set(feature_enabled=False)
    for method, path in (
        ("GET", "external_keys"),
        ("POST", "external_keys"),
        ("GET", "external_keys/x"),
        ("DELETE", "external_keys/x"),
        ("POST", "external_keys/x/validate"),
    ):
        status, error = api.refused(method, path)
        assert (status, error["message"]) == (404, "Unsupported endpoint")
    assert api.call("GET", "projects").status_code == 200


def test_delete_answers_the_whole_object_and_then_it_is_gone(api: Api) -> None:
    """A client that waits for `deleted: true` would pass here and fail at OpenAI."""
    key = api.register()
    gone = api.call("DELETE", f"external_keys/{key['id']}").json()
    assert gone == {**key, "object": "organization.external_key.deleted"}
    assert "deleted" not in gone
    assert api.call("GET", f"external_keys/{key['id']}").status_code == 404
    assert api.call("DELETE", f"external_keys/{key['id']}").status_code == 404


def test_a_key_in_use_is_not_deleted(api: Api) -> None:
    """Live data would lose its registration."""
    key = api.register()
    project = api.make_project(external_key_id=key["id"])
    status, error = api.refused("DELETE", f"external_keys/{key['id']}")
    assert status == 400
    assert error["message"] == (
        "This external key is associated with active projects. "
        "Please archive the projects before deleting the external key."
    )
    api.call("POST", f"projects/{project['id']}/archive")
    assert api.call("DELETE", f"external_keys/{key['id']}").status_code == 200


def test_a_workspace_key_is_never_deleted(api: Api) -> None:
    """A client could take a ChatGPT workspace's key away."""
    api.set(workspace_id_for_new_keys="ws-1")
    key = api.register()
    assert key["workspace_id"] == "ws-1"
    status, error = api.refused("DELETE", f"external_keys/{key['id']}")
    assert status == 400
    assert "workspace" in error["message"]


def test_project_ids_are_the_active_ones_in_any_order(api: Api) -> None:
    """A client that relies on the order, or counts archived ones, would not be found out."""
    key = api.register()
    ids = {api.make_project(external_key_id=key["id"])["id"] for _ in range(6)}
    orders = {
        tuple(api.call("GET", f"external_keys/{key['id']}").json()["api_project_ids"])
        for _ in range(20)
    }
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(ids)}
    archived = ids.pop()
    api.call("POST", f"projects/{archived}/archive")
    found = api.call("GET", f"external_keys/{key['id']}").json()
    assert set(found["api_project_ids"]) == ids


def test_validate_asks_the_cloud_now(api: Api) -> None:
    """A revoked key would still be reported as valid."""
    key = api.register()
    path = f"external_keys/{key['id']}/validate"
    assert api.call("POST", path).json() == {"status": "success"}
    api.cloud.refusal = ApiError(400, "arn:… is disabled.")
    assert api.refused("POST", path)[1]["message"] == "arn:… is disabled."
    api.set(validate_failure_status="failed")
    assert api.call("POST", path).json() == {"status": "failed"}


def test_members_that_sources_differ_on_are_settings(api: Api) -> None:
    """A client could not be tried against the other shape."""
    api.set(purpose_member=False, workspace_id_form="absent", external_id_in_lists=False)
    api.set(account_number_member=True)
    assert {"purpose", "workspace_id"}.isdisjoint(api.register())
    item = api.call("GET", "external_keys").json()["data"][0]
    assert "external_id" not in item
    assert item["account_number"] == "111122223333"
    api.set(workspace_id_form="null")
    assert api.call("GET", "external_keys").json()["data"][0]["workspace_id"] is None


def test_lists_and_reads_can_be_late(api: Api) -> None:
    """A client that looks once after a create would not be found out."""
    api.set(list_delay_seconds=5, read_delay_seconds=5)
    key = api.register()
    assert api.call("GET", "external_keys").json()["data"] == []
    assert api.call("GET", f"external_keys/{key['id']}").status_code == 404
    api.clock.now += 5
    assert api.call("GET", f"external_keys/{key['id']}").status_code == 200
    api.call("DELETE", f"external_keys/{key['id']}")
    assert len(api.call("GET", "external_keys").json()["data"]) == 1
    api.clock.now += 5.5
    assert api.call("GET", "external_keys").json()["data"] == []
