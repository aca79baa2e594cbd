"""The members of a pack that somebody gave as files, in the form that the page reads.

Such a file was checked only as far as the pack needs. Here each value gets the type that the page
expects: one of another type counts as not known, and everything else in the file is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openai_ekm.evidence.pack import Pack

__all__ = ["readable"]

_LARGEST: Final = 10**15  # of a count: a plot cannot draw more, and nobody counts so far


class Leaf(Enum):
    """The type of a value."""

    TEXT = "text, or null"
    COUNT = "number of things, at least 0"
    SECONDS = "seconds, or null"
    TRUTH = "true, false or null"
    OBJECT = "object, as it is"


@dataclass(frozen=True, slots=True)
class Nullable:
    """An object or a list that may be null."""

    shape: Any


TEXT, COUNT, SECONDS, TRUTH, OBJECT = Leaf

_CALLS: Final = dict.fromkeys(("calls", "failed", "openai", "others", "undecided"), COUNT)
_COUNTS: Final = {**_CALLS, "first": TEXT, "last": TEXT}
_EVENT: Final = dict.fromkeys(
    (
        *("time", "operation", "principal", "session", "source_ip", "summary", "reason"),
        *("error_code", "severity"),
    ),
    TEXT,
)
_EVENTS: Final = {"calls": COUNT, "events": [_EVENT]}
_STATEMENT: Final = {"document": TEXT, "statement": COUNT, "sid": TEXT, "effect": TEXT}
_REQUEST: Final = {"principal": TEXT, "action": TEXT, "resource": TEXT, "context": OBJECT}

_VALIDATION: Final = dict.fromkeys(
    ("external_key_id", "asked_at", "status", "request_id", "message"), TEXT
)
_FAILURE: Final = {
    "calls": COUNT,
    **dict.fromkeys(("operation", "code", "who", "side", "first", "last"), TEXT),
    **dict.fromkeys(("message", "diagnosis", "remedy"), TEXT),
}
_USAGE: Final = {
    "complete": TRUTH,
    "covered": {"first": TEXT, "last": TEXT},
    "unread": {"count": COUNT},
    "openai": {
        "sentence": TEXT,
        "first_use": TEXT,
        "last_use": TEXT,
        "assumptions": {"calls": COUNT},
    },
    "by_day": [{"day": TEXT, **_CALLS}],
    "by_operation": [{"operation": TEXT, **_COUNTS}],
    "by_principal": [{"principal": TEXT, **_COUNTS}],
    "by_session": [{"session": TEXT, **_COUNTS}],
    "by_region": [{"region": TEXT, **_COUNTS}],
    "failures": [_FAILURE],
    "others": _EVENTS,
    "undecided": _EVENTS,
    "unattributed": _EVENTS,
    "changes": _EVENTS,
}
_DRIFT: Final = {
    "answer": TEXT,
    "at": TEXT,
    "meant": TEXT,
    "checks": [{"id": TEXT, "title": TEXT, "side": TEXT, "answer": TEXT}],
    "differences": [
        {
            **dict.fromkeys(("subject", "state", "message", "remedy"), TEXT),
            "requests": [{"change": TEXT, "request": _REQUEST, "statements": [_STATEMENT]}],
            "accepted": Nullable({"reason": TEXT, "by": TEXT, "expires": TEXT}),
        }
    ],
    "notes": [TEXT],
}
_DRILL: Final = {
    "verb": TEXT,
    "result": TEXT,
    "holds": TRUTH,
    "access_is_back": TRUTH,
    "refusal": Nullable({"message": TEXT}),
    "seconds": {
        "cut_to_refusal": SECONDS,
        "restored_to_recovery": SECONDS,
        "interrupted": SECONDS,
    },
    "events": [{"event": TEXT, "at": TEXT, "text": TEXT}],
}
_ROTATION: Final = {
    "keys": [
        {
            "key_arn": TEXT,
            "enabled": TRUTH,
            "period_in_days": Nullable(COUNT),
            "next_rotation_at": TEXT,
            "rotations": Nullable([{"at": TEXT, "type": TEXT}]),
        }
    ]
}
_AUDIT_EVENTS: Final = {"events": [OBJECT]}


def readable(pack: Pack) -> Pack:
    """Return a pack whose given members have every value that the page reads, of its type.

    Args:
        pack: Its other members are made by this package.
    """
    return replace(
        pack,
        validation=_read(Nullable(_VALIDATION), pack.validation),
        usage=_read(Nullable(_USAGE), pack.usage),
        drift=_read(Nullable(_DRIFT), pack.drift),
        drills=tuple(_read([_DRILL], list(pack.drills))),
        rotation=_read(Nullable(_ROTATION), pack.rotation),
        audit_events=_read(Nullable(_AUDIT_EVENTS), pack.audit_events),
    )


def _read(shape: Any, value: Any) -> Any:
    """Return a value in a shape: a leaf, an object of shapes, or a list of one shape."""
    if isinstance(shape, Nullable):
        return None if value is None else _read(shape.shape, value)
    if isinstance(shape, Leaf):
        return _leaf(shape, value)
    if isinstance(shape, list):
        within = shape[0]
        objects = isinstance(within, dict) or within is OBJECT
        kept = value if isinstance(value, list | tuple) else ()
        return [_read(within, each) for each in kept if not objects or isinstance(each, Mapping)]
    held = value if isinstance(value, Mapping) else {}
    return {name: _read(each, held.get(name)) for name, each in shape.items()}


def _leaf(leaf: Leaf, value: Any) -> Any:
    if leaf is Leaf.TEXT:
        return value if isinstance(value, str) else None
    if leaf is Leaf.TRUTH:
        return value if isinstance(value, bool) else None
    if leaf is Leaf.OBJECT:
        return value if isinstance(value, Mapping) else {}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0 if leaf is Leaf.COUNT else None
    if leaf is Leaf.COUNT:
        return min(max(value, 0), _LARGEST) if isinstance(value, int) else 0
    return float(value) if math.isfinite(value) and abs(value) < _LARGEST else None
