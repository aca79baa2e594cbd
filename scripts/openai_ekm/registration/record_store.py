"""Where a record is kept, and the lease that lets one run at a time change it.

Source: docs/decisions/0003-claims-in-ssm.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from openai_ekm.registration.record import Record

__all__ = ["LEASE", "POLL", "RENEW_AFTER", "Held", "RecordStore"]

LEASE: Final = 90.0  # seconds without renewal until a lease may be taken over; > one HTTP call
RENEW_AFTER: Final = 20.0  # seconds since the last renewal
POLL: Final = 2.0  # seconds between two looks at a lease that another run holds


@dataclass(frozen=True, slots=True)
class Held:
    """Another run holds the lease.

    Args:
        holder: Who, in words (`host deploy-1, process 4711`).
        expires_in: Seconds until it may be taken over unless renewed; None: when it ends.
    """

    holder: str
    expires_in: float | None = None


class RecordStore(Protocol):
    """A record with its lease; one object is one run."""

    place: str

    def read(self) -> Record | None:
        """Return the record, None when there is none yet.

        Raises:
            RecordUnreadable: There is one, and this version cannot read it.
        """
        ...

    def try_claim(self) -> int | Held:
        """Take the lease once, without waiting; return its number or who holds it."""
        ...

    def still_held(self) -> bool:
        """Return whether this run's lease is the latest: asked before each write."""
        ...

    def renew(self) -> None:
        """Tell others that this run is alive."""
        ...

    def write(self, record: Record) -> None:
        """Replace the record as a whole."""
        ...

    def delete(self) -> None:
        """Delete the record; what the lease needs goes with `release`."""
        ...

    def release(self) -> None:
        """Give the lease back; harmless without one."""
        ...
