"""The parts of the OpenAPI document that FastAPI cannot derive from the routes.

Bodies and queries are read by hand, so that refusals come in OpenAI's order and words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openai_ekm.emulator import schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

__all__ = ["answers", "body_schema", "list_parameters"]


def body_schema(*models: type[BaseModel]) -> dict[str, Any]:
    """Return the request body of an operation: one of some models."""
    schemas = [model.model_json_schema() for model in models]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def list_parameters(
    *,
    limit: tuple[int, int],
    flags: Sequence[str] = (),
    texts: Sequence[str] = (),
    lists: Sequence[str] = (),
    **choices: Sequence[str],
) -> dict[str, Any]:
    """Return the query parameters of a list.

    Args:
        limit: Lowest and highest page size.
        flags: Names of parameters that are true or false.
        texts: Names of further text parameters.
        lists: Names of parameters that may come several times.
        choices: Name to the values that it may have.
    """
    parameters = [
        _query("limit", {"type": "integer", "minimum": limit[0], "maximum": limit[1]}),
        _query("after", {"type": "string"}),
        *(
            _query(name, {"type": "string", "enum": list(values)})
            for name, values in choices.items()
        ),
        *(_query(name, {"type": "boolean", "default": False}) for name in flags),
        *(_query(name, {"type": "string"}) for name in texts),
        *(_query(name, {"type": "array", "items": {"type": "string"}}) for name in lists),
    ]
    return {"parameters": parameters}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def answers(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return the documented answers of an operation: the model, and the errors all share.

    The body itself is made in `wire`: which members it has is a setting.
    """
    texts = {
        400: "A field fails its check, or the cloud check failed",
        401: "The admin key is not accepted",
        403: "The admin key lacks a scope",
        404: "Not there, or not enabled",
        429: "Too many requests",
    }
    errors: dict[int | str, dict[str, Any]] = {
        status: {"model": schemas.ErrorBody, "description": text} for status, text in texts.items()
    }
    return {200: {"model": model, "description": "Done"}, **errors}
