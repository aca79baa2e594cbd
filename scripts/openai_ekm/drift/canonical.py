"""One form for values that are written differently and mean the same to AWS.

Order counts neither in a policy's lists nor among grants and tags, and a list of one text is the
text. So a difference keeps its id when AWS returns the same in another order. In a Condition a
truth value or a number is the text that AWS compares.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from openai_ekm.json_reader import UnreadableJsonError, read_json

__all__ = ["canonical", "decoded"]


def decoded(document: Any) -> Any:
    """Return a policy document as decoded JSON; a text that is no JSON object as it is.

    Args:
        document: JSON text, or what it decodes to.
    """
    if not isinstance(document, str):
        return document
    try:
        found = read_json(document)
    except UnreadableJsonError:
        return document
    return found if isinstance(found, dict) else document


def canonical(value: Any) -> Any:
    """Return a value in its one form.

    Args:
        value: JSON.
    """
    if isinstance(value, Mapping):
        return {
            str(name): canonical(_as_texts(each) if name == "Condition" else each)
            for name, each in sorted(value.items())
        }
    if isinstance(value, list | tuple):
        found = sorted((canonical(each) for each in value), key=_text)
        unique = [
            each for index, each in enumerate(found) if index == 0 or each != found[index - 1]
        ]
        return unique[0] if len(unique) == 1 and isinstance(unique[0], str) else unique
    return value


def _as_texts(value: Any) -> Any:
    """Return a Condition with texts for its values: Python takes True for 1, and AWS does not."""
    if isinstance(value, Mapping):
        return {name: _as_texts(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_as_texts(each) for each in value]
    return json.dumps(value) if isinstance(value, bool | int | float) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
