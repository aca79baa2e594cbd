"""One list of registrations for a fleet, and when it may answer for an entry.

The list is made once, before any entry is begun; an entry claims its record later. It may
answer the entry's first look when the record, read under the claim, is not there at all: then
no run has begun to register under this record, before the list or after it. Whatever the list
shows for the entry is asked for again by its id. In every other case, a record that a run left
unfinished, that was retired, or whose registration is gone, and after any create that was not
answered, OpenAI is asked for a list of its own.

What that leaves open is somebody who registers the same key under another record, or by hand,
while the fleet runs. For that, a fleet that took long lists once more when it is done (`twins`).
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from ekm.admin_api.refusals import Kind, kind_of
from ekm.errors import EkmError
from ekm.registrar import matching, steps
from ekm.registrar.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ekm.admin_api.client import AdminApi
    from ekm.admin_api.objects import ExternalKey
    from ekm.registrar.fleet.manifest import Entry
    from ekm.registrar.intent import Intent

__all__ = ["LOOK_AGAIN_AFTER", "FleetList", "FleetRunner", "twins"]

LOOK_AGAIN_AFTER: Final = 600.0  # seconds that a list may be old without a second look at the end


class FleetList:
    """What OpenAI had registered when the fleet was begun, by role and key."""

    def __init__(self, keys: Iterable[ExternalKey]) -> None:
        self._by_arns: dict[tuple[str | None, str | None], list[ExternalKey]] = defaultdict(list)
        for key in keys:
            self._by_arns[key.role_arn, key.kms_arn].append(key)

    def of(self, intent: Intent) -> tuple[ExternalKey, ...]:
        """All that bears on an intent: registrations of the same role and key."""
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

    def carry_out(self, step: steps.Step) -> Any:
        """Carry a step out; the first list comes from the fleet when it may."""
        if isinstance(step, steps.ListKeys) and self._serves and self._listed is not None:
            self._serves = False
            try:
                return tuple(map(self._confirmed, self._listed.of(self._intent)))
            except EkmError as failure:
                # Deleted since, or not to be read yet: a list of its own says which.
                if kind_of(failure) is not Kind.GONE:
                    raise
        outcome = super().carry_out(step)
        if isinstance(step, steps.ReadRecord):
            self._serves = outcome is None
        elif isinstance(step, steps.WRITES):
            self._serves = False
        return outcome

    def _confirmed(self, listed: ExternalKey) -> ExternalKey:
        """A registration of the list as it is now."""
        if not matching.matches(self._intent, listed):
            return listed
        return self._openai.get_external_key(listed.id)


def twins(entries: Iterable[Entry], keys: Iterable[ExternalKey]) -> dict[str, tuple[str, ...]]:
    """Entries that OpenAI has registered more than once: name -> ids, in their order."""
    listed = FleetList(keys)
    found = {}
    for entry in entries:
        same = [key for key in listed.of(entry.intent) if matching.matches(entry.intent, key)]
        if len(same) > 1:
            found[entry.name] = tuple(sorted(key.id for key in same))
    return found
