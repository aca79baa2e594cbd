"""Changes of the trail and of the monitoring itself."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    DEPLOYER,
    api_event,
    session_of,
)
from tests.support.watched.case import case, elsewhere
from tests.support.watched.changes import WATCHER_CHANGES

__all__ = ["WATCHER_CASES"]

WATCHER_CASES: Final = [
    *(
        case(
            f"a user calls {service} {name}",
            api_event(service, name, requestParameters=parameters),
            watch,
        )
        for service, name, parameters, watch in WATCHER_CHANGES
    ),
    *(
        case(
            f"the deployer calls {service} {name}",
            api_event(service, name, session_of(DEPLOYER), requestParameters=parameters),
            "maintenance-of-monitoring",
        )
        for service, name, parameters, _ in WATCHER_CHANGES
    ),
    *(
        case(
            f"a user calls {service} {name} on another instance's",
            api_event(
                service,
                name,
                requestParameters={key: elsewhere(value) for key, value in parameters.items()},
            ),
        )
        for service, name, parameters, _ in WATCHER_CHANGES
        if service != "cloudtrail"
    ),
    *(
        case(
            f"a user is refused {service} {name}",
            api_event(service, name, requestParameters=parameters, errorCode="AccessDenied"),
        )
        for service, name, parameters, _ in WATCHER_CHANGES
    ),
]
