"""Read bodies and query parameters, and refuse them in OpenAI's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from openai_ekm.emulator.errors import INVALID_FIELD, ApiError, invalid_pattern
from openai_ekm.emulator.store import Event, ExternalKeyRow, ProjectRow
from openai_ekm.json_reader import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from openai_ekm.emulator.settings import Settings

__all__ = ["choice", "flag", "json_object", "page_limit", "page_of", "parsed", "whole_number"]

_LARGEST_PAGE: Final = 100

Model = TypeVar("Model", bound=BaseModel)
T = TypeVar("T", ExternalKeyRow, ProjectRow, Event, dict[str, Any])


async def json_object(request: Request) -> dict[str, Any]:
    """Return the request's JSON object.

    Raises:
        ApiError: 400, when the content type or the body is not JSON, or it is no object.
    """
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise ApiError(
            400, f"Invalid Content-Type header ({content_type}), expected application/json."
        )
    try:
        body = read_json((await request.body()).decode(), pairs=dict)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(400, "We could not parse the JSON body of your request.")
    return body


def parsed(model: type[Model], body: dict[str, Any], settings: Settings) -> Model:
    """Return a body as a model.

    Raises:
        ApiError: For the first field that fails its check, in OpenAI's words.
    """
    try:
        read = model.model_validate(body)
    except ValidationError as error:
        raise _refusal(error) from None
    unknown = list(read.model_extra or ())
    if unknown and settings.unknown_members == "refuse":
        raise ApiError(
            INVALID_FIELD,
            f"Unknown parameter: '{unknown[0]}'.",
            param=unknown[0],
            code="unknown_parameter",
        )
    return read


def _refusal(failure: ValidationError) -> ApiError:
    first = failure.errors()[0]
    field, kind, found = str(first["loc"][0]), first["type"], first.get("input")
    context = first.get("ctx", {})
    if kind == "missing":
        return ApiError(
            INVALID_FIELD,
            f"Missing required parameter: '{field}'.",
            param=field,
            code="missing_required_parameter",
        )
    if kind == "string_pattern_mismatch":
        return invalid_pattern(field, context["pattern"])
    if kind == "literal_error" and isinstance(found, str):
        return unsupported_value(field, found, str(context["expected"]).replace(" or ", " and "))
    if kind == "string_too_short":
        return ApiError(
            INVALID_FIELD,
            f"Invalid '{field}': string too short. Expected a string with minimum length "
            f"{context['min_length']}, but got an empty string instead.",
            param=field,
            code="string_below_min_length",
        )
    return ApiError(
        INVALID_FIELD,
        f"Invalid type for '{field}': expected a string, but got {_json_type(found)} instead.",
        param=field,
        code="invalid_type",
    )


def unsupported_value(field: str, found: str, supported: str) -> ApiError:
    """Return the error for a value that is none of the supported ones."""
    return ApiError(
        INVALID_FIELD,
        f"Invalid value: '{found}'. Supported values are: {supported}.",
        param=field,
        code="invalid_value",
    )


def _json_type(value: Any) -> str:
    names = {
        "NoneType": "null",
        "bool": "a boolean",
        "int": "an integer",
        "float": "a decimal number",
        "list": "an array",
        "dict": "an object",
        "str": "a string",
    }
    return names.get(type(value).__name__, type(value).__name__)


def whole_number(request: Request, name: str) -> int | None:
    """Return a query parameter that is a whole number, or `None` when it is absent.

    Raises:
        ApiError: It is something else.
    """
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise ApiError(
            INVALID_FIELD,
            f"Invalid type for '{name}': expected an integer, but got a string instead.",
            param=name,
            code="invalid_type",
        ) from None


def page_limit(request: Request, default: int = 20, *, lowest: int = 1) -> int:
    """Return the size of the page that is asked for.

    Raises:
        ApiError: It is no whole number, or out of range.
    """
    number = whole_number(request, "limit")
    if number is None:
        return default
    if number < lowest:
        raise ApiError(
            INVALID_FIELD,
            f"Invalid 'limit': integer below minimum value. Expected a value >= {lowest}, "
            f"but got {number} instead.",
            param="limit",
            code="integer_below_min_value",
        )
    if number > _LARGEST_PAGE:
        raise ApiError(
            INVALID_FIELD,
            "Invalid 'limit': integer above maximum value. Expected a value <= "
            f"{_LARGEST_PAGE}, but got {number} instead.",
            param="limit",
            code="integer_above_max_value",
        )
    return number


def choice(request: Request, name: str, values: Sequence[str]) -> str | None:
    """Return a query parameter that is one of some values, or `None` when it is absent.

    Raises:
        ApiError: It is another one.
    """
    text = request.query_params.get(name)
    if text is None or text in values:
        return text
    quoted = [f"'{value}'" for value in values]
    raise unsupported_value(name, text, " and ".join(quoted))


def flag(request: Request, name: str) -> bool:
    """Return a query parameter that is true or false; absent is false."""
    return choice(request, name, ("true", "false")) == "true"


def page_of(
    request: Request, items: Sequence[T], limit: int, settings: Settings, *, cursor: str = "after"
) -> tuple[list[T], bool]:
    """Cut a page out of a list.

    Args:
        request: With the cursor: the id of the last item of the page before.
        items: Everything, in the order asked for.
        limit: Page size; 0 is an empty page.
        settings: What an unknown cursor does.
        cursor: Name of the query parameter.

    Returns:
        The page, and whether there is more behind it.

    Raises:
        ApiError: An unknown cursor, unless the settings say that it returns nothing.
    """
    start, last = 0, request.query_params.get(cursor)
    if last:
        ids = [item["id"] if isinstance(item, dict) else item.id for item in items]
        if last not in ids:
            if settings.unknown_after == "empty":
                return [], False
            raise ApiError(
                INVALID_FIELD,
                f"Invalid '{cursor}': no item with id '{last}'.",
                param=cursor,
                code="invalid_value",
            )
        start = ids.index(last) + 1
    page = list(items[start : start + limit])
    return page, limit > 0 and len(items) > start + limit
