"""Before the cut: will it cut OpenAI off, and can the caller give access back? Pure.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html,
https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import account_of
from openai_ekm.drill import key_policy
from openai_ekm.drill.note import Method
from openai_ekm.errors import AwsRefused, BadInput, Conflict
from openai_ekm.evaluation import Outcome, Policies, Request, decide
from openai_ekm.evaluation.request import CallerForm, parse_caller
from openai_ekm.openai_calls import call_decisions
from openai_ekm.openai_calls.requests import DECRYPT, ENCRYPT
from openai_ekm.policy import ALLOW_ALL
from openai_ekm.snapshot import UNSEEN, Key, Role, Snapshot, UnseenType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.registration.intent import Intent

__all__ = ["AwsView", "Cut", "check_preconditions"]

_NEEDED: Final = {
    Method.KEY_POLICY: ("kms:PutKeyPolicy",),
    Method.DISABLE_KEY: ("kms:EnableKey", "kms:DisableKey"),
}


@dataclass(frozen=True, slots=True)
class AwsView:
    """The state of AWS before a cut.

    Args:
        snapshot: Role, key, policies, aliases and grants, as collected.
        caller: ARN of who would cut.
        caller_role: The role behind the caller, where it could be read.
    """

    snapshot: Snapshot
    caller: str
    caller_role: Role | UnseenType | None


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut that was found safe to make.

    Args:
        method: How.
        key_arn: The key's own ARN.
        aliases: ARNs of its aliases.
        former: The key policy now, to the letter.
        statement: What is added; None with DisableKey.
        text: The policy with it; None with DisableKey.
        unseen: What the check did not see, in sentences.
    """

    method: Method
    key_arn: str
    aliases: tuple[str, ...]
    former: str
    statement: Mapping[str, Any] | None
    text: str | None
    unseen: tuple[str, ...]


def check_preconditions(aws_view: AwsView, intent: Intent, method: Method) -> Cut:
    """Check everything that AWS's side can say before anything is cut.

    Args:
        aws_view: What was read a moment ago.
        intent: What is registered.
        method: How access is to be cut.

    Returns:
        The cut.

    Raises:
        AwsRefused: The key or its policy could not be read.
        BadInput: Credentials of another account; a policy that cannot take the statement.
        Conflict: The key is not in use (its state, its type), a drill's statement is there, or
            there is no way back for the caller.
    """
    _check_account(aws_view, intent)
    key, aliases = _key(aws_view, intent)
    _check_kind(key)
    former = str(key.policy)
    if method is Method.KEY_POLICY:
        statement: Mapping[str, Any] | None = key_policy.statement_for(intent.role_arn)
        text: str | None = key_policy.with_statement(former, statement or {})
        _check_denies(aws_view, intent, key, str(text))
    else:
        statement = text = None
    unseen = _check_way_back(aws_view, key, text or former, method)
    return Cut(method, key.arn, aliases, former, statement, text, unseen)


def _key(aws_view: AwsView, intent: Intent) -> tuple[Key, tuple[str, ...]]:
    keys = aws_view.snapshot.keys
    if keys is UNSEEN:
        raise _unseen_members("kms:DescribeKey", intent.kms_arn)
    if not keys:
        raise Conflict(
            "drill_key_not_usable",
            f"The KMS key {intent.kms_arn} does not exist.",
            at_fault=intent.kms_arn,
            remedy="`ekm status` shows record, registration and key.",
        )
    key = keys[0]
    if not isinstance(key.policy, str):
        raise _unseen_members("kms:GetKeyPolicy", key.arn)
    aliases = aws_view.snapshot.aliases
    if aliases is UNSEEN:
        raise _unseen_members("kms:ListAliases", key.arn)
    return key, tuple(alias.arn for alias in aliases)


def _check_account(aws_view: AwsView, intent: Intent) -> None:
    caller = parse_caller(aws_view.caller)
    account = account_of(intent.kms_arn)
    if caller is None or caller.account != account:
        raise BadInput(
            "wrong_account",
            f"The AWS credentials are {aws_view.caller}; the key is in account {account}, and a "
            "key policy is changed, and a key disabled, from its own account only.",
            at_fault="AWS credentials",
            remedy=f"Use credentials of account {account}.",
        )


