"""Changes of the key of the monitoring's topics."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    FOREIGN,
    MAINTAINERS,
    MAINTENANCE,
    NAMESAKES,
    ROOT,
    SERVICE,
    TOPIC_KEY,
    USER,
    api_event,
    of_key,
)
from tests.support.watched.case import case, named
from tests.support.watched.changes import KEY_CHANGES

__all__ = ["TOPIC_KEY_CASES"]

WATCHED: Final = ("DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy")

TOPIC_KEY_CASES: Final = [
    *(
        case(
            f"{named(who)} calls {name} on the topics' key",
            api_event("kms", name, who, **of_key(TOPIC_KEY)),
            *(["topic-key-changed"] if name in WATCHED else []),
        )
        for name in KEY_CHANGES
        for who in (USER, ROOT, SERVICE, ADMINISTRATOR, FOREIGN, *NAMESAKES)
    ),
    *(
        case(
            f"{named(who)} calls {name} on the topics' key to maintain it",
            api_event("kms", name, who, **of_key(TOPIC_KEY)),
            "maintenance-of-key",
        )
        for name in KEY_CHANGES
        for who in MAINTAINERS
    ),
    *(
        case(
            f"{named(who)} is refused {name} on the topics' key",
            api_event("kms", name, who, errorCode="AccessDenied", **of_key(TOPIC_KEY)),
        )
        for name in KEY_CHANGES
        for who in (USER, MAINTENANCE[0])
    ),
]
