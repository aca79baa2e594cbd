"""What kind of value a condition key holds, where AWS says so.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html,
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from __future__ import annotations

from typing import Final

__all__ = ["BOOLEAN", "MULTIVALUED", "OF_PRINCIPAL", "OF_RESOURCE", "may_be_multivalued"]

MULTIVALUED: Final = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
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
# These follow from what is asked about, where the evaluator derives them.
OF_RESOURCE: Final = frozenset({"aws:resourceaccount", "aws:requestedregion"})
SINGLE_SERVICES: Final = ("aws:", "sts:", "kms:")


def may_be_multivalued(lookup: str) -> bool:
    """Whether a request may hold several values of a key, or nobody here knows.

    Args:
        lookup: The key in lower case.
    """
    return lookup in MULTIVALUED or not lookup.startswith(SINGLE_SERVICES)
