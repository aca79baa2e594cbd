"""The caller's permissions: those of docs/permissions.md, decided on the policies that were read.

A test holds the table of permissions to the policies of the page.

A session policy cannot be read, and an SCP only by some accounts. The lines say what was not seen.

Source: docs/permissions.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.doctor.checks import Family, Line, State, unseen
from openai_ekm.errors import EkmError
from openai_ekm.evaluation import Outcome, Policies, Request, decide
from openai_ekm.evaluation.request import CallerForm, parse_caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.doctor.facts import Caller, Given, Organization, Permitted

__all__ = ["DEFAULT_NAME", "NEEDED", "UNUSED_KEY", "check_permissions", "delegation"]

_KEY: Final = "arn:aws:kms:REGION:ACCOUNT:key/*"
_ALIAS: Final = "arn:aws:kms:REGION:ACCOUNT:alias/NAME"
_ROLE: Final = "arn:aws:iam::ACCOUNT:role/NAME"
_ANY_ROLE: Final = "arn:aws:iam::ACCOUNT:role/*"
_ANY_POLICY: Final = "arn:aws:iam::*:policy/*"
_RECORD: Final = "arn:aws:ssm:REGION:ACCOUNT:parameter/openai-ekm/NAME"
_KEEP_RECORD: Final = ("ssm:DeleteParameter", "ssm:GetParametersByPath", "ssm:PutParameter")
_READ_ROLE: Final = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
)
_READ_POLICY: Final = ("iam:GetPolicy", "iam:GetPolicyVersion")

# Task -> resource -> actions.
NEEDED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "apply": {
        "*": ("kms:CreateKey", "kms:ListAliases"),
        _KEY: (
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:DescribeKey",
            "kms:EnableKeyRotation",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:PutKeyPolicy",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateKeyDescription",
        ),
        _ALIAS: ("kms:CreateAlias", "kms:DeleteAlias"),
        _ROLE: (
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePermissionsBoundary",
            "iam:DeleteRolePolicy",
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListInstanceProfilesForRole",
            "iam:ListRolePolicies",
            "iam:PutRolePermissionsBoundary",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
            "iam:UpdateRoleDescription",
        ),
        _RECORD: ("ssm:GetParametersByPath",),
    },
    "register": {
        _RECORD: _KEEP_RECORD,
        f"{_RECORD}/*": _KEEP_RECORD,
        _ROLE: _READ_ROLE,
        _ANY_POLICY: _READ_POLICY,
        _KEY: ("kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"),
        "*": ("kms:ListAliases",),
    },
    "drill": {
        _RECORD: _KEEP_RECORD,
        f"{_RECORD}/*": _KEEP_RECORD,
        _KEY: (
            "kms:DescribeKey",
            "kms:DisableKey",
            "kms:EnableKey",
            "kms:GetKeyPolicy",
            "kms:ListGrants",
            "kms:PutKeyPolicy",
        ),
        "*": ("kms:ListAliases",),
        _ANY_ROLE: (*_READ_ROLE, *_READ_POLICY),
        _ANY_POLICY: (*_READ_ROLE, *_READ_POLICY),
    },
}

_SHOWN: Final = 5  # actions that a line names
UNUSED_KEY: Final = "11111111-2222-4333-8444-555555555555"  # stands for a key that is to come
DEFAULT_NAME: Final = "openai-ekm"  # of the module
# Condition keys whose value is known of the calls that are tried.
_KNOWN_KEYS: Final = frozenset(
    {
        "aws:currenttime",
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalisawsservice",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:username",
        "aws:viaawsservice",
        "kms:calleraccount",
    }
)
_OF_ANY_KEY: Final = "kms:DescribeKey"  # the one action on a key that the module did not make
_REMEDY: Final = "docs/permissions.md has the whole policy for this task."


@dataclass(frozen=True, slots=True)
class _Tried:
    """Everything that bears on the decisions."""

    caller: Caller
    region: str
    time: str
    given: Given
    permitted: Permitted
    organization: Organization | None


def check_permissions(
    caller: Caller | None,
    permitted: Permitted | None,
    organization: Organization | None,
    given: Given,
    *,
    region: str,
    time: str,
    blocked: str | None,
) -> list[Line]:
    """Decide the actions of each task.

    Args:
        caller: Who asks.
        permitted: The caller's policies.
        organization: With the SCPs of the account.
        given: What is named, and the tasks that the caller is to do.
        region: Of the key.
        time: ISO 8601.
        blocked: Why nothing was read.
    """
    ids = {task: f"permissions_{task}" for task in NEEDED}
    if caller is None or permitted is None:
        why = blocked or "The caller is not known."
        return [unseen(each, why) for each in ids.values()]
    tried = _Tried(caller, region, time, given, permitted, organization)
    return [_task(check, task, tried) for task, check in ids.items()]


def _task(check: str, task: str, tried: _Tried) -> Line:
    if task not in tried.given.tasks:
        return unseen(check, f"Nobody asked for it: --for {task} does.")
    identity = tried.permitted.identity
    if isinstance(identity, EkmError):
        return unseen(
            check,
            f"The caller's policies could not be read: {identity.message}",
            "Allow the caller to read its own policies (docs/permissions.md, Who runs the doctor).",
        )
    asked = list(_requests(task, tried))
    policies = _policies(tried)
    answers = [(request, decide(request, policies[_is_kms(request)])) for request in asked]
    denied = [request for request, decision in answers if not decision.allowed]
    broken = next(
        (each.message for _, each in answers if each.outcome is Outcome.ERROR and each.message),
        None,
    )
    if broken is not None:
        return unseen(check, f"A policy of the caller cannot be read as one: {broken}.")
    if not denied:
        caveats = _caveats(tried, sorted(_unknown_keys(tried)))
        return Line(
            check, State.OK, f"The caller's policies allow all {len(asked)} actions{caveats}."
        )
    return _denied(check, task, tried, denied, f"of {len(asked)} actions")


def _denied(check: str, task: str, tried: _Tried, denied: list[Request], of_all: str) -> Line:
    """Return the line of a task for which the policies deny something."""
    unknown = sorted(_unknown_keys(tried))
    caveats = _caveats(tried, unknown)
    names = list(dict.fromkeys(each.action for each in denied))
    listed = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    of_key = {each.action for each in denied if each.resource == tried.given.kms_arn}
    if task == "apply" and of_key == set(names) and _OF_ANY_KEY not in of_key:
        return Line(
            check,
            State.WARNING,
            f"{len(denied)} {of_all} are denied, all of them on the key: {listed}{caveats}.",
            "A key that the module did not make needs kms:DescribeKey alone; for the module's own "
            "key use credentials that its key policy admits.",
        )
    if unknown:
        found = f"{len(denied)} {of_all} may be denied: {listed}{caveats}."
        return Line(check, State.WARNING, found, _REMEDY)
    found = f"{len(denied)} {of_all} are denied: {listed}{caveats}."
    return Line(check, State.FAILURE, found, _REMEDY, Family.AWS)


def _is_kms(request: Request) -> bool:
    """Return whether a request is decided with a key policy."""
    return request.action.startswith("kms:") and request.resource != "*"


def _policies(tried: _Tried) -> dict[bool, Policies]:
    """Return the policies in force: for a request about a key or an alias, and for others."""
    permitted, organization = tried.permitted, tried.organization
    scps = organization.scps if organization is not None else ()
    identity = permitted.identity
    assert not isinstance(identity, EkmError)  # nosec B101 # narrows the type
    boundary = permitted.boundary
    common: dict[str, Any] = {
        "identity": identity,
        "permissions_boundary": None if isinstance(boundary, str) else boundary,
        "scps": () if isinstance(scps, str) else scps,
    }
    key_policy = permitted.key_policy or delegation(tried.caller.account)
    return {False: Policies(**common), True: Policies(**common, resource=key_policy)}


def delegation(account: str) -> dict[str, Any]:
    """Return the key policy that leaves administration to the account's IAM, as the module does."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }


