"""One value that holds all that bears on a key: documents, states, and what was not seen."""

from __future__ import annotations

from ekm.snapshot.members import Alias, Calls, Customer, Key, NamedPolicy, Registration, Role
from ekm.snapshot.unseen import UNSEEN, Unseen, UnseenType
from ekm.snapshot.value import SCHEMA, Snapshot

__all__ = [
    "SCHEMA",
    "UNSEEN",
    "Alias",
    "Calls",
    "Customer",
    "Key",
    "NamedPolicy",
    "Registration",
    "Role",
    "Snapshot",
    "Unseen",
    "UnseenType",
]
