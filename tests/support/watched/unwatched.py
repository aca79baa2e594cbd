"""Every other call that AWS has, about the same key, role, rules, topics, alarms and queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.session import get_session

from tests.support.cloudtrail_events import (
    ALIAS,
    KEY_ARN,
    MAINTENANCE,
    MANAGED_POLICY,
    ROLE_ARN,
    TOPIC,
    USER,
    api_event,
    of_key,
)
from tests.support.watched.case import Case, case
from tests.support.watched.changes import CHANGES, QUEUE, USES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UNWATCHED_CASES"]

RULE: Final = "openai-ekm.key-disabled"
# What a call can name of ours, by the parameters of CloudTrail's record.
OURS: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "kms": ({"keyId": KEY_ARN, "targetKeyId": KEY_ARN, "aliasName": ALIAS},),
    "iam": (
        {"roleName": "openai-ekm"},
        {"roleName": "openai-ekm-event-forwarder"},
        {"policyArn": MANAGED_POLICY},
    ),
    "sts": ({"roleArn": ROLE_ARN},),
    "cloudtrail": ({"name": "any", "trailName": "any"},),
    "events": ({"name": RULE, "rule": RULE},),
    "sns": ({"topicArn": TOPIC, "subscriptionArn": f"{TOPIC}:1"},),
    "monitoring": ({"alarmName": RULE, "alarmNames": [RULE]},),
    "sqs": ({"queueUrl": QUEUE},),
}
MODELS: Final = {"monitoring": "cloudwatch"}  # where botocore has another name than the event
WATCHED: Final = {(service, name) for service, name, _, _, _ in CHANGES}


def is_watched(service: str, name: str) -> bool:
    """Whether some watch sees this call, if it is about ours."""
    if service == "kms" and name.startswith(USES):
        return True
    return (service, name) in WATCHED or (service == "sts" and name.startswith("AssumeRole"))


def _calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each call that no watch sees and that can be about ours, with its parameters."""
    session = get_session()
    for service, ours in OURS.items():
        model = session.get_service_model(MODELS.get(service, service))
        for name in model.operation_names:
            shape = model.operation_model(name).input_shape
            members = {text[0].lower() + text[1:] for text in shape.members} if shape else set()
            for each in ours:
                parameters = {key: value for key, value in each.items() if key in members}
                if parameters and not is_watched(service, name):
                    yield service, name, parameters


def _unwatched() -> Iterator[Case]:
    for service, name, parameters in _calls():
        detail = {"requestParameters": parameters}
        if service == "kms":
            detail |= {"resources": of_key(KEY_ARN)["resources"]}
        named = ", ".join(f"{key} {value}" for key, value in parameters.items())
        for who, words in ((USER, "a user"), (MAINTENANCE[0], "maintenance")):
            yield case(
                f"{words} calls {service} {name}: {named}", api_event(service, name, who, **detail)
            )
        refused = api_event(service, name, errorCode="AccessDenied", **detail)
        yield case(f"a user is refused {service} {name}: {named}", refused)


UNWATCHED_CASES: Final = [
    *_unwatched(),
    # The managed policy counts by its versions, and a role by its name.
    *(
        case(
            f"a user calls {name} with our managed policy on another role",
            api_event(
                "iam", name, requestParameters={"roleName": "another", "policyArn": MANAGED_POLICY}
            ),
        )
        for name in ("AttachRolePolicy", "DetachRolePolicy")
    ),
]
