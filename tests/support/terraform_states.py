"""Terraform's state after an apply of the module, as `terraform show -json` prints it."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["applied", "resource"]

Json = Any


def resource(address: str, **values: Any) -> Json:
    """A managed resource of a state."""
    kind = address.split(".")[-2]
    return {"address": address, "mode": "managed", "type": kind, "name": "this", "values": values}


def applied(
    role_arn: str,
    key_arn: str,
    policies: Json,
    *,
    prefix: str = "module.ekm.",
    beside: tuple[Json, ...] = (),
    **changes: Json,
) -> Json:
    """A state of one instance.

    Args:
        role_arn: ARN of the role.
        key_arn: ARN of the key.
        policies: `trust_policy`, `permission_policy` and `key_policy`.
        prefix: The beginning of every address.
        beside: Further resources.
        changes: Members of `role`, `key` and `guard` that differ.
    """
    role = {
        "arn": role_arn,
        "name": role_arn.rpartition("/")[2],
        "path": "/",
        "assume_role_policy": json.dumps(policies["trust_policy"]),
        "permissions_boundary": "",
        "max_session_duration": 3600,
        "tags_all": {},
        "inline_policy": [{"name": "ByHand", "policy": "{}"}],
        "managed_policy_arns": ["arn:aws:iam::aws:policy/ByHand"],
        **changes.get("role", {}),
    }
    key = {
        "arn": key_arn,
        "policy": json.dumps(policies["key_policy"]),
        "enable_key_rotation": True,
        "rotation_period_in_days": 365,
        "is_enabled": True,
        "multi_region": False,
        "tags_all": {},
        **changes.get("key", {}),
    }
    use = {
        "name": "AllowEncryptDecrypt",
        "role": role["name"],
        "policy": json.dumps(policies["permission_policy"]),
    }
    guard = {
        "name": "openai-ekm",
        "key_arn": key_arn,
        "deletion_protection": True,
        **changes.get("guard", {}),
    }
    resources = [
        resource(f"{prefix}terraform_data.documents", input=policies),
        resource(f"{prefix}terraform_data.deletion_guard", input=guard),
        resource(f"{prefix}module.role.aws_iam_role.this", **role),
        resource(f"{prefix}module.role.aws_iam_role_policy.use", **use),
        resource(f"{prefix}module.key[0].aws_kms_key.this", **key),
        resource(
            f"{prefix}module.key[0].aws_kms_alias.this",
            name="alias/openai-ekm",
            target_key_id=key_arn.rpartition("/")[2],
        ),
        *beside,
    ]
    child = {"address": prefix.rstrip("."), "resources": resources}
    return {
        "format_version": "1.0",
        "values": {"outputs": {}, "root_module": {"child_modules": [child]}},
    }
