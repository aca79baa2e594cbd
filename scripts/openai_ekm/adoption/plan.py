"""How a set-up made by hand comes under the module: imports, variables, what changes. Pure.

Sources: modules/key and modules/role (addresses, names, policies),
https://registry.terraform.io/providers/hashicorp/aws/latest/docs (import sections;
aws_kms_key: key id; aws_kms_alias: name; aws_iam_role: name; aws_iam_role_policy: role:policy).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.adoption.changes import (
    DEFAULT_ROTATION,
    POLICY_NAME,
    ROTATION,
    Change,
    Import,
    Names,
    changes,
    steps_after,
    steps_before,
)
from openai_ekm.adoption.policies import (
    administrators,
    admitting_openai,
    conditions,
    delegates,
    external_ids,
    only,
    statements_of,
)
from openai_ekm.arns import account_of
from openai_ekm.errors import BadInput, Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.adoption.aws import RoleFound, SetUp
    from openai_ekm.openai_api.objects import ExternalKey

__all__ = ["Adoption", "Change", "Import", "instance_name", "plan", "reason_to_keep_key"]

_INSTANCE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADMINISTRATOR: Final = re.compile(r"arn:aws:iam::[0-9]{12}:(?:role|user)/[\w+=,.@/-]+", re.ASCII)
_DEFAULT_SESSION: Final = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Adoption:
    """All that a person needs to bring a set-up under the module.

    Args:
        variables: Arguments of the module call.
        changes: What the first plan may show.
        before: Commands to run before the first apply, each with its reason.
        after: What to do after it, in sentences.
        notices: What else deserves a look.
    """

    module_address: str
    imports: tuple[Import, ...]
    variables: Mapping[str, Any]
    changes: tuple[Change, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    notices: tuple[str, ...]


def instance_name(record: str | None, role_name: str) -> str:
    """Return the module's `name`: the name of its record, else the name of the role.

    Args:
        record: `ssm:PREFIX`, `file:PATH`, or None.
        role_name: As IAM has it.
    """
    prefix = "ssm:/openai-ekm/"
    if record and record.startswith(prefix) and _INSTANCE.fullmatch(record[len(prefix) :]):
        return record[len(prefix) :]
    return re.sub(r"[^A-Za-z0-9_-]", "-", role_name)


def reason_to_keep_key(found: SetUp, kms_arn: str) -> str | None:
    """Return why the module cannot manage this key, None when it can.

    Args:
        found: As AWS has it.
        kms_arn: As it is registered.

    Raises:
        BadInput: The module can neither manage the key nor use it.
    """
    key = found.key
    wrong = None
    if key.spec != "SYMMETRIC_DEFAULT" or key.usage != "ENCRYPT_DECRYPT":
        wrong = f"it is {key.spec} for {key.usage}"
    elif key.manager != "CUSTOMER":
        wrong = f"it is managed by {key.manager}"
    elif account_of(key.arn) != account_of(found.role.arn):
        wrong = "it is in another account than the role"
    if wrong:
        raise BadInput(
            "key_not_adoptable",
            f"The module cannot work with {key.arn}: {wrong}.",
            at_fault="kms_arn",
            remedy="It needs a symmetric customer managed key of the role's account. Make a new "
            "instance of the module beside this set-up, and move the work there.",
        )
    if ":alias/" in kms_arn:
        return "an alias is registered, and the module registers its own keys by their ARN"
    if key.multi_region == "REPLICA":
        return "it is a replica, which is made from its primary key"
    if key.origin != "AWS_KMS":
        return f"its material is not KMS's own ({key.origin}), and the module's keys rotate"
    return None


def plan(
    found: SetUp,
    registration: ExternalKey,
    *,
    projects: tuple[str, ...],
    record: str | None,
    module_address: str,
    keep_key: bool,
    identity_suffices: bool | None,
) -> Adoption:
    """Return plan the take-over.

    Args:
        found: Key and role as AWS has them.
        registration: As OpenAI has it; all four members are there.
        projects: Names of its active projects.
        record: Where the record is, `ssm:PREFIX` or `file:PATH`.
        module_address: Of the module call, for example `module.ekm["prod"]`.
        keep_key: Leave key and key policy to their present owner (`kms_key_arn`).
        identity_suffices: Whether the role's own policies let it use the key once the key policy
            no more than delegates to the account; None where that could not be judged.

    Raises:
        Conflict: The role that was found is not the one that is registered.
        BadInput: The module cannot work with the key.
    """
    if found.role.arn != registration.role_arn:
        raise Conflict(
            "role_differs",
            f"OpenAI has {registration.role_arn}, and AWS has {found.role.arn}: the path is "
            "another, so OpenAI cannot assume it.",
            at_fault=registration.id,
            remedy="This registration does not work. Register the role that exists with "
            "`ekm register`.",
        )
    reason = reason_to_keep_key(found, registration.kms_arn or "")
    keep_key = keep_key or reason is not None
    if keep_key:
        identity_suffices = None  # the key policy stays, so nothing is in between
    name = instance_name(record, found.role.name)
    names = Names(module_address, found, name)
    policy = names.policy(put_by_hand=identity_suffices is False)
    variables: dict[str, Any] = {
        "external_ids": external_ids(registration.external_id or "", found.role.trust_policy),
        "name": name,
        **_role_variables(found.role, name, policy),
    }
    if keep_key:
        variables["kms_key_arn"] = registration.kms_arn
    else:
        variables |= _key_variables(found, name, names.alias())
    tags = dict(found.role.tags) if keep_key else {**found.role.tags, **found.key.tags}
    tags = {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}
    if tags:
        variables["tags"] = dict(sorted(tags.items()))
    if projects:
        variables["projects"] = list(projects)
    variables["registration"] = {} if registration.name == name else {"name": registration.name}
    return Adoption(
        module_address=module_address,
        imports=tuple(names.imports(policy, keep_key=keep_key)),
        variables=variables,
        changes=tuple(changes(names, found, variables, policy, keep_key=keep_key)),
        before=tuple(steps_before(found, identity_suffices)),
        after=tuple(steps_after(found, variables, policy)),
        notices=tuple(_notices(found, registration, reason, record, name)),
    )


def _role_variables(role: RoleFound, name: str, policy: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if role.name != name:
        values["role_name"] = role.name
    if role.path != "/":
        values["role_path"] = role.path
    if policy not in {None, POLICY_NAME}:
        values["role_policy_name"] = policy
    if role.boundary:
        values["permissions_boundary"] = role.boundary
    if role.max_session_duration != _DEFAULT_SESSION:
        values["max_session_duration"] = role.max_session_duration
    trust = only(admitting_openai(role.trust_policy))
    if trust and (extra := conditions(trust, leave_out="sts:externalid")):
        values["extra_trust_conditions"] = extra
    use = only(statements_of(role.inline[policy])) if policy and policy in role.inline else None
    if use and (extra := conditions(use)):
        values["extra_use_conditions"] = extra
    return values


def _key_variables(found: SetUp, name: str, alias: str | None) -> dict[str, Any]:
    key = found.key
    values: dict[str, Any] = {}
    if alias not in {None, name}:
        values["alias"] = alias
    if key.description:
        values["key_description"] = key.description
    if key.multi_region == "PRIMARY":
        values["multi_region"] = True
    if key.rotation_days not in {None, DEFAULT_ROTATION} and key.rotation_days in ROTATION:
        values["rotation_period_in_days"] = key.rotation_days
    account = account_of(key.arn)
    if any(delegates(statement, account) for statement in statements_of(key.policy)):
        values["key_policy_mode"] = "root_delegation"
    admitted = administrators(key, found.role.arn)
    named = sorted(arn for arn in admitted if _ADMINISTRATOR.fullmatch(arn))
    if named:
        values["administrators"] = named
        if admitted.isdisjoint({account, f"arn:aws:iam::{account}:root"}):
            values["account_root_administers"] = False
    return values


def _notices(
    found: SetUp, registration: ExternalKey, reason: str | None, record: str | None, name: str
) -> Iterator[str]:
    if reason:
        yield f"The key stays outside the module (kms_key_arn): {reason}."
    if found.key.state != "Enabled":
        yield f"The key is {found.key.state}: OpenAI cannot use it now."
    if registration.workspace_id:
        yield (
            f"{registration.id} is bound to the ChatGPT workspace {registration.workspace_id}: "
            "OpenAI never deletes it, so a destroy of the module will be refused. Keep its record."
        )
    if record != f"ssm:/openai-ekm/{name}":
        yield (
            f"The module keeps its record at ssm:/openai-ekm/{name}; its first apply adopts the "
            "registration there."
        )
    differing = sorted(
        tag
        for tag in found.key.tags
        if found.role.tags.get(tag, "") != found.key.tags[tag] and tag in found.role.tags
    )
    if differing:
        yield f"Key and role have other values for the tags {', '.join(differing)}; the key's win."
