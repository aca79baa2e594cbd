"""What works and is wrong, one matter a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.diagnosis.warnings import key, permissions, trust
from ekm.snapshot import Role

if TYPE_CHECKING:
    from ekm.diagnosis.value import Diagnosis, Warned
    from ekm.snapshot import Snapshot

__all__ = ["warnings_of"]


def warnings_of(
    snapshot: Snapshot, verdict: Diagnosis, repaired: Snapshot, *, session_name: str | None
) -> tuple[Warned, ...]:
    """Return what is wrong although it may work.

    Args:
        snapshot: What was collected.
        verdict: How it was judged; a document that is malformed is not warned about.
        repaired: The same with every fix applied.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
    """
    if not isinstance(snapshot.role, Role) or verdict.outcome == "policy_malformed":
        return tuple(key.registered(snapshot))
    return (
        # While OpenAI itself is refused there, the fault says what its statement should be.
        *(
            trust.left_open(snapshot, repaired, session_name=session_name)
            if verdict.outcome == "assume_role_denied"
            else trust.warnings(snapshot, session_name=session_name)
        ),
        *permissions.warnings(snapshot),
        *key.warnings(snapshot),
        *key.registered(snapshot),
    )
