"""Measure what a change of a policy gives to others, and takes from them, by their requests.

Two changes may both let OpenAI's call pass and differ in who else passes. An exception for a
Region lets everybody use every service there; an exception for the role lets the role alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis.repairs.ownership import account_in
from openai_ekm.evaluation import decide
from openai_ekm.policy import ALLOW_ALL, MalformedPolicy
from openai_ekm.policy.arn import parse_arn
from openai_ekm.policy.letters import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.evaluation import Policies, Request
    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.openai_calls.call_decisions import Asked

__all__ = ["Gain", "gain_of"]

_STRANGER: Final = "999988887777"
_ALLOW_ALL_ON_KEY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*", "Resource": "*"}],
}
_ALLOW_ALL_ON_ROLE: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}],
}
_ON_KEYS: Final = (
    "kms:Encrypt", "kms:Decrypt", "kms:CreateGrant", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion",
)  # fmt: skip
_ELSEWHERE: Final = (
    ("s3:GetObject", "arn:aws:s3:::somebodys-bucket/object"),
    ("s3:PutObject", "arn:aws:s3:::somebodys-bucket/object"),
    ("ec2:RunInstances", "arn:aws:ec2:{region}:{account}:instance/*"),
    ("iam:CreateUser", "arn:aws:iam::{account}:user/somebody"),
)
# What is the caller's own in a request.
_OWN: Final = ("aws:principalarn", "aws:userid", "kms:calleraccount", "aws:principalaccount")


@dataclass(frozen=True, slots=True, order=True)
class Gain:
    """The number of probed requests that a change decides otherwise; fewer is better.

    Args:
        others_lose: Requests of others that were allowed and no longer are.
        others_gain: Requests of others that are newly allowed.
        caller_gains: Requests of the caller itself, that it does not need, that are newly allowed.
    """

    others_lose: int = 0
    others_gain: int = 0
    caller_gains: int = 0


def gain_of(before: Asked, after: Asked, layer: str) -> Gain:
    """Compare what two sets of policies let others do.

    Args:
        before: The call as it was refused.
        after: The same call once a change is made.
        layer: Of the document that is changed: `resource`, `identity`, `permissions_boundary`,
            `scps` or `rcps`. The other layers are taken to allow everything, so that what the
            document itself lets through shows.
    """
    if layer == "identity":
        probes = [(request, True) for request in _of_the_caller(before)]
    else:
        probes = list(_probes(before, layer))
    lose = gain = own = 0
    prepared: dict[tuple[int, str], PreparedPolicies] = {}
    for request, is_caller in probes:
        was, now = (
            _count_allowed(request, _documents_judged_by(asked, layer, request, prepared))
            for asked in (before, after)
        )
        if was == now:
            continue
        if is_caller:
            own += now
        else:
            gain += now
            lose += was
    return Gain(lose, gain, own)


def _count_allowed(request: Request, policies: PreparedPolicies | None) -> bool:
    return policies is not None and decide(request, policies).allowed


def _documents_judged_by(
    asked: Asked, layer: str, request: Request, kept: dict[tuple[int, str], PreparedPolicies]
) -> PreparedPolicies | None:
    service = request.action.partition(":")[0]
    place = (id(asked), service)
    if place not in kept:
        try:
            kept[place] = _policies(asked, layer, service).prepare(request.action)
        except MalformedPolicy:
            return None
    return kept[place]


def _policies(asked: Asked, layer: str, service: str) -> Policies:
    policies = asked.policies
    changes: dict[str, Any] = {"grants": ()}
    if layer != "identity":
        changes["identity"] = (ALLOW_ALL,)
    if layer != "permissions_boundary":
        changes["permissions_boundary"] = None
    if layer != "scps":
        changes["scps"] = ()
    if layer != "rcps":
        changes["rcps"] = ()
    ours = asked.request.action.partition(":")[0] == service
    if layer != "resource" or not ours:
        open_handed = {"kms": _ALLOW_ALL_ON_KEY, "sts": _ALLOW_ALL_ON_ROLE}
        changes["resource"] = open_handed.get(service)
    return replace(policies, **changes)


def _probes(asked: Asked, layer: str) -> Iterator[tuple[Request, bool]]:
    """Yield requests of others, and of the caller for what it does not need."""
    of_role, of_resource = (
        account_in(each) for each in (asked.request.principal, asked.request.resource)
    )
    accounts = dict.fromkeys((of_resource, of_role, _STRANGER))
    if layer in {"scps", "permissions_boundary"}:
        accounts = {of_role: None}  # these bear on principals of the caller's account alone
    requests = list(_requests(asked))
    for account in accounts:
        principal = f"arn:aws:iam::{account}:role/somebody-else"
        for request in requests:
            context = {k: v for k, v in request.context.items() if lower_ascii(k) not in _OWN}
            yield replace(request, principal=principal, context=context), False
    yield from ((request, True) for request in _of_the_caller(asked))


def _of_the_caller(asked: Asked) -> Iterator[Request]:
    for request in _requests(asked):
        needed = request.resource == asked.request.resource and request.action in {
            "kms:Encrypt", "kms:Decrypt", "sts:AssumeRole",
        }  # fmt: skip
        if not needed:
            yield request


def _requests(asked: Asked) -> Iterator[Request]:
    """Yield the call, and others in the same Region and account, under the same context."""
    first = asked.request
    arn = parse_arn(first.resource)
    if first.action.startswith("kms:") and arn is not None:
        other_key = f"{first.resource[:-1]}{'0' if first.resource[-1] != '0' else '1'}"
        for action in _ON_KEYS:
            yield replace(first, action=action)
            yield replace(first, action=action, resource=other_key)
        for action, resource in _ELSEWHERE:
            where = resource.format(region=arn.region, account=arn.account)
            yield replace(first, action=action, resource=where, resource_account=arn.account)
        return
    yield first
    yield replace(first, resource=f"{first.resource}-of-somebody")
