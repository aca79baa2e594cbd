"""What every route works with: one organization, its state, and how it is set to behave."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotations of a dependency

from ekm.emulator import errors
from ekm.emulator.faults import Fault, Faults
from ekm.emulator.settings import Settings
from ekm.emulator.store import Event, ExternalKeyRow, ProjectRow, Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from ekm.emulator.auth import AdminKeys, Caller

__all__ = ["Cloud", "Emulator", "admitted"]

# Longer than any rehearsal; it bounds the memory of an emulator that is left running.
REQUESTS_KEPT = 10_000
DEFAULT_ORGANIZATION = "org-emulated"
_BLIND_SECONDS = 60.0  # of the fault eventual-lists, unless it says


class Cloud(Protocol):
    """The customer's cloud, as OpenAI's service meets it."""

    def check(self, row: ExternalKeyRow, settings: Settings) -> None:
        """Prove that the key can be used.

        Raises:
            ApiError: What OpenAI answers when it cannot.
        """


@dataclass(slots=True)
class Emulator:
    """The emulated organization.

    Args:
        store: Its state.
        keys: The admin keys that it accepts.
        cloud: How a key is checked.
        settings: What is not publicly known.
        faults: What goes wrong on request.
        clock: Returns Unix seconds.
    """

    store: Store
    keys: AdminKeys
    cloud: Cloud
    clock: Callable[[], float]
    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))

    def __post_init__(self) -> None:
        """Make the default project, which every organization has."""
        with self.store.transaction():
            if not any(row.is_default for row in self.store.projects(include_archived=True)):
                self.store.add_project(
                    ProjectRow(
                        new_id("proj"), "Default project", created_at=self.clock(), is_default=True
                    )
                )

    @property
    def organization(self) -> str:
        """The organization's id, or the one that stands for any."""
        return self.settings.organization or DEFAULT_ORGANIZATION

    def default_project(self) -> ProjectRow:
        """Return the project that actions by an admin key are booked on."""
        return next(row for row in self.store.projects(include_archived=True) if row.is_default)

    def log_event(
        self, type: str, resource_id: str, details: dict[str, Any], caller: Caller
    ) -> None:
        """Write an event to the audit log."""
        self.store.add_event(
            Event(
                id=new_id("audit_log-", separator=""),
                type=type,
                effective_at=self.clock(),
                project_id=self.default_project().id,
                actor_key_id=caller.key_id,
                resource_id=resource_id,
                details=details,
            )
        )


def new_id(prefix: str, *, separator: str = "_") -> str:
    """Return a fresh opaque id."""
    return f"{prefix}{separator}{secrets.token_hex(12)}"


def emulator_of(request: Request) -> Emulator:
    """Return the emulator behind a request."""
    emulator: Emulator = request.app.state.emulator
    return emulator


def faults_of(request: Request) -> dict[str, Fault]:
    """Return the faults of this one call."""
    taken: dict[str, Fault] = request.scope.get("ekm.faults", {})
    return taken


def seen_as_of(request: Request, delay: float) -> float | None:
    """Return the moment that a list or read shows; `None` is now.

    Args:
        request: It may carry the fault eventual-lists.
        delay: Seconds, from the settings.
    """
    if (fault := faults_of(request).get("eventual-lists")) is not None:
        delay = _BLIND_SECONDS if fault.seconds is None else fault.seconds
    return emulator_of(request).clock() - delay if delay else None


def admitted(scope: str | None, *, feature: bool = False) -> Callable[[Request], Caller]:
    """Return the dependency that lets a caller in.

    Args:
        scope: Scope that the endpoint needs; `None` takes the one that audit logs need.
        feature: The endpoint exists only once EKM is enabled for the organization.
    """

    def admit(request: Request) -> Caller:
        emulator, faults = emulator_of(request), faults_of(request)
        settings = emulator.settings
        if "invalid-key" in faults:
            raise errors.invalid_key()
        if "incorrect-hostname" in faults:
            raise errors.incorrect_hostname()
        caller = emulator.keys.caller(request.headers.get("authorization"))
        if feature and ("feature-off" in faults or not settings.feature_enabled):
            raise errors.unsupported_endpoint()
        needed = scope or settings.audit_scope
        if "missing-scope" in faults:
            raise errors.missing_scope(needed, status=settings.missing_scope_status)
        caller.require(needed, status=settings.missing_scope_status)
        return caller

    return admit
