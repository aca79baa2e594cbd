"""The kind of value of each condition key for which AWS documents it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACCOUNT_KEYS",
    "BOOLEAN",
    "MULTIVALUED",
    "OF_PRINCIPAL",
    "OF_RESOURCE",
    "may_be_carried",
    "may_be_multivalued",
]

MULTIVALUED: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
        "kms:encryptioncontextkeys",
        "kms:grantoperations",
        "kms:resourcealiases",
        "sts:transitivetagkeys",
    }
)
BOOLEAN: Final = frozenset(
    {
        "aws:multifactorauthpresent",
        "aws:securetransport",
        "aws:viaawsservice",
        "aws:principalisawsservice",
        "kms:bypasspolicylockoutsafetycheck",
        "kms:grantisforawsresource",
        "kms:multiregion",
    }
)
# These follow from who asks; a request cannot say them differently.
OF_PRINCIPAL: Final = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principalservicename",
        "aws:principaltype",
        "aws:username",
        "kms:calleraccount",
    }
)
ACCOUNT_KEYS: Final = frozenset({"aws:principalaccount", "kms:calleraccount"})
# These follow from what is asked about, where the evaluator derives them.
OF_RESOURCE: Final = frozenset({"aws:resourceaccount", "aws:requestedregion"})
SINGLE_SERVICES: Final = ("aws:", "sts:", "kms:")


def may_be_multivalued(lookup: str) -> bool:
    """Return whether a request may hold several values of a key, or nobody here knows.

    Args:
        lookup: The key in lower case.
    """
    return lookup in MULTIVALUED or not lookup.startswith(SINGLE_SERVICES)


# Keys of KMS that a request may hold, for the actions that a claim says are possible.
# Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
OF_KEY: Final = (
    *("kms:calleraccount", "kms:viaservice", "kms:resourcealiases", "kms:multiregion"),
    *("kms:multiregionkeytype", "kms:keyorigin", "kms:keyspec", "kms:keyusage"),
    *("kms:customermasterkeyspec", "kms:customermasterkeyusage"),
)
CRYPTOGRAPHIC: Final = (*OF_KEY, "kms:encryptionalgorithm", "kms:requestalias")
CARRIED: Final = {
    "kms:putkeypolicy": (*OF_KEY, "kms:bypasspolicylockoutsafetycheck"),
    "kms:encrypt": CRYPTOGRAPHIC,
    "kms:decrypt": CRYPTOGRAPHIC,
}
OPEN_FAMILIES: Final = ("kms:encryptioncontext", "kms:recipientattestation:")


def may_be_carried(lookup: str, action: str) -> bool:
    """Return whether a request to KMS may hold a condition key.

    Args:
        lookup: The key in lower case.
        action: The action in lower case; one that the table does not have carries any.
    """
    if lookup.startswith("sts:"):
        return False
    if not lookup.startswith("kms:") or action not in CARRIED:
        return True
    open_family = CARRIED[action] is CRYPTOGRAPHIC and lookup.startswith(OPEN_FAMILIES)
    return open_family or lookup in CARRIED[action]
