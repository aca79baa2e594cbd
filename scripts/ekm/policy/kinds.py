"""The kinds of policy document, each with its own rules of what it may hold."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DocumentKind"]


class DocumentKind(StrEnum):
    """What a document is attached to; permissions boundaries and session policies are IDENTITY."""

    TRUST = "trust"
    IDENTITY = "identity"
    KEY = "key"
    SCP = "service control"
    RCP = "resource control"
