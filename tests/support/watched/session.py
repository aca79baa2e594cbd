"""What OpenAI's own session does that is not to read or write under the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.session import get_session

from tests.support.cloudtrail_events import KEY_ARN, OPENAI_SESSION, ROLE_ARN, api_event, of_key
from tests.support.watched.case import case
from tests.support.watched.changes import CHANGES, USES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SESSION_CASES"]

OTHERWISE: Final = "role-used-otherwise"
CLASSES: Final = {
    "AccessDenied": "errors-denied",
    "DisabledException": "errors-state",
    "KMSInvalidState": "errors-state",
    "InvalidState": "errors-state",
    "NotFound": "errors-missing",
    "Throttling": "errors-throttled",
    "LimitExceeded": "errors-throttled",
}
REFUSED: Final = {"errorCode": "AccessDenied"}
OF_ROLE: Final = {"requestParameters": {"roleArn": ROLE_ARN}}


def codes_of_kms() -> Iterator[str]:
    """Every error code that KMS's API names."""
    for shape in get_session().get_service_model("kms").error_shapes:
        yield shape.name


def class_of(code: str) -> str:
    """The class of an error: that of a beginning that is named, or else the last."""
    named = (watch for start, watch in CLASSES.items() if code.startswith(start))
    return next(named, "errors-other")


SESSION_CASES: Final = [
    *(
        case(
            f"OpenAI's session calls {service} {name}",
            api_event(service, name, OPENAI_SESSION, **detail),
            *(watch, OTHERWISE),
        )
        for service, name, detail, watch, _ in CHANGES
    ),
    *(
        case(
            f"OpenAI's session is refused {service} {name}",
            api_event(service, name, OPENAI_SESSION, **REFUSED, **detail),
            *([f"{subject}-change-refused"] if subject else []),
            OTHERWISE,
        )
        for service, name, detail, _, subject in CHANGES
    ),
    *(
        case(
            f"OpenAI's session calls {name}, {outcome}",
            api_event("kms", name, OPENAI_SESSION, **error, **of_key(KEY_ARN)),
            OTHERWISE,
        )
        for name in USES
        if name not in {"Encrypt", "Decrypt"}
        for outcome, error in (("and it is done", {}), ("and is refused", REFUSED))
    ),
    case(
        "OpenAI's session assumes the role again",
        api_event("sts", "AssumeRole", OPENAI_SESSION, **OF_ROLE),
        *("role-assumed-by-other", OTHERWISE),
    ),
    case(
        "OpenAI's session is refused to assume the role again",
        api_event("sts", "AssumeRole", OPENAI_SESSION, **REFUSED, **OF_ROLE),
        *("role-assume-refused", OTHERWISE),
    ),
    *(
        case(
            f"OpenAI's session calls {name} and is answered {code}",
            api_event("kms", name, OPENAI_SESSION, errorCode=code),
            class_of(code),
        )
        for code in codes_of_kms()
        for name in ("Encrypt", "Decrypt")
    ),
    case(
        "somebody sends an event of OpenAI's session under a source that only begins like AWS's",
        {**api_event("s3", "ListBuckets", OPENAI_SESSION), "source": "awsome.tools"},
    ),
    case(
        "OpenAI's session asks who it is",
        api_event("sts", "GetCallerIdentity", OPENAI_SESSION),
        OTHERWISE,
    ),
]
