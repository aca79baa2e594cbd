"""The tags that policies test, by condition keys and by policy variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:ResourceTag, aws:PrincipalTag)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["tested_tags"]

_TAG: Final = re.compile(r"aws:(?:resource|principal)tag/([^\"}\s,]{1,128})", re.IGNORECASE)
_DEEPEST: Final = 64  # levels of a policy that are looked through


def tested_tags(documents: Iterable[Any]) -> frozenset[str]:
    """Return the names of tags that documents test, in small letters: AWS compares them so.

    Args:
        documents: Decoded policy documents.
    """
    return frozenset(
        found[1].lower()
        for document in documents
        for text in _texts(document)
        for found in _TAG.finditer(text)
    )


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """Yield each text in a document, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list) and depth < _DEEPEST:
        if isinstance(value, dict):
            yield from (name for name in value if isinstance(name, str))
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each, depth + 1)
