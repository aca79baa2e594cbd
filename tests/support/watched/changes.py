"""The calls and events that are watched, each with its watch."""

from __future__ import annotations

from typing import Any, Final

from tests.support.cloudtrail_events import (
    ALIAS,
    KEY_ARN,
    MANAGED_POLICY,
    TOPIC,
    of_key,
)

__all__ = [
    "CHANGES",
    "FAILED_USE",
    "KEY_CHANGES",
    "KMS_EVENTS",
    "ROLE_CHANGES",
    "USES",
    "WATCHER_CHANGES",
]

QUEUE: Final = "https://x/1/openai-ekm-undelivered"
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
    ("sns", "PutDataProtectionPolicy", {"resourceArn": TOPIC}, "topics-changed"),
    ("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC}:1"}, "topics-changed"),
    ("sns", "SetSubscriptionAttributes", {"subscriptionArn": f"{TOPIC}:1"}, "topics-changed"),
    ("monitoring", "PutMetricAlarm", {"alarmName": "openai-ekm.silence"}, "alarms-changed"),
    ("monitoring", "DisableAlarmActions", {"alarmNames": ["openai-ekm.silence"]}, "alarms-changed"),
    ("monitoring", "DeleteAlarms", {"alarmNames": ["a", "openai-ekm.silence"]}, "alarms-changed"),
    ("sqs", "PurgeQueue", {"queueUrl": QUEUE}, "queue-changed"),
    ("sqs", "DeleteQueue", {"queueUrl": QUEUE}, "queue-changed"),
    ("sqs", "AddPermission", {"queueUrl": QUEUE}, "queue-changed"),
    ("sqs", "RemovePermission", {"queueUrl": QUEUE}, "queue-changed"),
    ("sqs", "SetQueueAttributes", {"queueUrl": QUEUE}, "queue-changed"),
)
FAILED_USE: Final = {
    "AccessDenied": "errors-denied",
    "AccessDeniedException": "errors-denied",
    "DisabledException": "errors-state",
    "KMSInvalidStateException": "errors-state",
    "InvalidStateException": "errors-state",
    "NotFoundException": "errors-missing",
    "ThrottlingException": "errors-throttled",
    "InvalidCiphertextException": "errors-other",
    "KMSInternalException": "errors-other",
}
# One of each kind, and the subject of the watch of a refusal; None where nobody is told of one.
CHANGES: Final[tuple[tuple[str, str, dict[str, Any], str, str | None], ...]] = (
    *(("kms", name, of_key(KEY_ARN), watch, "key") for name, watch in KEY_CHANGES.items()),
    *(
        ("kms", name, {"requestParameters": {"aliasName": ALIAS}}, "key-alias-changed", "key")
        for name in ("CreateAlias", "UpdateAlias", "DeleteAlias")
    ),
    *(
        ("iam", name, {"requestParameters": {"roleName": "openai-ekm"}}, watch, "role")
        for name, watch in ROLE_CHANGES.items()
    ),
    *(
        ("iam", name, {"requestParameters": {"policyArn": MANAGED_POLICY}}, watch, None)
        for name in ("CreatePolicyVersion", "SetDefaultPolicyVersion")
        for watch in ("role-managed-policy-changed",)
    ),
    *(
        (service, name, {"requestParameters": parameters}, watch, None)
        for service, name, parameters, watch in WATCHER_CHANGES
    ),
)
