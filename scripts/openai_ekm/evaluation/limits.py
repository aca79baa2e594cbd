"""Limits: requests that AWS refuses although every policy allows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.evaluation.caller import CallerForm
from openai_ekm.evaluation.services.kms import ALIAS_ACTIONS

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Situation

__all__ = ["ACROSS_ACCOUNTS", "exceeded_limit"]

# Aliases of the keys that AWS manages.
RESERVED_ALIAS = "alias/aws/"

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


def exceeded_limit(situation: Situation) -> str | None:
    """Return why a request fails although every policy that bears on it allows it.

    Access is never delegated from one partition to another, a federated user's credentials call
    no operation of STS but GetCallerIdentity, and no customer makes, moves or deletes an alias
    whose name begins with `alias/aws/`.

    Args:
        situation: The request.

    Returns:
        The reason, or None when there is none.

    Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_compare-resource-policies.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-create.html
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
    if (
        situation.action in ALIAS_ACTIONS
        and resource is not None
        and resource[-1].startswith(RESERVED_ALIAS)
    ):
        return f"{asked.resource} is an alias of AWS's own: {asked.action} is refused on it"
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
