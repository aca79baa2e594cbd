"""One list of registrations for a fleet, and the rule when an entry may use it.

The fleet makes the list once, before it begins any entry; an entry takes its record's lease later.
An entry may use the list for its first look if its record, read under the lease, does not exist:
then no run has begun to register under this record, before the list or after it. The entry reads
each registration that the list shows for it again by its id. In every other case (a record that a
run left unfinished, that was retired, or whose registration is gone) and after a create without an
answer, the entry asks OpenAI for a list of its own.

One case remains: somebody registers the same key under another record, or by hand, while the fleet
runs. Therefore a fleet that took long makes the list once more at its end (`twins`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import EkmError
from openai_ekm.openai_api import Kind, kind_of
from openai_ekm.registration import matching, protocol
from openai_ekm.registration.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openai_ekm.fleet.manifest import Entry
    from openai_ekm.openai_api.client import AdminApi
    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.intent import Intent

__all__ = ["LOOK_AGAIN_AFTER", "FleetList", "FleetRunner", "twins"]

LOOK_AGAIN_AFTER: Final = 600.0  # seconds that a list may be old without a second look at the end


class FleetList:
    """The registrations at OpenAI when the fleet was begun, by role and key."""

    def __init__(self, keys: Iterable[ExternalKey]) -> None:
        self._by_arns: dict[tuple[str | None, str | None], list[ExternalKey]] = defaultdict(list)
        for key in keys:
            self._by_arns[key.role_arn, key.kms_arn].append(key)

    def of(self, intent: Intent) -> tuple[ExternalKey, ...]:
        """Return all that bears on an intent: registrations of the same role and key."""
        return tuple(self._by_arns.get((intent.role_arn, intent.kms_arn), ()))


class FleetRunner(Runner):
    """A runner whose first look at OpenAI's registrations the fleet's list may answer.

    Args:
        intent: The entry's.
        listed: The fleet's list, None when there is none.
        api: OpenAI.
        rest: As `Runner` takes it.
    """

    def __init__(
        self, intent: Intent, listed: FleetList | None, api: AdminApi, *rest: Any, **named: Any
    ) -> None:
        super().__init__(api, *rest, **named)
        self._openai = api
        self._intent = intent
        self._listed = listed
        self._serves = False

    def carry_out(self, step: protocol.Step) -> Any:
        """Carry a step out; the first list comes from the fleet when it may."""
        if isinstance(step, protocol.ListKeys) and self._serves and self._listed is not None:
            self._serves = False
            try:
                return tuple(map(self._confirm, self._listed.of(self._intent)))
            except EkmError as failure:
                # Deleted since, or not to be read yet: a list of its own says which.
                if kind_of(failure) is not Kind.GONE:
                    raise
        outcome = super().carry_out(step)
        if isinstance(step, protocol.ReadRecord):
            self._serves = outcome is None
        elif isinstance(step, protocol.WRITES):
            self._serves = False
        return outcome

    def _confirm(self, listed: ExternalKey) -> ExternalKey:
        """Return a registration of the list as it is now."""
        if not matching.matches(self._intent, listed):
            return listed
        return self._openai.get_external_key(listed.id)


def twins(entries: Iterable[Entry], keys: Iterable[ExternalKey]) -> dict[str, tuple[str, ...]]:
    """Return the entries that OpenAI has registered more than once: name -> ids, in their order."""
    listed = FleetList(keys)
    found = {}
    for entry in entries:
        same = [key for key in listed.of(entry.intent) if matching.matches(entry.intent, key)]
        if len(same) > 1:
            found[entry.name] = tuple(sorted(key.id for key in same))
    return found
