"""What the client makes of answers that nobody would send on purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ekm.admin_api import ApiRefused, Kind
from ekm.admin_api.client import AdminApi
from ekm.admin_api.refusals import ApiUnclear
from ekm.admin_api.transport import HttpRequest, HttpResponse

DEEP = b"[" * 200_000


class Answers:
    """Answers in their order."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self._answers = list(answers)

    def send(self, _request: HttpRequest) -> HttpResponse:
        """Answer."""
        status, body = self._answers.pop(0)
        return HttpResponse(status, {}, body)


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
