"""Uses of the key, by OpenAI and by others."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    DEPLOYER,
    FOREIGN,
    KEY_ARN,
    NAMESAKE,
    NAMESAKES,
    OPENAI_SESSION,
    OTHER_KEY,
    ROOT,
    SERVICE,
    USER,
    api_event,
    of_key,
    refused,
    session_of,
)
from tests.support.watched.case import case, named
from tests.support.watched.changes import FAILED_USE, USES

__all__ = ["USE_CASES"]

USE_CASES: Final = [
    *(
        case(
            f"{named(who)} calls {name}",
            api_event("kms", name, who, **of_key(KEY_ARN)),
            *("key-used-by-other",),
        )
        for name in USES
        for who in (USER, ROOT, SERVICE, ADMINISTRATOR, FOREIGN, *NAMESAKES)
    ),
    *(
        case(f"a user calls {name} with another key", api_event("kms", name, **of_key(OTHER_KEY)))
        for name in USES
    ),
    *(
        case(
            f"OpenAI's session calls {name}",
            api_event("kms", name, OPENAI_SESSION, **of_key(KEY_ARN)),
            "silence",
        )
        for name in ("Encrypt", "Decrypt")
    ),
    case(
        "the deployer decrypts",
        api_event("kms", "Decrypt", session_of(DEPLOYER), **of_key(KEY_ARN)),
        "key-used-by-other",
    ),
    case(
        "a user is refused to decrypt",
        api_event("kms", "Decrypt", **refused(USER["arn"], "kms:Decrypt", KEY_ARN)),
        "key-use-refused",
    ),
    case(
        "a user is refused to decrypt with another key",
        api_event("kms", "Decrypt", **refused(USER["arn"], "kms:Decrypt", OTHER_KEY)),
    ),
    *(
        case(
            f"OpenAI's session is answered {code}",
            api_event("kms", "Decrypt", OPENAI_SESSION, errorCode=code),
            watch,
        )
        for code, watch in FAILED_USE.items()
    ),
    case(
        "another session is answered AccessDenied",
        api_event("kms", "Decrypt", ADMINISTRATOR, errorCode="AccessDenied"),
    ),
    case(
        "OpenAI's session describes the key",
        api_event("kms", "DescribeKey", OPENAI_SESSION, **of_key(KEY_ARN)),
        "role-used-otherwise",
    ),
    case(
        "OpenAI's session decrypts with another key",
        api_event("kms", "Decrypt", OPENAI_SESSION, **of_key(OTHER_KEY)),
        "role-used-otherwise",
    ),
    case(
        "OpenAI's session lists buckets",
        api_event("s3", "ListBuckets", OPENAI_SESSION),
        "role-used-otherwise",
    ),
    case("a session of a namesake lists buckets", api_event("s3", "ListBuckets", NAMESAKE)),
]
