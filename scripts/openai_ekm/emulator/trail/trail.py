"""Where records of calls go: to files, to a bus, to both, or nowhere."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from openai_ekm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from openai_ekm.emulator.trail.bus import EventBus
    from openai_ekm.emulator.trail.files import TrailFolder
    from openai_ekm.emulator.trail.records import Assumption, KeyChange, KeyUse

__all__ = ["Trail"]

_LOG = logging.getLogger(__name__)


class Trail:
    """A trail of the calls that are made in an emulated AWS.

    Args:
        clock: Returns Unix seconds.
        folder: Takes log files.
        bus: Takes events.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        folder: TrailFolder | None = None,
        bus: EventBus | None = None,
    ) -> None:
        self._clock = clock
        self._folder = folder
        self._bus = bus

    def deliver(self, calls: Sequence[Assumption | KeyUse | KeyChange]) -> None:
        """Deliver what AWS would record of some calls.

        As in AWS, a call has its answer whether or not its record can be delivered. A record that
        cannot be is said on standard error.

        Args:
            calls: In the order in which they were made.
        """
        records = [record for call in calls for record in call.records()]
        if self._folder is not None and records:
            try:
                self._folder.write(records, at=self._clock())
            except (OSError, ValueError) as error:
                _LOG.error("--trail: %s", printable(str(error)))
        if self._bus is not None:
            try:
                self._bus.put(records)
            except (BotoCoreError, ClientError, ValueError) as error:
                _LOG.error("--events: %s", printable(str(error)))
