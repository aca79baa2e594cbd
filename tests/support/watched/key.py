"""Changes of the key, done and refused."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    ALIAS,
    ALIAS_ARN,
    DEPLOYER,
    FOREIGN,
    KEY_ARN,
    KEY_ID,
    OTHER_KEY,
    ROOT,
    SERVICE,
    USER,
    api_event,
    of_key,
    refused,
    service_event,
    session_of,
)
from tests.support.watched.case import case, named
from tests.support.watched.changes import KEY_CHANGES, KMS_EVENTS

__all__ = ["KEY_CASES"]

KEY_CASES: Final = [
    *(
        case(f"a user calls {name}", api_event("kms", name, **of_key(KEY_ARN)), watch)
        for name, watch in KEY_CHANGES.items()
    ),
    *(
        case(
            f"the deployer calls {name}",
            api_event("kms", name, session_of(DEPLOYER), **of_key(KEY_ARN)),
            "maintenance-of-key",
        )
        for name in KEY_CHANGES
    ),
    *(
        case(f"a user calls {name} on another key", api_event("kms", name, **of_key(OTHER_KEY)))
        for name in KEY_CHANGES
    ),
    *(
        case(
            f"{named(who)} disables the key",
            api_event("kms", "DisableKey", who, **of_key(KEY_ARN)),
            "key-disabled",
        )
        for who in (ROOT, SERVICE, ADMINISTRATOR, FOREIGN)
    ),
    *(
        case(
            f"the record names the key by {text}",
            api_event("kms", "DisableKey", requestParameters={"keyId": text}),
            "key-disabled",
        )
        for text in (KEY_ARN, KEY_ID, ALIAS, ALIAS_ARN)
    ),
    case(
        "the record names another alias",
        api_event("kms", "DisableKey", requestParameters={"keyId": f"{ALIAS}-2"}),
    ),
    case(
        "an alias is made for the key",
        api_event(
            "kms",
            "CreateAlias",
            requestParameters={"aliasName": "alias/new", "targetKeyId": KEY_ID},
            resources=[{"ARN": f"{ALIAS_ARN}-new"}, {"ARN": KEY_ARN}],
        ),
        "key-alias-changed",
    ),
    case(
        "the alias is moved to another key",
        api_event(
            "kms",
            "UpdateAlias",
            requestParameters={"aliasName": ALIAS, "targetKeyId": OTHER_KEY},
            resources=[{"ARN": ALIAS_ARN}, {"ARN": OTHER_KEY}],
        ),
        "key-alias-changed",
    ),
    case(
        "the alias is deleted",
        api_event("kms", "DeleteAlias", requestParameters={"aliasName": ALIAS}),
        "key-alias-changed",
    ),
    case(
        "another alias of another key is deleted",
        api_event("kms", "DeleteAlias", requestParameters={"aliasName": f"{ALIAS}-2"}),
    ),
    *(case(f"KMS sends {kind}", service_event(kind), watch) for kind, watch in KMS_EVENTS.items()),
    *(
        case(f"KMS sends {kind} of another key", service_event(kind, OTHER_KEY))
        for kind in KMS_EVENTS
    ),
    case(
        "a refused change has resources",
        api_event("kms", "PutKeyPolicy", errorCode="AccessDenied", **of_key(KEY_ARN)),
        "key-change-refused",
    ),
    case(
        "a refused change names the key in its message alone",
        api_event(
            "kms",
            "ScheduleKeyDeletion",
            **refused(USER["arn"], "kms:ScheduleKeyDeletion", KEY_ARN),
        ),
        "key-change-refused",
    ),
    case(
        "a refused change names another key",
        api_event(
            "kms",
            "ScheduleKeyDeletion",
            **refused(USER["arn"], "kms:ScheduleKeyDeletion", OTHER_KEY),
        ),
    ),
    case(
        "a refused change names no key",
        api_event("kms", "DisableKey", errorCode="AccessDenied", requestParameters=None),
    ),
    case(
        "a refused change of the deployer keeps its severity",
        api_event(
            "kms", "DisableKey", session_of(DEPLOYER), errorCode="AccessDenied", **of_key(KEY_ARN)
        ),
        "key-change-refused",
    ),
    case("somebody reads the key policy", api_event("kms", "GetKeyPolicy", **of_key(KEY_ARN))),
]