def _requests(task: str, tried: _Tried) -> Iterator[Request]:
    """Yield the calls of a task: what the module is named, or its default name."""
    caller = tried.caller
    context = {
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        "aws:CurrentTime": tried.time,
        "aws:RequestedRegion": tried.region,
    }
    role = parse_caller(tried.permitted.principal or "")
    if role is not None and role.form is CallerForm.ROLE:
        context["aws:PrincipalArn"] = role.text
    for template, actions in NEEDED[task].items():
        resource = _resource(template, tried)
        for action in actions:
            if task == "drill" and not _fits(action, resource):
                continue
            yield Request(
                caller.arn,
                action,
                resource,
                resource_account=caller.account,
                context={**context, "aws:RequestedRegion": _region_of(action, tried.region)},
            )


def _fits(action: str, resource: str) -> bool:
    """Return whether an action is about a resource: a role's, or a policy's."""
    of_policy = action in {"iam:GetPolicy", "iam:GetPolicyVersion"}
    return not action.startswith("iam:") or of_policy == (":policy/" in resource)


def _region_of(action: str, region: str) -> str:
    """Return the Region of a call: IAM has one, for the whole partition."""
    return "us-east-1" if action.startswith("iam:") else region


def _resource(template: str, tried: _Tried) -> str:
    given = tried.given
    kms_arn = given.kms_arn
    if template == "*":
        return "*"
    if ":key/" in template:
        if kms_arn is not None and ":key/" in kms_arn:
            return kms_arn
        template = template.replace("*", UNUSED_KEY)
    if ":role/" in template and given.role_arn is not None:
        return given.role_arn
    path = f"/openai-ekm/{DEFAULT_NAME}"
    if given.record is not None and given.record[0] == "ssm":
        path = given.record[1]
    template = template.replace("/openai-ekm/NAME/*", f"{path}/record")
    template = template.replace("/openai-ekm/NAME", path).replace("NAME", DEFAULT_NAME)
    template = template.replace("REGION", tried.region).replace("ACCOUNT", tried.caller.account)
    return template.replace("::*:", f"::{tried.caller.account}:").replace("/*", "/example")


