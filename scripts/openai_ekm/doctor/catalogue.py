"""Every check in the order in which things fail. docs/operate/doctor.md has the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from openai_ekm.doctor.line import State

__all__ = ["CHECKS", "Check"]

_OK, _WARNING, _FAILURE, _NOT_SEEN = State


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        id: Stable name.
        group: The part of the set-up that it belongs to.
        title: What it looks at, in a few words.
        states: The answers that it can have.
    """

    id: str
    group: str
    title: str
    states: tuple[State, ...]


_TABLE: Final = (
    ("python_version", "versions", "Python", (_OK, _WARNING, _FAILURE)),
    ("terraform_version", "versions", "Terraform or OpenTofu", (_OK, _WARNING, _FAILURE)),
    ("module_version", "versions", "package and module", (_OK, _WARNING, _NOT_SEEN)),
    ("named", "versions", "what is named", (_OK, _FAILURE, _NOT_SEEN)),
    ("aws_credentials", "aws", "AWS credentials and their source", (_OK, _FAILURE, _NOT_SEEN)),
    ("aws_expiry", "aws", "expiry of the credentials", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("aws_role_chaining", "aws", "one-hour limit of role chaining", (_OK, _WARNING, _NOT_SEEN)),
    ("aws_account", "aws", "account and caller", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("aws_region", "aws", "Region, and whether it is enabled", tuple(State)),
    ("aws_management_account", "aws", "management account", (_OK, _WARNING, _NOT_SEEN)),
    ("clock", "clock", "clock of this machine", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("network_proxies", "network", "proxies", (_OK, _FAILURE)),
    ("network_authorities", "network", "certificate authorities", (_OK, _WARNING, _FAILURE)),
    ("network_aws", "network", "way to AWS", (_OK, _FAILURE, _NOT_SEEN)),
    ("network_openai", "network", "way to OpenAI", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_admin_key", "openai", "admin key", tuple(State)),
    ("openai_certificate", "openai", "client certificate", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_address", "openai", "IP allowlist", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_organization", "openai", "organization", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_feature", "openai", "Enterprise Key Management enabled", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_read_scopes", "openai", "read scopes", (_OK, _FAILURE, _NOT_SEEN)),
    ("openai_write_scopes", "openai", "write scopes", (_NOT_SEEN,)),
    ("permissions_apply", "permissions", "permissions to apply", tuple(State)),
    ("permissions_register", "permissions", "permissions to register", tuple(State)),
    ("permissions_drill", "permissions", "permissions to rehearse", tuple(State)),
    ("organization_scps", "organization", "SCPs", (_OK, _FAILURE, _NOT_SEEN)),
    ("organization_rcps", "organization", "RCPs", (_OK, _FAILURE, _NOT_SEEN)),
    ("trail_key_changes", "trail", "log of changes of the key", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_key_use", "trail", "log of the key's use", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_role_changes", "trail", "log of changes of the role", (_OK, _WARNING, _NOT_SEEN)),
    ("trail_role_use", "trail", "log of the role's use", (_OK, _WARNING, _NOT_SEEN)),
    ("alarms", "trail", "alarm on the key", (_OK, _WARNING, _NOT_SEEN)),
    ("record", "record", "record", (_OK, _WARNING, _FAILURE, _NOT_SEEN)),
    ("record_lease", "record", "lease of the record", (_OK, _WARNING, _NOT_SEEN)),
)

CHECKS: Final = {row[0]: Check(*row) for row in _TABLE}
