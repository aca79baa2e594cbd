"""What no policy can allow, whatever it says: where AWS lets permissions reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekm.evaluation.caller import CallerForm

if TYPE_CHECKING:
    from ekm.evaluation.request import Situation

__all__ = ["ACROSS_ACCOUNTS", "out_of_reach"]

# "Cross-account permission is effective only for the following operations": cryptographic ones and
# seven more. Each operation's page in the API reference says the same ("Cross-account use").
# Source:
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
ACROSS_ACCOUNTS = frozenset(
    {
        "kms:creategrant",
        "kms:decrypt",
        "kms:derivesharedsecret",
        "kms:describekey",
        "kms:encrypt",
        "kms:generatedatakey",
        "kms:generatedatakeypair",
        "kms:generatedatakeypairwithoutplaintext",
        "kms:generatedatakeywithoutplaintext",
        "kms:generatemac",
        "kms:getkeyrotationstatus",
        "kms:getpublickey",
        "kms:listgrants",
        "kms:reencryptfrom",
        "kms:reencryptto",
        "kms:retiregrant",
        "kms:revokegrant",
        "kms:sign",
        "kms:verify",
        "kms:verifymac",
    }
)


def out_of_reach(situation: Situation) -> str | None:
    """Why a request fails although every policy that bears on it allows it.

    Access is never delegated from one partition to another, and a federated user's credentials
    call no operation of STS but GetCallerIdentity.

    Args:
        situation: The request.

    Returns:
        The reason, or None when there is none.

    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_compare-resource-policies.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
    """
    caller, resource = situation.caller, situation.resource
    if caller.form is CallerForm.SERVICE:
        return None
    asked = situation.request
    if resource is not None and resource[1] != caller.partition:
        return (
            f"{caller.text} is in the partition {caller.partition}, and {asked.resource} is not: "
            "no access is delegated between partitions"
        )
    if situation.service == "sts" and caller.form is CallerForm.FEDERATED_USER:
        return f"a federated user cannot call {asked.action}"
    if (
        situation.service == "kms"
        and caller.account != situation.resource_account
        and resource is not None
        and situation.action not in ACROSS_ACCOUNTS
    ):
        return f"a permission for {asked.action} has no effect on a key of another account"
    return None