def _check_kind(key: Key) -> None:
    found = {"state": key.state, "spec": key.spec, "usage": key.usage}
    wanted = {"state": "Enabled", "spec": "SYMMETRIC_DEFAULT", "usage": "ENCRYPT_DECRYPT"}
    wrong = [
        f"{name} is {found[name]}, not {each}"
        for name, each in wanted.items()
        if found[name] != each
    ]
    if wrong:
        raise Conflict(
            "drill_key_not_usable",
            f"The KMS key {key.arn} is not one to rehearse with: {'; '.join(wrong)}. "
            "Nothing was cut.",
            at_fault=key.arn,
            remedy="Bring the key back into use first (`ekm diagnose`), then run the drill.",
        )


def _check_denies(aws_view: AwsView, intent: Intent, key: Key, text: str) -> None:
    """Try the new policy on OpenAI's two uses: each must end at the drill's statement."""
    role = aws_view.snapshot.role
    if not isinstance(role, Role):
        role = Role(intent.role_arn, permission_policies=(), permissions_boundary=None)
    cut = replace(key, policy=text)
    snapshot = replace(aws_view.snapshot, role=role, keys=(cut,))
    for action in (ENCRYPT, DECRYPT):
        decision = call_decisions.use(action, snapshot, cut, session_name=None).decision
        if decision.outcome is not Outcome.EXPLICITLY_DENIED:
            raise Conflict(
                "drill_would_not_cut",
                f"With the drill's statement {action} by {role.arn} would be "
                f"{decision.outcome.value}, not denied by it. Nothing was cut.",
                at_fault="key policy",
                remedy="`ekm diagnose` shows role and policies; rehearse with --by disable-key.",
            )


def _check_way_back(aws_view: AwsView, key: Key, policy: str, method: Method) -> tuple[str, ...]:
    """Try what gives access back on the policy as it will be then."""
    caller = parse_caller(aws_view.caller)
    assert caller is not None  # nosec B101 # narrows the type
    role = aws_view.caller_role if isinstance(aws_view.caller_role, Role) else None
    own = role.permission_policies if role is not None else UNSEEN
    unseen: list[str] = []
    identity: tuple[Any, ...] = (ALLOW_ALL,)
    if own is not UNSEEN:
        identity = tuple(each.document for each in own)
    elif caller.form is not CallerForm.ROOT:
        unseen.append(f"the identity policies of {aws_view.caller} (taken to allow everything)")
    boundary = role.permissions_boundary if role is not None else None
    if boundary is UNSEEN:
        boundary = None
        unseen.append(f"the permissions boundary of {aws_view.caller}")
    unseen.append("the organization's policies")
    grants = aws_view.snapshot.grants
    policies = Policies(
        identity=identity,
        resource=policy,
        permissions_boundary=boundary,
        grants=() if grants is UNSEEN else grants,
    )
    for action in _NEEDED[method]:
        request = Request(
            aws_view.caller,
            action,
            key.arn,
            resource_account=account_of(key.arn),
            context=_context(aws_view, role),
        )
        decision = decide(request, policies)
        if not decision.allowed:
            why = decision.message or ", ".join(decision.missing) or "a statement denies it"
            raise Conflict(
                "drill_no_way_back",
                f"{aws_view.caller} could not give access back: {action} on {key.arn} would be "
                f"{decision.outcome.value} ({why}). Nothing was cut.",
                at_fault=aws_view.caller,
                remedy=f"Run the drill as an administrator of the key, who has {action} "
                "(docs/drill.md, permissions).",
            )
    return tuple(unseen)


def _context(aws_view: AwsView, role: Role | None) -> dict[str, str]:
    context = {"aws:SecureTransport": "true", "aws:ViaAWSService": "false"}
    if role is not None:
        context["aws:PrincipalArn"] = role.arn
    if aws_view.snapshot.calls.time is not None:
        context["aws:CurrentTime"] = aws_view.snapshot.calls.time
    return context


def _unseen_members(action: str, what: str) -> AwsRefused:
    return AwsRefused(
        "drill_key_unseen",
        f"{action} on {what} is not allowed to these credentials, and a drill cuts nothing that "
        "it cannot see.",
        at_fault="AWS credentials",
        remedy="docs/drill.md lists the permissions that a drill needs.",
    )
