"""Events of the key, the role and the monitoring, each with the watches that must see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    ALIAS,
    ALIAS_ARN,
    DEPLOYER,
    FOREIGN,
    KEY_ARN,
    KEY_ID,
    MANAGED_POLICY,
    NAMESAKE,
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
    refused,
    service_event,
    session_of,
)

__all__ = [
    "FAILED_USE",
    "KEY_CASES",
    "KEY_CHANGES",
    "ROLE_CASES",
    "ROLE_CHANGES",
    "USES",
    "USE_CASES",
    "WATCHER_CASES",
    "WATCHER_CHANGES",
    "Case",
    "case",
    "elsewhere",
    "named",
]


@dataclass(frozen=True, slots=True)
class Case:
    """One event.

    Attributes:
        name: What happens, in words.
        event: The event.
        watches: Ids of the watches that see it: all of them, and no other.
    """

    name: str
    event: dict[str, Any]
    watches: frozenset[str]


def case(name: str, event: dict[str, Any], *watches: str) -> Case:
    """A case with the watches that must see its event; without one it is a near miss."""
    return Case(name, event, frozenset(watches))


def named(who: dict[str, Any]) -> str:
    """An identity in words."""
    return f"{who['type']} {who.get('arn', who.get('accountId', 'of AWS'))}"


KEY_CHANGES: Final = {
    "DisableKey": "key-disabled",
    "ScheduleKeyDeletion": "key-deletion-scheduled",
    "DeleteImportedKeyMaterial": "key-material-removed",
    "PutKeyPolicy": "key-policy-changed",
    "CreateGrant": "key-grant-created",
    "RetireGrant": "key-grant-removed",
    "RevokeGrant": "key-grant-removed",
    "DisableKeyRotation": "key-rotation-stopped",
    "ReplicateKey": "key-replicated",
    "UpdatePrimaryRegion": "key-replicated",
    "TagResource": "key-tags-changed",
    "UntagResource": "key-tags-changed",
    "EnableKey": "key-restored",
    "CancelKeyDeletion": "key-restored",
    "ImportKeyMaterial": "key-restored",
    "EnableKeyRotation": "key-restored",
}
ROLE_CHANGES: Final = {
    "DeleteRole": "role-deleted",
    "UpdateAssumeRolePolicy": "role-trust-changed",
    "PutRolePolicy": "role-policies-changed",
    "DeleteRolePolicy": "role-policies-changed",
    "AttachRolePolicy": "role-policies-changed",
    "DetachRolePolicy": "role-policies-changed",
    "PutRolePermissionsBoundary": "role-boundary-changed",
    "DeleteRolePermissionsBoundary": "role-boundary-changed",
    "UpdateRole": "role-changed",
    "UpdateRoleDescription": "role-changed",
    "TagRole": "role-changed",
    "UntagRole": "role-changed",
}
KMS_EVENTS: Final = {
    "KMS CMK Deletion": "key-deleted",
    "KMS Imported Key Material Expiration": "key-material-expired",
    "KMS CMK Rotation": "key-rotated",
}
USES: Final = ("Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyPair")
WATCHER_CHANGES: Final[tuple[tuple[str, str, dict[str, Any], str], ...]] = (
    ("cloudtrail", "StopLogging", {"name": "any"}, "trail-changed"),
    ("cloudtrail", "DeleteTrail", {"name": "any"}, "trail-changed"),
    ("cloudtrail", "UpdateTrail", {"name": "any"}, "trail-changed"),
    ("cloudtrail", "PutEventSelectors", {"trailName": "any"}, "trail-changed"),
    ("events", "PutRule", {"name": "openai-ekm.key-disabled"}, "rules-changed"),
    ("events", "DisableRule", {"name": "openai-ekm.key-disabled"}, "rules-changed"),
    ("events", "DeleteRule", {"name": "openai-ekm.key-disabled"}, "rules-changed"),
    ("events", "PutTargets", {"rule": "openai-ekm.key-disabled"}, "rules-changed"),
    ("events", "RemoveTargets", {"rule": "openai-ekm.key-disabled"}, "rules-changed"),
    ("sns", "DeleteTopic", {"topicArn": TOPIC}, "topics-changed"),
    ("sns", "SetTopicAttributes", {"topicArn": TOPIC}, "topics-changed"),
    ("sns", "AddPermission", {"topicArn": TOPIC}, "topics-changed"),
    ("sns", "RemovePermission", {"topicArn": TOPIC}, "topics-changed"),
    ("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC}:1"}, "topics-changed"),
    ("sns", "SetSubscriptionAttributes", {"subscriptionArn": f"{TOPIC}:1"}, "topics-changed"),
    ("monitoring", "PutMetricAlarm", {"alarmName": "openai-ekm.silence"}, "alarms-changed"),
    ("monitoring", "DisableAlarmActions", {"alarmNames": ["openai-ekm.silence"]}, "alarms-changed"),
    ("monitoring", "DeleteAlarms", {"alarmNames": ["a", "openai-ekm.silence"]}, "alarms-changed"),
    ("sqs", "PurgeQueue", {"queueUrl": "https://x/1/openai-ekm-undelivered"}, "queue-changed"),
    ("sqs", "DeleteQueue", {"queueUrl": "https://x/1/openai-ekm-undelivered"}, "queue-changed"),
    (
        "sqs",
        "SetQueueAttributes",
        {"queueUrl": "https://x/1/openai-ekm-undelivered"},
        "queue-changed",
    ),
)
FAILED_USE: Final = {
    "AccessDenied": "errors-denied",
    "AccessDeniedException": "errors-denied",
    "DisabledException": "errors-state",
    "KMSInvalidStateException": "errors-state",
    "NotFoundException": "errors-missing",
    "ThrottlingException": "errors-throttled",
    "InvalidCiphertextException": "errors-other",
    "KMSInternalException": "errors-other",
}

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

USE_CASES: Final = [
    *(
        case(
            f"{named(who)} calls {name}",
            api_event("kms", name, who, **of_key(KEY_ARN)),
            *("key-used-by-other",),
        )
        for name in USES
        for who in (USER, ROOT, SERVICE, ADMINISTRATOR, FOREIGN, NAMESAKE)
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

ROLE_CASES: Final = [
    *(
        case(
            f"a user calls {name}",
            api_event("iam", name, requestParameters={"roleName": "openai-ekm"}),
            watch,
        )
        for name, watch in ROLE_CHANGES.items()
    ),
    *(
        case(
            f"the deployer calls {name}",
            api_event(
                "iam", name, session_of(DEPLOYER), requestParameters={"roleName": "openai-ekm"}
            ),
            "maintenance-of-role",
        )
        for name in ROLE_CHANGES
    ),
    *(
        case(
            f"a user calls {name} on a role whose name begins like ours",
            api_event("iam", name, requestParameters={"roleName": "openai-ekm-2"}),
        )
        for name in ROLE_CHANGES
    ),
    *(
        case(
            f"a user calls {name} on the forwarder's role",
            api_event("iam", name, requestParameters={"roleName": "openai-ekm-event-forwarder"}),
            "forwarder-changed",
        )
        for name in ROLE_CHANGES
    ),
    case(
        "a user deletes the role by its name in another case",
        api_event("iam", "DeleteRole", requestParameters={"roleName": "OpenAI-EKM"}),
        "role-deleted",
    ),
    *(
        case(
            f"a user calls {name} on {policy.rpartition('/')[2]}",
            api_event("iam", name, requestParameters={"policyArn": policy}),
            *watches,
        )
        for name in ("CreatePolicyVersion", "SetDefaultPolicyVersion")
        for policy, watches in {
            MANAGED_POLICY: ["role-managed-policy-changed"],
            f"{MANAGED_POLICY}-2": [],
        }.items()
    ),
    case(
        "the deployer makes a version of the managed policy",
        api_event(
            "iam",
            "CreatePolicyVersion",
            session_of(DEPLOYER),
            requestParameters={"policyArn": MANAGED_POLICY},
        ),
        "maintenance-of-role",
    ),
    *(
        case(
            f"a refused change names {resource}",
            api_event("iam", "DeleteRole", **refused(USER["arn"], "iam:DeleteRole", resource)),
            *watches,
        )
        for resource, watches in {
            "role openai-ekm": ["role-change-refused"],
            ROLE_ARN: ["role-change-refused"],
            "role openai-ekm-2": [],
            f"{ROLE_ARN}-2": [],
        }.items()
    ),
    *(
        case(
            f"{named(who)} assumes the role",
            api_event("sts", "AssumeRole", who, requestParameters={"roleArn": ROLE_ARN}),
            *watches,
        )
        for who, watches in (
            (OPENAI_CALLER, []),
            (FOREIGN, ["role-assumed-by-other"]),
            (ADMINISTRATOR, ["role-assumed-by-other"]),
            (USER, ["role-assumed-by-other"]),
            (SERVICE, ["role-assumed-by-other"]),
        )
    ),
    case(
        "a web identity assumes the role",
        api_event(
            "sts",
            "AssumeRoleWithWebIdentity",
            {"type": "WebIdentityUser", "userName": "sub"},
            requestParameters={"roleArn": ROLE_ARN},
        ),
        "role-assumed-by-other",
    ),
    case(
        "somebody assumes a role whose name begins like ours",
        api_event("sts", "AssumeRole", requestParameters={"roleArn": f"{ROLE_ARN}-2"}),
    ),
    *(
        case(
            f"a user is refused to assume {role.rpartition('/')[2]}",
            api_event("sts", "AssumeRole", **refused(USER["arn"], "sts:AssumeRole", role)),
            *watches,
        )
        for role, watches in {ROLE_ARN: ["role-assume-refused"], f"{ROLE_ARN}-2": []}.items()
    ),
]


def elsewhere(value: Any) -> Any:
    """The parameters of a change of another instance's monitoring."""
    if isinstance(value, list):
        return [elsewhere(each) for each in value]
    return str(value).replace("openai-ekm", "openai-ekm-2")


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
