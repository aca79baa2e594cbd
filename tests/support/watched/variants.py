"""Every case of an event: those of this package, and each change and use in every variant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    ALIAS,
    ALIAS_ARN,
    FOREIGN,
    KEY_ARN,
    KEY_ID,
    MAINTAINERS,
    MAINTENANCE,
    MANAGED_POLICY,
    NAMESAKES,
    OPENAI_CALLER,
    OPENAI_SESSION,
    OTHER_KEY,
    ROLE_ARN,
    ROOT,
    SERVICE,
    TOPIC,
    USER,
    api_event,
    of_key,
)
from tests.support.watched.case import Case, case, elsewhere, named
from tests.support.watched.changes import (
    CHANGES,
    FAILED_USE,
    KEY_CHANGES,
    ROLE_CHANGES,
    USES,
    WATCHER_CHANGES,
)
from tests.support.watched.key import KEY_CASES
from tests.support.watched.near_misses import near_misses
from tests.support.watched.role import ROLE_CASES
from tests.support.watched.session import SESSION_CASES
from tests.support.watched.topic_key import TOPIC_KEY_CASES
from tests.support.watched.unwatched import UNWATCHED_CASES
from tests.support.watched.use import USE_CASES
from tests.support.watched.watcher import WATCHER_CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CASES"]

_FORWARDER: Final = {"requestParameters": {"roleName": "openai-ekm-event-forwarder"}}
_MAINTAINED: Final = {"kms": "key", "iam": "role"}
_EVERYBODY: Final = (ROOT, SERVICE, ADMINISTRATOR, FOREIGN, *NAMESAKES)


def _variants() -> Iterator[Case]:
    """Each change by everybody, by those who maintain, refused, and as another event."""
    for service, name, detail, watch, subject in CHANGES:
        for who in _EVERYBODY:
            yield case(
                f"{service} {name} by {named(who)}", api_event(service, name, who, **detail), watch
            )
        maintained = f"maintenance-of-{_MAINTAINED.get(service, 'monitoring')}"
        for who in MAINTAINERS:
            yield case(
                f"{service} {name} by {named(who)}",
                api_event(service, name, who, **detail),
                maintained,
            )
        tried = [f"{subject}-change-refused"] if subject else []
        for who in (USER, MAINTENANCE[0]):
            yield case(
                f"{service} {name} by {named(who)} is refused",
                api_event(service, name, who, errorCode="AccessDenied", **detail),
                *tried,
            )


def _of_the_forwarder() -> Iterator[Case]:
    """Each change of the forwarder's role by everybody, by those who maintain, and refused."""
    for name in ROLE_CHANGES:
        for who in (*_EVERYBODY, *MAINTAINERS):
            yield case(
                f"{name} of the forwarder's role by {named(who)}",
                api_event("iam", name, who, **_FORWARDER),
                "maintenance-of-role" if who in MAINTAINERS else "forwarder-changed",
            )
        yield case(
            f"{name} of the forwarder's role is refused",
            api_event("iam", name, errorCode="AccessDenied", **_FORWARDER),
        )


