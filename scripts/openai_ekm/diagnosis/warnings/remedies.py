"""The change that a warning offers: applied, judged again, and shown only if it holds.

It must meet the rules of a fix. A validation that passed still passes, nobody else gains anything,
an administrator can still change the key policy (claim (e) of the proof), and AWS saves the
documents. The change takes permissions from others, so it is offered and never part of the fixes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.judge import judge
from openai_ekm.diagnosis.malformed import complaint
from openai_ekm.diagnosis.repairs.gains import gain_of
from openai_ekm.diagnosis.result import Outcome
from openai_ekm.diagnosis.warnings.remedy_candidates import TAKEN, candidates, join_actions
from openai_ekm.openai_calls import call_decisions
from openai_ekm.openai_calls.requests import ENCRYPT
from openai_ekm.proof import prove
from openai_ekm.snapshot import Role

if TYPE_CHECKING:
    from datetime import datetime

    from openai_ekm.diagnosis.result import Warned
    from openai_ekm.diagnosis.warnings.remedy_candidates import Changes
    from openai_ekm.snapshot import Snapshot

__all__ = ["Remedies"]

_BY_HAND: Final = (
    "No change of this statement alone leaves the key in use and administrable: first give the "
    "role ({role}) and an administrator a statement of their own, then take {actions} out of it."
)


class Remedies:
    """Offers changes for the warnings about one snapshot.

    Args:
        snapshot: What was collected.
        repaired: The same with every fix applied: a remedy is followed beside the fixes.
        session_name: Name of OpenAI's session in the customer's role, where it is known.
        now: From when on something must be possible; None for the clock's time.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        repaired: Snapshot,
        *,
        session_name: str | None,
        now: datetime | None,
    ) -> None:
        self._snapshot = snapshot
        self._repaired = repaired
        self._session_name = session_name
        self._now = now

    def offered(self, warned: Warned) -> Warned:
        """Return a warning with the change that it offers, and words that say that change.

        Args:
            warned: About the snapshot.
        """
        if warned.fix:
            return warned
        for changes, words in candidates(self._snapshot, warned):
            if self._holds(changes, warned):
                return replace(warned, fix=changes, remedy=words or warned.remedy)
        if warned.id in TAKEN and warned.document.startswith("keys["):
            role = self._snapshot.role
            arn = role.arn if isinstance(role, Role) else "the role"
            words = _BY_HAND.format(role=arn, actions=join_actions(TAKEN[warned.id]))
            return replace(warned, remedy=words)
        return warned

    def _holds(self, changes: Changes, warned: Warned) -> bool:
        """Return whether a change lets OpenAI in, changes nobody else, and locks nobody out."""
        try:
            changed = patch.apply(self._snapshot, changes)
        except (KeyError, IndexError, TypeError):
            return False
        document, locked = warned.document, warned.id == "key_policy_locked"
        if _is_document(document) and complaint(changed, document) is not None:
            return False
        after = judge(changed, session_name=self._session_name).outcome
        if after not in {self._outcome, Outcome.OK} or self._undoes_a_fix(changes):
            return False
        if not locked and self._opens(changed, document):
            return False
        return _is_administrable(changed, self._now) or (not self._administrable and not locked)

    def _undoes_a_fix(self, changes: Changes) -> bool:
        """Return whether a change refuses OpenAI, which the fixes let in."""
        if self._repaired is self._snapshot:
            return False
        try:
            both = patch.apply(self._repaired, changes)
        except (KeyError, IndexError, TypeError):
            return True
        after = judge(both, session_name=self._session_name).outcome
        return after not in {self._mended, Outcome.OK}

    @cached_property
    def _mended(self) -> Outcome:
        return judge(self._repaired, session_name=self._session_name).outcome

    @cached_property
    def _outcome(self) -> Outcome:
        return judge(self._snapshot, session_name=self._session_name).outcome

    @cached_property
    def _administrable(self) -> bool:
        return _is_administrable(self._snapshot, self._now)

    def _opens(self, changed: Snapshot, document: str) -> bool:
        """Return whether others gain anything by a change of the key policy."""
        if not document.startswith("keys[") or not isinstance(changed.role, Role):
            return False
        keys = self._snapshot.registered_key, changed.registered_key
        if keys[0] is None or keys[1] is None:
            return False
        name = self._session_name
        before = call_decisions.use(ENCRYPT, self._snapshot, keys[0], session_name=name)
        after = call_decisions.use(ENCRYPT, changed, keys[1], session_name=name)
        return gain_of(before, after, "resource").others_gain > 0


def _is_administrable(snapshot: Snapshot, now: datetime | None) -> bool:
    (claim,) = prove(snapshot, now=now, only=("e",)).claims
    return claim.holds is True


def _is_document(path: str) -> bool:
    return path.startswith(("trust_policy", "permission_policies[", "keys["))
