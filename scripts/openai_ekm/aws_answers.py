"""Whether an answer is AWS's: looked at before botocore reads it.

A captive portal, a proxy or a wrong AWS_ENDPOINT_URL answers with a page of its own, often with
HTTP status 200. botocore reads such a page as an answer without members, so that a write seems to
be done, or it ends in an error of its parser that none of its own classes covers.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html and
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # nosec B405 # reads answers of AWS alone, as botocore does
from typing import Any, Final

from botocore.exceptions import HTTPClientError

from openai_ekm.json_reader import read_json

__all__ = ["check_answer"]

_REDIRECT, _SERVER_ERROR = 300, 500
# Actions of SQS that answer `{}` where there is nothing to tell: a queue without messages.
_MAY_BE_EMPTY: Final = frozenset({"ReceiveMessage"})
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "timestamp": (int, float, str),
}


def check_answer(**event: Any) -> None:
    """Refuse an answer that AWS cannot have given; a handler of botocore's event `before-parse`.

    A server error in another form loses its body: then botocore tries again, as for AWS's own.

    Args:
        event: `operation_model`, botocore's model of the AWS action, and `response_dict`, the
            answer's `status_code`, `headers` and `body`.

    Raises:
        botocore.exceptions.HTTPClientError: It is not AWS's; botocore does not try again.
    """
    operation, response = event["operation_model"], event["response_dict"]
    service = operation.service_model
    protocol = getattr(service, "resolved_protocol", None) or service.protocol
    form = {"json": _is_json_answer, "query": _is_xml_answer}.get(protocol)
    status = response["status_code"]
    if form is None or form(operation, status, response["body"]):
        return
    if status >= _SERVER_ERROR:
        response["body"] = b""
        return

    class NotFromAwsError(HTTPClientError):
        fmt = "what answered is not AWS, or not this service (HTTP {status}, {kind})"

    kind = response["headers"].get("content-type", "no content type")
    raise NotFromAwsError(status=status, kind=str(kind)[:80])


def _is_json_answer(operation: Any, status: int, body: bytes) -> bool:
    shape = operation.output_shape
    wants_members = shape is not None and bool(shape.members)
    if not body:
        return status >= _REDIRECT or not wants_members
    try:
        value = read_json(body, pairs=dict)
    except ValueError:
        return False
    if status >= _REDIRECT:
        return isinstance(value, dict) and all(
            isinstance(value[name], str | None)
            for name in ("__type", "code", "message", "Message")
            if name in value
        )
    if not wants_members:
        return isinstance(value, dict | None)  # moto answers such an action with null
    return (
        isinstance(value, dict)
        and (not value.keys().isdisjoint(_names(shape)) or _may_be_empty(operation, value))
        and _fits(shape, value)
    )


def _may_be_empty(operation: Any, value: dict[str, Any]) -> bool:
    return not value and operation.name in _MAY_BE_EMPTY


def _names(shape: Any) -> dict[str, Any]:
    """Return the members of a structure by their names on the wire."""
    return {
        member.serialization.get("name", name): member for name, member in shape.members.items()
    }


def _fits(shape: Any, value: Any) -> bool:
    """Return whether decoded JSON has the types that the model names; null is an absent value."""
    if value is None:
        return True
    kind: str = shape.type_name
    expected: Any = _TYPES.get(kind, (int, float))
    if not isinstance(value, expected):
        return False
    if kind == "structure":
        names = _names(shape)
        return all(_fits(names[name], each) for name, each in value.items() if name in names)
    if kind == "map":
        return all(_fits(shape.value, each) for each in value.values())
    return kind != "list" or all(_fits(shape.member, each) for each in value)


def _is_xml_answer(operation: Any, status: int, body: bytes) -> bool:
    try:
        root = ET.fromstring(body)  # noqa: S314  # nosec B314 # as botocore reads it; expat bounds entities
    except (ET.ParseError, ValueError, LookupError):
        return False
    if status >= _REDIRECT:
        return _local(root) in ("ErrorResponse", "Response") and any(
            _local(each) == "Code" for each in root.iter()
        )
    if _local(root) != f"{operation.name}Response":
        return False
    shape = operation.output_shape
    if shape is None or not shape.members:
        return True
    wrapper = shape.serialization.get("resultWrapper")
    found = [each for each in root if _local(each) == wrapper] if wrapper else [root]
    names = _names(shape)
    return any(_local(member) in names for result in found for member in result)


def _local(element: ET.Element) -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]
