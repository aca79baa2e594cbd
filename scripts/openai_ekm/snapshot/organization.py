"""The customer's organization, and the policies that it attaches from the root to the account.

Sources: https://docs.aws.amazon.com/organizations/latest/APIReference
(DescribeOrganization may be called from any member account; ListParents, ListPoliciesForTarget and
DescribePolicy only from the management account or by a delegated administrator);
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html and
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
(neither bears on the management account).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from openai_ekm.aws_session import list_items
from openai_ekm.snapshot.members import UNSEEN, UnseenType
from openai_ekm.snapshot.refusals import Refusals, code_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Organization", "read_organization"]

_ALONE: Final = "AWSOrganizationsNotInUseException"
_SCP: Final = "SERVICE_CONTROL_POLICY"
_RCP: Final = "RESOURCE_CONTROL_POLICY"
_DEEPEST: Final = 8  # root, five levels of units, account; and one for what AWS may add
_HINT: Final = "only the management account or a delegated administrator may ask"

Levels = tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Organization:
    """The policies that an organization imposes on an account.

    Args:
        id: `o-…`, `None` when the account is in none, or unseen.
        scps: A tuple of documents a level, from the root to the account, or unseen.
        rcps: The same.
    """

    id: str | UnseenType | None = UNSEEN
    scps: Levels | UnseenType = UNSEEN
    rcps: Levels | UnseenType = UNSEEN


def read_organization(
    make_client: Callable[[], Any], account: str, key_account: str, refusals: Refusals
) -> Organization:
    """Read what the credentials may see of the organization.

    Args:
        make_client: Makes a client of AWS Organizations.
        account: Of the role; twelve digits.
        key_account: Of the key. RCPs are read when it is the same account: there is one list in
            a snapshot.
        refusals: Takes the reason for what could not be read.

    Returns:
        What was seen. A level that cannot be read leaves the whole list unseen.
    """
    try:
        client = make_client()
        found = client.describe_organization()["Organization"]
    except ClientError as refusal:
        if code_of(refusal) == _ALONE:
            return Organization(None, (), ())
        return _unseen_organization(refusals, f"DescribeOrganization: {code_of(refusal)}")
    except BotoCoreError as failure:
        # A network that reaches IAM and KMS by endpoints need not reach this service.
        return _unseen_organization(refusals, f"DescribeOrganization: {type(failure).__name__}")
    organization = Organization(found.get("Id", UNSEEN))
    if found.get("FeatureSet") == "CONSOLIDATED_BILLING" or found.get("MasterAccountId") == account:
        return replace(organization, scps=(), rcps=())
    try:
        enabled = _enabled_types(client)
        targets = _targets(client, account)
    except (ClientError, BotoCoreError) as failure:
        for name in ("scps", "rcps"):
            refusals.reasons[name] = _reason(failure)
        return organization
    scps = _levels(client, targets, _SCP, refusals, "scps") if _SCP in enabled else ()
    rcps: Levels | UnseenType = ()
    if key_account != account:
        rcps = UNSEEN
        refusals.reasons["rcps"] = f"role and key are of two accounts, {account} and {key_account}"
    elif _RCP in enabled:
        rcps = _levels(client, targets, _RCP, refusals, "rcps")
    return replace(organization, scps=scps, rcps=rcps)


def _unseen_organization(refusals: Refusals, reason: str) -> Organization:
    for path in ("customer.organization", "scps", "rcps"):
        refusals.reasons[path] = reason
    return Organization()


def _enabled_types(client: Any) -> set[str]:
    """Return the types of policy that are switched on in the root; another one has no effect."""
    return {
        each["Type"]
        for root in list_items(client, "list_roots", "Roots")
        for each in root.get("PolicyTypes", ())
        if each.get("Status") == "ENABLED"
    }


def _targets(client: Any, account: str) -> list[str]:
    """Return root, units and account, from the top."""
    targets = [account]
    for _ in range(_DEEPEST):
        parents = list(list_items(client, "list_parents", "Parents", ChildId=targets[0]))
        if not parents:
            break
        targets.insert(0, parents[0]["Id"])
        if parents[0]["Type"] == "ROOT":
            break
    return targets


def _levels(
    client: Any, targets: list[str], kind: str, refusals: Refusals, path: str
) -> Levels | UnseenType:
    contents: dict[str, Any] = {}
    levels: list[tuple[Any, ...]] = []
    try:
        for target in targets:
            attached = [
                each["Id"]
                for each in list_items(
                    client, "list_policies_for_target", "Policies", TargetId=target, Filter=kind
                )
            ]
            for policy in attached:
                if policy not in contents:
                    described = client.describe_policy(PolicyId=policy)
                    contents[policy] = described["Policy"]["Content"]
            levels.append(tuple(contents[policy] for policy in attached))
    except (ClientError, BotoCoreError) as failure:
        refusals.reasons[path] = _reason(failure)
        return UNSEEN
    return tuple(levels)


def _reason(failure: Exception) -> str:
    if not isinstance(failure, ClientError):
        return type(failure).__name__
    code = code_of(failure)
    hint = f"; {_HINT}" if code.startswith("AccessDenied") else ""
    return f"{failure.operation_name}: {code}{hint}"
