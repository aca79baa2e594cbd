"""Changes of the trail and of the monitoring itself."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    DEPLOYER,
    TOPIC,
    USER,
    api_event,
    session_of,
)
from tests.support.watched.case import case, elsewhere
from tests.support.watched.changes import WATCHER_CHANGES

__all__ = ["WATCHER_CASES"]

OTHER_QUEUE: Final = "https://x/1/my-openai-ekm-undelivered"

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
            f"{words} unsubscribes from a topic whose name begins like ours, {severity}",
            api_event("sns", "Unsubscribe", who, requestParameters={"subscriptionArn": topic}),
        )
        for words, who in (("a user", USER), ("the deployer", session_of(DEPLOYER)))
        for severity in ("critical", "warning", "info")
        for topic in (f"{TOPIC.replace('critical', severity)}-2:1",)
    ),
    *(
        case(
            f"{words} purges a queue whose name ends like ours",
            api_event("sqs", "PurgeQueue", who, requestParameters={"queueUrl": OTHER_QUEUE}),
        )
        for words, who in (("a user", USER), ("the deployer", session_of(DEPLOYER)))
    ),
    *(
        case(
            f"a user is refused {service} {name}",
            api_event(service, name, requestParameters=parameters, errorCode="AccessDenied"),
        )
        for service, name, parameters, _ in WATCHER_CHANGES
    ),
]
