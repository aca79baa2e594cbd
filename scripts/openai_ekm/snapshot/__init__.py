"""One value that holds all that bears on a key: documents, states, and what was not seen."""

from __future__ import annotations

from openai_ekm.snapshot.members import (
    UNSEEN,
    Alias,
    Calls,
    Customer,
    Key,
    NamedPolicy,
    Registration,
    Role,
    Unseen,
    UnseenType,
)
from openai_ekm.snapshot.snapshot import SCHEMA, Snapshot

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