OF_NAMESAKE: Final = (
    "on role openai-ekm-2 because",
    "on role openai-ekm-2",
    f"on {ROLE_ARN}-2 because",
    f"on {ROLE_ARN}-2",
)
_words_of_aws = [
    case(
        f"{name} is refused: {text}",
        api_event(service, name, errorCode="AccessDenied", errorMessage=text),
        *watches,
    )
    for service, name, texts, watches in (
        (
            "kms",
            "DisableKey",
            (f"not on {KEY_ARN} because", f"not on {KEY_ARN}"),
            ["key-change-refused"],
        ),
        ("kms", "Decrypt", (f"not on {KEY_ARN} because", f"not on {KEY_ARN}"), ["key-use-refused"]),
        ("kms", "Decrypt", (f"not on {OTHER_KEY}",), []),
        (
            "iam",
            "TagRole",
            (
                "on role openai-ekm because",
                "on role openai-ekm",
                f"on {ROLE_ARN} because",
                f"on {ROLE_ARN}",
            ),
            ["role-change-refused"],
        ),
        ("iam", "TagRole", OF_NAMESAKE, []),
        (
            "sts",
            "AssumeRole",
            (
                "on role openai-ekm because",
                "on role openai-ekm",
                f"on {ROLE_ARN} because",
                f"on {ROLE_ARN}",
            ),
            ["role-assume-refused"],
        ),
        ("sts", "AssumeRole", OF_NAMESAKE, []),
    )
    for text in texts
]
_NOBODY: Final = {"type": "WebIdentityUser", "userName": "sub"}
_more_uses = [
    *(
        case(
            f"an AssumeRole by {named(who)} is refused and names the role in its parameters",
            api_event(
                "sts",
                "AssumeRole",
                who,
                errorCode="AccessDenied",
                requestParameters={"roleArn": ROLE_ARN},
            ),
            "role-assume-refused",
        )
        for who in (OPENAI_CALLER, ADMINISTRATOR, *NAMESAKES)
    ),
    *(
        case(
            f"{name} of {role} by {words}",
            api_event("sts", name, who, **error, requestParameters={"roleArn": role}),
            seen,
        )
        for name in ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity")
        for role in (ROLE_ARN, ROLE_ARN.replace("openai", "OpenAI"))
        for words, who, error, seen in (
            ("a namesake", NAMESAKES[0], {}, "role-assumed-by-other"),
            ("somebody without an account", _NOBODY, {}, "role-assumed-by-other"),
            ("a user, refused", USER, {"errorCode": "AccessDenied"}, "role-assume-refused"),
        )
    ),
    *(
        case(
            f"{code} of OpenAI's session names the key",
            api_event("kms", "Encrypt", OPENAI_SESSION, errorCode=code, **of_key(KEY_ARN)),
            watch,
        )
        for code, watch in (*FAILED_USE.items(), ("LimitExceededException", "errors-throttled"))
    ),
    *(
        case(
            f"{named(who)} is refused {name}",
            api_event("kms", name, who, errorCode="AccessDenied", **of_key(KEY_ARN)),
            "key-use-refused",
        )
        for name in USES
        for who in (ROOT, SERVICE, ADMINISTRATOR, *NAMESAKES)
    ),
    *(
        case(
            f"a topic of severity {severity}: {name} by {named(who)}",
            api_event("sns", name, who, requestParameters={member: text}),
            watch,
        )
        for who, watch in (
            (USER, "topics-changed"),
            (MAINTENANCE[0], "maintenance-of-monitoring"),
        )
        for severity in ("info", "warning")
        for topic in (TOPIC.replace("critical", severity),)
        for name, member, text in (
            ("DeleteTopic", "topicArn", topic),
            ("Unsubscribe", "subscriptionArn", f"{topic}:1"),
        )
    ),
    case(
        "OpenAI's session calls Decrypt of another service",
        api_event("s3", "Decrypt", OPENAI_SESSION, **of_key(KEY_ARN)),
        "role-used-otherwise",
    ),
]
_texts_of_the_key: Final = (KEY_ARN, KEY_ID, ALIAS, ALIAS_ARN)
_first_call: Final = {watch: name for name, watch in reversed(KEY_CHANGES.items())}
_by_text = [
    *(
        case(
            f"{name} names the key by {text}, {outcome}",
            api_event("kms", name, who, requestParameters={"keyId": text}, **error),
            seen,
        )
        for watch, name in _first_call.items()
        for text in _texts_of_the_key
        for outcome, who, error, seen in (
            ("and is done", USER, {}, watch),
            ("and is refused", USER, {"errorCode": "AccessDenied"}, "key-change-refused"),
            ("by maintenance", MAINTENANCE[0], {}, "maintenance-of-key"),
        )
    ),
    *(
        case(
            f"CreateAlias names its target by {text}, {outcome}",
            api_event("kms", "CreateAlias", who, requestParameters={"targetKeyId": text}, **error),
            seen,
        )
        for text in _texts_of_the_key
        for outcome, who, error, seen in (
            ("and is done", USER, {}, "key-alias-changed"),
            ("and is refused", USER, {"errorCode": "AccessDenied"}, "key-change-refused"),
            ("by maintenance", MAINTENANCE[0], {}, "maintenance-of-key"),
        )
    ),
    *(
        case(
            f"a refused Decrypt names the key by {text}",
            api_event(
                "kms", "Decrypt", errorCode="AccessDenied", requestParameters={"keyId": text}
            ),
            "key-use-refused",
        )
        for text in _texts_of_the_key
    ),
]
_in_resources: Final = {"resources": of_key(KEY_ARN)["resources"]}
_by_resources = [
    *(
        case(
            f"the resources alone name the key in {name}, {outcome}",
            api_event("kms", name, who, **_in_resources, **error),
            seen,
        )
        for watch, name in (*_first_call.items(), ("key-alias-changed", "CreateAlias"))
        for outcome, who, error, seen in (
            ("and it is done", USER, {}, watch),
            ("and it is refused", USER, {"errorCode": "AccessDenied"}, "key-change-refused"),
            ("by maintenance", MAINTENANCE[0], {}, "maintenance-of-key"),
        )
    ),
    case(
        "the resources alone name the key in a refused Decrypt",
        api_event("kms", "Decrypt", errorCode="AccessDenied", **_in_resources),
        "key-use-refused",
    ),
    *(
        case(
            f"UpdateAlias names the key by {text}, as its record may",
            api_event("kms", "UpdateAlias", requestParameters={"keyId": text}),
            "key-alias-changed",
        )
        for text in _texts_of_the_key
    ),
]
_of_others = [
    *(
        case(
            f"{named(who)} is answered {code} without a key",
            api_event("kms", "Decrypt", who, errorCode=code),
        )
        for who in (ADMINISTRATOR, USER, NAMESAKES[0])
        for code in (*FAILED_USE, "LimitExceededException")
    ),
    *(
        case(
            f"maintenance calls {name} on another key",
            api_event("kms", name, who, **of_key(OTHER_KEY)),
        )
        for name in KEY_CHANGES
        for who in MAINTENANCE[:1]
    ),
    *(
        case(
            f"maintenance calls {name} on a role whose name begins like ours",
            api_event("iam", name, MAINTENANCE[0], requestParameters={"roleName": "openai-ekm-2"}),
        )
        for name in ROLE_CHANGES
    ),
    case(
        "maintenance makes a version of another policy",
        api_event(
            "iam",
            "CreatePolicyVersion",
            MAINTENANCE[0],
            requestParameters={"policyArn": f"{MANAGED_POLICY}-2"},
        ),
    ),
    *(
        case(
            f"maintenance calls {service} {name} on another instance's",
            api_event(
                service,
                name,
                MAINTENANCE[0],
                requestParameters={key: elsewhere(value) for key, value in parameters.items()},
            ),
        )
        for service, name, parameters, _ in WATCHER_CHANGES
        if service != "cloudtrail"
    ),
]
_first = [*KEY_CASES, *USE_CASES, *ROLE_CASES, *WATCHER_CASES]
_HITS: Final = (
    *_first,
    *_variants(),
    *_words_of_aws,
    *_more_uses,
    *_of_the_forwarder(),
    *_by_text,
    *_by_resources,
    *_of_others,
    *SESSION_CASES,
    *TOPIC_KEY_CASES,
)
CASES: Final = (*_HITS, *UNWATCHED_CASES, *near_misses(_HITS))
