"""Principals that were deleted: their unique ids stand in policies and grants in their place.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drift.difference import Difference, decoded
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.drift.compare_policies import Slot
    from openai_ekm.drift.observed import Observed

__all__ = ["deleted_principals"]

_UNIQUE_ID: Final = re.compile(r"A(?:IDA|ROA|GPA|NPA|NVA|SCA|PKA|KIA|SIA)[A-Z0-9]{12,124}")


def deleted_principals(slots: Sequence[Slot], observed: Observed) -> Iterator[Difference]:
    """Yield each unique id that stands in a policy or a grant in place of a principal.

    AWS shows it once the principal is deleted. One of the same name that is made later is another
    principal, and the policy does not mean it.

    Args:
        slots: The documents.
        observed: What is there.
    """
    for slot in slots:
        if slot.observed is UNSEEN:
            continue
        meant = set(_ids(decoded(slot.meant))) if slot.meant is not UNSEEN else set()
        for each in dict.fromkeys(_ids(decoded(slot.observed))):
            if each not in meant:
                yield Difference(
                    check="deleted_principals",
                    subject=f"{each} in the {slot.subject}",
                    message=f"The {slot.subject} names {each}: the principal that it named was "
                    "deleted, and one of the same name made later is not meant by it.",
                    observed=each,
                )
    for grant in observed.snapshot.grants or ():
        grantee = grant.get("grantee_principal")
        if isinstance(grantee, str) and _UNIQUE_ID.fullmatch(grantee):
            yield Difference(
                check="deleted_principals",
                subject=f"{grantee} in a grant",
                message=f"A grant names {grantee}: its grantee was deleted.",
                remedy="Revoke the grant (aws kms revoke-grant).",
                observed=grantee,
            )


def _ids(document: Any) -> Iterator[str]:
    """Yield the unique ids among a document's principals."""
    statements = document.get("Statement") if isinstance(document, Mapping) else ()
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, Mapping):
            continue
        for element in ("Principal", "NotPrincipal"):
            named = statement.get(element)
            values = named.values() if isinstance(named, Mapping) else ()
            for value in values:
                for each in value if isinstance(value, list) else [value]:
                    if isinstance(each, str) and _UNIQUE_ID.fullmatch(each):
                        yield each
