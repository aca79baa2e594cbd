"""Whose word a request needs."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Route"]


class Route(StrEnum):
    """Which way a request is decided.

    RESOURCE: the resource's own policy is the root of all access to it (role, key).
    IDENTITY: the caller's identity policies decide.
    """

    RESOURCE = "resource"
    IDENTITY = "identity"
