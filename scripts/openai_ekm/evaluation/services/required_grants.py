"""Which of the policies must grant a request."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["RequiredGrants"]


class RequiredGrants(StrEnum):
    """The way in which a request is decided.

    RESOURCE: the resource's own policy is the root of all access to it (role, key).
    IDENTITY: the caller's identity policies decide.
    """

    RESOURCE = "resource"
    IDENTITY = "identity"