def _unknown_keys(tried: _Tried) -> set[str]:
    """Return the condition keys that decide and whose value in a call is not known here."""
    documents: list[Any] = []
    for policies in _policies(tried).values():
        documents += [*policies.identity, policies.resource, policies.permissions_boundary]
        documents += [each for level in policies.scps for each in level]
    found: set[str] = set()
    for document in documents:
        found |= _condition_keys(document)
    return {each for each in found if each.lower() not in _KNOWN_KEYS}


def _condition_keys(document: Any) -> set[str]:
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return set()
    statements = document.get("Statement", ()) if isinstance(document, Mapping) else ()
    if isinstance(statements, Mapping):
        statements = (statements,)
    return {
        str(key)
        for statement in statements
        if isinstance(statement, Mapping)
        for block in (statement.get("Condition") or {}).values()
        if isinstance(block, Mapping)
        for key in block
    }


def _caveats(tried: _Tried, unknown: list[str]) -> str:
    """Return what the decisions leave open, as the end of a sentence."""
    said = []
    if unknown:
        shown = ", ".join(unknown[:_SHOWN]) + (" …" if len(unknown) > _SHOWN else "")
        said.append(f"conditions on {shown} depend on the call")
    organization = tried.organization
    if organization is None or isinstance(organization.scps, str):
        said.append("SCPs were not seen")
    if isinstance(tried.permitted.boundary, str):
        said.append("the permissions boundary was not seen")
    if tried.given.kms_arn is not None and tried.permitted.key_policy is None:
        said.append("the key policy was not seen and is taken to leave the key to IAM")
    form = parse_caller(tried.caller.arn)
    if form is not None and form.form is CallerForm.SESSION:
        said.append("a session policy cannot be seen")
    return f" ({'; '.join(said)})" if said else ""
