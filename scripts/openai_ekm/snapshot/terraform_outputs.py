"""A snapshot from the module's outputs: what they know, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openai_ekm.errors import BadInput
from openai_ekm.policy import parse_arn
from openai_ekm.snapshot.members import (
    UNSEEN,
    Alias,
    Customer,
    Key,
    NamedPolicy,
    Registration,
    Role,
)
from openai_ekm.snapshot.snapshot import Snapshot

__all__ = ["made_of"]

POLICY_NAME = "AllowEncryptDecrypt"


def made_of(found: Mapping[str, Any], source: str) -> Snapshot:
    """Return the snapshot that a set of the module's values makes.

    Args:
        found: `role_arn`, `kms_arn`, `external_id`, `policies`, and what else the module tells.
        source: Where they came from, for messages.

    Raises:
        BadInput: One of the first four is missing.
    """
    missing = [
        name
        for name in ("role_arn", "kms_arn", "external_id")
        if not isinstance(found.get(name), str)
    ]
    policies = found.get("policies")
    if missing or not isinstance(policies, Mapping):
        raise BadInput(
            "outputs_without_documents",
            f"{source} lack {', '.join(missing) or 'policies'}, which a snapshot is made of.",
            at_fault="--from-terraform",
            remedy='Apply first; a root that calls the module needs: output "ekm" { value = '
            "module.ekm }",
        )
    ids = found.get("external_ids")
    key_arn, kms_arn, role_arn = found.get("key_arn"), found["kms_arn"], found["role_arn"]
    arn = key_arn if isinstance(key_arn, str) else kms_arn
    policy = policies.get("key_policy")
    key = Key(arn=arn, policy=UNSEEN if policy is None else policy)
    aliases = []
    if kms_arn != arn:
        aliases.append(Alias(kms_arn, arn))
    elif isinstance(alias := found.get("alias_arn"), str):
        aliases.append(Alias(alias, arn))
    parsed = parse_arn(role_arn)
    return Snapshot(
        registration=Registration(
            role_arn,
            kms_arn,
            found["external_id"],
            tuple(ids) if isinstance(ids, list | tuple) else None,
        ),
        role=Role(
            arn=role_arn,
            trust_policy=policies.get("trust_policy", UNSEEN),
            permission_policies=(
                NamedPolicy(POLICY_NAME, policies["permission_policy"], type="inline"),
            )
            if policies.get("permission_policy") is not None
            else UNSEEN,
        ),
        keys=(key,),
        aliases=tuple(aliases) if aliases else UNSEEN,
        customer=UNSEEN if parsed is None else Customer(account=parsed.account),
    )
