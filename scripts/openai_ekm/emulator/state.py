"""The state that every route uses: one organization, its objects and its settings."""

from __future__ import annotations

import ipaddress
import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotations of a dependency

from openai_ekm.emulator import errors
from openai_ekm.emulator.faults import Fault, Faults
from openai_ekm.emulator.settings import Settings, networks_of
from openai_ekm.emulator.store import Event, ExternalKeyRow, ProjectRow, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai_ekm.emulator.auth import AdminKeys, Caller

__all__ = ["CloudCheck", "Emulator", "admitted"]

# Longer than any rehearsal; it bounds the memory of an emulator that is left running.
REQUESTS_KEPT = 10_000
DEFAULT_ORGANIZATION = "org-emulated"
_BLIND_SECONDS = 60.0  # of the fault eventual-lists, unless it says


class CloudCheck(Protocol):
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
        cloud: Checks a key as OpenAI does.
        settings: What is not publicly known.
        faults: What goes wrong on request.
        clock: Returns Unix seconds.
    """

    store: Store
    keys: AdminKeys
    cloud: CloudCheck
    clock: Callable[[], float]
    settings: Settings = field(default_factory=Settings)
    faults: Faults = field(default_factory=Faults)
    allowlists: list[tuple[float, str]] = field(init=False)
    requests: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))

    def __post_init__(self) -> None:
        """Make the default project, which every organization has."""
        self.allowlists = [(float("-inf"), self.settings.ip_allowlist)]
        with self.store.transaction():
            if not any(row.is_default for row in self.store.projects(include_archived=True)):
                self.store.add_project(
                    ProjectRow(
                        new_id("proj"), "Default project", created_at=self.clock(), is_default=True
                    )
                )

    @property
    def organization(self) -> str:
        """Return the organization's id, or the one that stands for any."""
        return self.settings.organization or DEFAULT_ORGANIZATION

    def change_settings(self, values: Mapping[str, Any]) -> None:
        """Change settings while it runs; a changed IP allowlist acts after its delay.

        Raises:
            BadInput: As `Settings.changed`.
        """
        changed = self.settings.changed(values)
        if changed.ip_allowlist != self.settings.ip_allowlist:
            self.allowlists.append((self.clock(), changed.ip_allowlist))
        self.settings = changed

    def may_call_from(self, address: str) -> bool:
        """Return whether the IP allowlist that is in force names an address."""
        acted = self.clock() - self.settings.ip_allowlist_delay_seconds
        networks = networks_of([text for at, text in self.allowlists if at <= acted][-1])
        try:
            return not networks or any(ipaddress.ip_address(address) in it for it in networks)
        except ValueError:  # no address, as in a test without sockets
            return False

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
        if "certificate-required" in faults or settings.mtls_required:
            raise errors.certificate_required(settings.mtls_code)
        caller = emulator.keys.caller(request.headers.get("authorization"))
        address = request.client.host if request.client else ""
        if "ip-not-authorized" in faults or not emulator.may_call_from(address):
            raise errors.ip_not_authorized(settings.ip_not_authorized_status)
        if "insufficient-quota" in faults:
            raise errors.insufficient_quota()
        if feature and ("feature-off" in faults or not settings.feature_enabled):
            raise errors.unsupported_endpoint()
        needed = scope or "api.audit_logs.read"
        if "missing-scope" in faults:
            raise errors.missing_scope(needed, status=settings.missing_scope_status)
        caller.require(needed, status=settings.missing_scope_status)
        return caller

    return admit
