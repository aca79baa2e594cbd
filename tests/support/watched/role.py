"""Changes of the role, and who assumes it."""

from __future__ import annotations

from typing import Final

from tests.support.cloudtrail_events import (
    ADMINISTRATOR,
    DEPLOYER,
    FOREIGN,
    MANAGED_POLICY,
    OPENAI_CALLER,
    ROLE_ARN,
    SERVICE,
    USER,
    api_event,
    refused,
    session_of,
)
from tests.support.watched.case import case, named
from tests.support.watched.changes import ROLE_CHANGES

__all__ = ["ROLE_CASES"]

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
    *(
        case(
            f"{words} calls {name} on {role}, in another case",
            api_event("iam", name, who, requestParameters={"roleName": role}),
            seen,
        )
        for role, watches in (
            ("OpenAI-EKM", ROLE_CHANGES),
            ("OPENAI-EKM-event-forwarder", dict.fromkeys(ROLE_CHANGES, "forwarder-changed")),
        )
        for name, watch in watches.items()
        for words, who, seen in (
            ("a user", USER, watch),
            ("the deployer", session_of(DEPLOYER), "maintenance-of-role"),
        )
    ),
    case(
        "a user is refused to delete the role by its name in another case",
        api_event(
            "iam",
            "DeleteRole",
            errorCode="AccessDenied",
            requestParameters={"roleName": "OpenAI-EKM"},
        ),
        "role-change-refused",
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
