"""The tags and aliases that policies test, by condition keys and by policy variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:ResourceTag, aws:PrincipalTag)
https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["tested_tags", "tests_aliases", "texts_in"]

_TAG: Final = re.compile(r"aws:(?:resource|principal)tag/([^\"},]{1,128})", re.IGNORECASE)
_DEEPEST: Final = 64  # levels of a document that are looked through
_ALIASES: Final = ("kms:resourcealiases", "kms:requestalias")


def tested_tags(documents: Iterable[Any]) -> frozenset[str]:
    """Return the names of tags that documents test, in small letters: AWS compares them so.

    Args:
        documents: Decoded policy documents.
    """
    return frozenset(
        name.lower()
        for document in documents
        for text in texts_in(document)
        for found in _TAG.finditer(text)
        # A blank at the end may be the name's, or stand before a variable's default.
        for name in (found[1], found[1].strip())
    )


def tests_aliases(documents: Iterable[Any]) -> bool:
    """Return whether a document tests aliases: then a further alias can let somebody do more.

    Args:
        documents: Decoded policy documents.
    """
    return any(
        name in text.lower()
        for document in documents
        for text in texts_in(document)
        for name in _ALIASES
    )


def texts_in(document: object, depth: int = 0) -> Iterator[str]:
    """Yield each text in a document, names of members included.

    So a name is found where no form is known.

    Args:
        document: Decoded JSON, or a text.
        depth: Levels that it stands under.
    """
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list) and depth < _DEEPEST:
        if isinstance(document, dict):
            yield from (name for name in document if isinstance(name, str))
        for each in document.values() if isinstance(document, dict) else document:
            yield from texts_in(each, depth + 1)
