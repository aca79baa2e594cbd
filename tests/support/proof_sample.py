"""The module's own documents as a snapshot to prove things of, and short ways to prove them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from openai_ekm.proof import Proof, prove
from openai_ekm.snapshot import Snapshot
from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.module_policies import (
    DELEGATE_ALL,
    OPENAI,
    PROTECT,
    ROOT,
    TRUST,
    document,
    snapshot,
)

__all__ = [
    "ACCOUNT",
    "ADMINISTRATOR",
    "DELEGATE_ALL",
    "KEY",
    "NOW",
    "OPENAI",
    "PROTECT",
    "ROLE",
    "ROOT",
    "TRUST",
    "document",
    "failing",
    "proven",
    "snapshot",
]

ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/security/key-admin"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
Json = Any


def proven(found: Json) -> Proof:
    """The proof of a snapshot at a fixed time."""
    return prove(Snapshot.from_json(found), now=NOW)


def failing(found: Json) -> set[str]:
    """The claims that do not hold."""
    return {claim.id for claim in proven(found).claims if not claim.holds}
