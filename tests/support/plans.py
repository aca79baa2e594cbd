"""Plans of one role and one key, as `terraform show -json` prints them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.rehearsal.documents import UNKNOWN
from tests.constants import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/openai-ekm"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
# Where each document is written: the resource, and its argument.
WRITTEN: Final = {
    "trust_policy": ("module.role.aws_iam_role.this", "assume_role_policy"),
    "permission_policy": ("module.role.aws_iam_role_policy.use", "policy"),
    "key_policy": ("module.key[0].aws_kms_key.this", "policy"),
}


def policies(key: str | None) -> dict[str, Any]:
    """The module's documents; the key's ARN is left out while it is not known."""
    use: dict[str, Any] = {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt"]}
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::790389265272:role/EnterpriseKeyManagement"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": ["org-abc"]}},
    }
    by_role = {
        **use,
        "Principal": {"AWS": ROOT},
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}},
    }
    own = {**use, "Resource": key} if key else use
    return {
        name: {"Version": "2012-10-17", "Statement": [statement]}
        for name, statement in (
            ("trust_policy", trust),
            ("permission_policy", own),
            ("key_policy", by_role),
        )
    }


def a_plan(*prefixes: str) -> dict[str, Any]:
    """What `terraform show -json` prints of a plan that makes the key."""
    changes = []
    data = []
    for prefix in prefixes or ("module.ekm.",):
        changes += [
            {
                "address": f"{prefix}terraform_data.documents",
                "type": "terraform_data",
                "change": {
                    "after": {"input": policies(None)},
                    "after_unknown": {
                        "id": True,
                        "input": {"permission_policy": {"Statement": [{"Resource": True}]}},
                    },
                },
            },
            {
                "address": f"{prefix}module.key[0].aws_kms_key.this",
                "type": "aws_kms_key",
                "change": {
                    "after": {
                        "customer_master_key_spec": "SYMMETRIC_DEFAULT",
                        "key_usage": "ENCRYPT_DECRYPT",
                        "is_enabled": True,
                        "multi_region": False,
                    },
                    "after_unknown": {"arn": True},
                },
            },
            {
                "address": f"{prefix}module.role.aws_iam_role.this",
                "type": "aws_iam_role",
                "change": {
                    "after": {
                        "name": "openai-ekm",
                        "path": "/team/",
                        "permissions_boundary": None,
                        "max_session_duration": 3600,
                    },
                    "after_unknown": {"arn": True},
                },
            },
            {
                "address": f"{prefix}module.role.aws_iam_role_policy.use",
                "type": "aws_iam_role_policy",
                "change": {
                    "after": {"name": "AllowEncryptDecrypt", "role": "openai-ekm"},
                    "after_unknown": {"id": True},
                },
            },
        ]
        data += [
            {
                "address": f"{prefix}data.{kind}.current",
                "mode": "data",
                "type": kind,
                "values": values,
            }
            for kind, values in (
                ("aws_caller_identity", {"account_id": ACCOUNT}),
                ("aws_region", {"id": "eu-west-1"}),
            )
        ]
    return write_documents(
        {
            "resource_changes": changes,
            "prior_state": {"values": {"root_module": {"resources": data}}},
        }
    )


def write_documents(body: dict[str, Any]) -> dict[str, Any]:
    """Let role, policy and key of each instance write what its note says, as the module does."""
    changes = {each["address"]: each["change"] for each in body["resource_changes"]}
    for address, noted in changes.items():
        prefix, _, rest = address.rpartition("terraform_data.documents")
        if rest or not address.endswith("terraform_data.documents"):
            continue
        for name, (place, argument) in WRITTEN.items():
            change = changes[prefix + place]
            unknown = noted["after_unknown"]["input"].get(name)
            change["after_unknown"][argument] = bool(unknown)
            change["after"].pop(argument, None)
            if not unknown:
                change["after"][argument] = json.dumps(noted["after"]["input"][name])
    return body


def unknown_leaves(value: Any, place: str = "") -> Iterator[str]:
    """Yield the path of every stand-in in a merged value, such as `Statement[0].Resource`."""
    if value == UNKNOWN:
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from unknown_leaves(member, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from unknown_leaves(member, f"{place}[{index}]")
