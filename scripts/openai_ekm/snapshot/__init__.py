"""One value that holds all that bears on a key: documents, states, and what was not seen."""

from __future__ import annotations

from openai_ekm.snapshot.members import Alias, Calls, Customer, Key, NamedPolicy, Registration, Role
from openai_ekm.snapshot.snapshot import SCHEMA, Snapshot
from openai_ekm.snapshot.unseen import UNSEEN, Unseen, UnseenType

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
