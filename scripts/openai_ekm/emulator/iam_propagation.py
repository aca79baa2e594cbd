"""The delay of IAM: a check sees the documents of some time ago, not the newest.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html
(changes that I make are not always immediately visible).
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from openai_ekm.snapshot import UNSEEN, Key, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.emulator.store import Store

__all__ = ["IamPropagation"]


class IamPropagation:
    """The role and policies as they are visible, some seconds after they were first seen.

    Key states, aliases and the existence of a key are not delayed: KMS acts on them at once.

    Args:
        store: Remembers what was first seen when, across restarts.
        seconds: How long a change takes to be visible; 0 shows everything at once.
        clock: Returns Unix seconds.
    """

    def __init__(self, store: Store, *, seconds: float, clock: Callable[[], float]) -> None:
        self._store = store
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()

    def visible(self, live: Snapshot) -> Snapshot:
        """Return what OpenAI's calls would meet now.

        Args:
            live: What was collected just now.

        Returns:
            The snapshot with role and policies as they were `seconds` ago; before anything was
            first seen, without a role.
        """
        if self._seconds <= 0:
            return live
        subject = json.dumps([live.registration.role_arn, live.registration.kms_arn])
        with self._lock, self._store.transaction():
            now = self._clock()
            seen = self._store.observations(subject)
            documents = _documents(live)
            if not seen or seen[-1][1] != documents:
                self._store.add_observation(subject, documents, at=now)
                seen.append((now, documents))
        settled = [text for at, text in seen if at <= now - self._seconds]
        if not settled:
            return replace(live, role=None)
        return _with_documents(live, json.loads(settled[-1]))


def _documents(live: Snapshot) -> str:
    """Return what settles late, in a form that can be compared and stored."""
    whole = live.as_json()
    kept = {name: whole[name] for name in ("role", "grants") if name in whole}
    policies = {key["arn"]: key["policy"] for key in whole.get("keys", ()) if "policy" in key}
    return json.dumps({**kept, "policies": policies}, sort_keys=True, default=str)


def _with_documents(live: Snapshot, documents: dict[str, Any]) -> Snapshot:
    """Put what has settled into a live snapshot."""
    whole = live.as_json()
    for name in ("role", "grants"):
        whole.pop(name, None)
        if name in documents:
            whole[name] = documents[name]
    settled = Snapshot.from_json(whole, strict=False)
    if live.keys is UNSEEN:
        return settled
    policies = documents["policies"]
    keys: tuple[Key, ...] = tuple(
        replace(key, policy=policies.get(key.arn, key.policy)) for key in live.keys
    )
    return replace(settled, keys=keys)
