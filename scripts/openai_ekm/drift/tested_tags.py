"""The tags and aliases that policies test, by condition keys and by policy variables.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
(aws:ResourceTag, aws:PrincipalTag)
https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.policy.texts import texts_in

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["tested_tags", "tests_aliases"]

_TAG: Final = re.compile(r"aws:(?:resource|principal)tag/([^\"},]{1,128})", re.IGNORECASE)
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
