"""What the client makes of answers that nobody would send on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from openai_ekm.openai_api import ApiRefused, Kind
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.refusal_errors import ApiUnclear
from openai_ekm.openai_api.transport import HttpRequest, HttpResponse

DEEP = b"[" * 200_000


class Answers:
    """Answers in their order."""

    def __init__(self, *answers: tuple[int, bytes], headers: dict[str, str] | None = None) -> None:
        self._answers = list(answers)
        self._headers = headers or {}

    def send(self, _request: HttpRequest) -> HttpResponse:
        """Answer."""
        status, body = self._answers.pop(0)
        return HttpResponse(status, self._headers, body)


def page(ids: list[str], **more: Any) -> tuple[int, bytes]:
    """A page of a list."""
    data = [{"id": one, "name": f"{one}-{len(ids)}"} for one in ids]
    return 200, json.dumps({"data": data, "has_more": False, **more}).encode()


def test_what_is_on_two_pages_is_one() -> None:
    """A list that changed between two pages shows one registration as two that match."""
    first = page(["a", "b"], has_more=True, last_id="b")
    keys = AdminApi(Answers(first, page(["b", "c", "d"]))).list_external_keys()
    assert [(key.id, key.name) for key in keys] == [
        ("a", "a-2"),
        ("b", "b-3"),
        ("c", "c-3"),
        ("d", "d-3"),
    ]


def test_answer_that_is_nested_without_end_is_unclear() -> None:
    """A create that was carried out is taken for a defect, and its record is not looked after."""
    create = {"name": "a", "role_arn": "b", "kms_arn": "c", "external_id": "d"}
    with pytest.raises(ApiUnclear):
        AdminApi(Answers((200, DEEP))).create_external_key(**create)
    with pytest.raises(ApiRefused) as raised:
        AdminApi(Answers((400, DEEP))).create_external_key(**create)
    assert raised.value.refusal.kind is Kind.REFUSED


BAD_IDS = [
    "extkey_1\nresource",
    "extkey_1\r",
    "..",
    ".",
    "a/b",
    "extkey_\ud800",
    "extkey_\u202e1",
    "extkey_\u00e9",
    "extkey 1",
    '"',
    "x" * 201,
    "",
    None,
    7,
    ["extkey_1"],
    {"id": "extkey_1"},
]
CREATE = {"name": "a", "role_arn": "b", "kms_arn": "c", "external_id": "d"}


@pytest.mark.parametrize("id", BAD_IDS)
def test_an_id_that_is_none_is_refused_where_it_comes_in(id: object) -> None:
    """Guards against: a line break in an id leaves a comment of generated HCL and is applied.

    Nothing is known of what was asked then: so the registrar looks for it, and records nothing.
    """
    made = json.dumps({"id": id, "name": "a"}).encode()
    with pytest.raises(ApiUnclear) as raised:
        AdminApi(Answers((200, made))).create_external_key(**CREATE)
    assert raised.value.refusal.kind is Kind.AMBIGUOUS
    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 500
    with pytest.raises(ApiUnclear):
        AdminApi(Answers((200, made))).create_project(name="a", external_key_id="b")
    listed = json.dumps({"data": [{"id": "extkey_1"}, {"id": id}], "has_more": False}).encode()
    with pytest.raises(ApiUnclear):
        AdminApi(Answers((200, listed))).list_external_keys()
    if isinstance(id, str):
        used = json.dumps({"id": "extkey_1", "api_project_ids": [id]}).encode()
        with pytest.raises(ApiUnclear):
            AdminApi(Answers((200, used))).get_external_key("extkey_1")
    more = json.dumps({"data": [], "has_more": True, "last_id": id}).encode()
    with pytest.raises(ApiUnclear):
        AdminApi(Answers((200, more), (200, more))).list_projects()


def test_texts_of_an_object_can_be_kept_and_printed() -> None:
    """Guards against: half a pair of surrogates, which a name cut in an emoji ends in, is a defect.

    A name of somebody else's registration must not make the list unreadable either.
    """
    key = {
        "id": "extkey_1",
        "name": "prod \ud83d",
        "external_id": "x" * 30_000,
        "role_arn": 7,
        "created_at": 10**30,
        "workspace_id": None,
    }
    found = AdminApi(Answers((200, json.dumps(key).encode()))).get_external_key("extkey_1")
    assert found.name == "prod \\ud83d"
    assert len(found.external_id or "") == 2000
    assert (found.role_arn, found.created_at, found.workspace_id) == (None, None, "")


@pytest.mark.parametrize("value", ["org-1\nremedy: x", "x" * 20_000, "", "a b", "\u00ff"])
def test_headers_are_kept_in_their_form_alone(value: str) -> None:
    """Guards against: a 20 kB organization that blocks the record after the create."""
    headers = {"x-request-id": value, "openai-organization": value}
    api = AdminApi(Answers((400, b'{"error": "no"}'), headers=headers))
    with pytest.raises(ApiRefused) as raised:
        api.create_external_key(**CREATE)
    assert raised.value.request_id is None
    assert api.organization is None
    headers = {"x-request-id": "req_1", "openai-organization": "org-1"}
    api = AdminApi(Answers((400, b'{"error": "no"}'), headers=headers))
    with pytest.raises(ApiRefused) as raised:
        api.create_external_key(**CREATE)
    assert (raised.value.request_id, api.organization) == ("req_1", "org-1")


@pytest.mark.parametrize("status", ["no\nremedy: x", "\ud800", ["x"], None, {}, "x" * 9999])
def test_a_validation_that_says_something_else_shows_it_briefly(status: object) -> None:
    """Guards against: a status that forges a line, or ends in a defect."""
    answer = json.dumps({"status": status}).encode()
    with pytest.raises(ApiRefused) as raised:
        AdminApi(Answers((200, answer))).validate_external_key("extkey_1")
    assert raised.value.refusal.kind is Kind.NOT_VALIDATED
    assert raised.value.message.isprintable()
    assert len(raised.value.message) < 500
