"""A set-up as it was meant, the same in AWS and at OpenAI, and short ways to change one of them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from openai_ekm.drift.compare import Drift, compare
from openai_ekm.drift.compare_openai import Registered
from openai_ekm.drift.difference import Difference, State
from openai_ekm.drift.intended import Intended
from openai_ekm.drift.observed import Observed
from openai_ekm.openai_api.objects import ExternalKey, Project
from openai_ekm.registration.intent import Intent
from openai_ekm.registration.record import Record
from openai_ekm.registration.record import State as Stage
from openai_ekm.snapshot import Snapshot
from tests.constants import ACCOUNT, KEY, ROLE
from tests.support.module_policies import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ROLE_ID = "AROAEXAMPLEEXAMPLEEX"
ALIAS = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/openai-ekm"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
Json = Any
INTENT = Intent(ROLE, KEY, "org-abc123", "openai-ekm")


def found() -> Json:
    """The snapshot of what was meant, as AWS would show it too."""
    body = copy.deepcopy(snapshot())
    body["role"] |= {"permissions_boundary": None, "max_session_duration": 3600, "tags": {}}
    body["keys"][0] |= {"state": "Enabled", "related": [], "multi_region": None, "tags": {}}
    body["aliases"] = [{"arn": ALIAS, "target": KEY}]
    body["grants"] = []
    return body


def intended(body: Json | None = None, **members: Any) -> Intended:
    """What was meant."""
    given: dict[str, Any] = {
        "source": "state",
        "instance": "module.ekm",
        "snapshot": Snapshot.from_json(body or found()),
        "makes_key": True,
        "role_unique_id": ROLE_ID,
        "boundary_arn": None,
        "rotation": True,
        "rotation_days": 365,
        "aliases": (ALIAS,),
        "protected": True,
        "record": "ssm:/openai-ekm/openai-ekm",
        "registers": True,
    }
    return Intended(**{**given, **members})


def observed(body: Json | None = None, **members: Any) -> Observed:
    """What AWS has."""
    given: dict[str, Any] = {
        "snapshot": Snapshot.from_json(body or found()),
        "role_unique_id": ROLE_ID,
        "role_created": "2026-01-01T00:00:00Z",
        "rotation": True,
        "rotation_days": 365,
    }
    return Observed(**{**given, **members})


def record(**members: Any) -> Record:
    """The record of the registration."""
    given: dict[str, Any] = {
        "state": Stage.REGISTERED,
        "claim": 1,
        "intent": INTENT,
        "base_url": "https://api.openai.com/v1",
        "external_key_id": "extkey_1",
        "projects": MappingProxyType({"chat": "proj_1"}),
        "registered_at": "2026-02-01T00:00:00Z",
        "organization": "org-abc123",
    }
    return Record(**{**given, **members})


def key(**members: Any) -> ExternalKey:
    """The registration."""
    given: dict[str, Any] = {
        "id": "extkey_1",
        "type": "aws",
        "purpose": "ekm",
        "name": "openai-ekm",
        "role_arn": ROLE,
        "kms_arn": KEY,
        "external_id": "org-abc123",
        "api_project_ids": ("proj_1",),
    }
    return ExternalKey(**{**given, **members})


def registered(**members: Any) -> Registered:
    """The record, and what OpenAI has."""
    own = members.get("key", key())
    given: dict[str, Any] = {
        "place": "ssm:/openai-ekm/openai-ekm",
        "record": record(),
        "key": own,
        "listed": () if own is None else (own,),
        "projects": (Project("proj_1", "chat", "extkey_1"),),
        "organization": "org-abc123",
    }
    return Registered(**{**given, **members})


def drift_of(
    change: Callable[[Json], object] | None = None,
    *,
    meant: Intended | None = None,
    seen: Observed | None = None,
    openai: Registered | None = None,
    **options: Any,
) -> Drift:
    """Compare, after a change of what AWS has.

    Args:
        change: Changes the snapshot of what AWS has.
        meant: What was meant, in place of the sample.
        seen: What AWS has, in place of the sample.
        openai: What the record and OpenAI have, in place of the sample.
        options: Of `compare`.
    """
    there = seen or observed()
    if change is not None:
        body = there.snapshot.as_json()
        change(body)
        there = replace(there, snapshot=Snapshot.from_json(body))
    return compare(meant or intended(), there, openai or registered(), **{"now": NOW, **options})


def told(drift: Drift, state: State = State.DRIFT) -> list[str]:
    """The checks that have a difference of a state, each once a difference."""
    return [each.check for each in drift.differences if each.state is state]


def only(drift: Drift) -> Difference:
    """The one difference."""
    (difference,) = drift.differences
    return difference
