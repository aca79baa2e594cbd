"""The checks of `ekm drift`: each with its title, the side where it looks, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CHECKS", "PROJECT_KEYS", "Check"]

_APPLY: Final = "Apply the configuration again"
_OR_ACCEPT: Final = "or accept the difference with `ekm drift accept`"
PROJECT_KEYS: Final = "project_keys"  # made where --require-key asks for it


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Args:
        title: What it compares.
        side: `aws` or `openai`.
        remedy: What to do about a difference that has no remedy of its own.
        security: Whether a difference can let somebody do more.
    """

    title: str
    side: str
    remedy: str
    security: bool = False


CHECKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "role": Check("The role is there, with its settings", "aws", f"{_APPLY}, {_OR_ACCEPT}"),
        "role_id": Check(
            "The role is the one that was made, and not another of its name",
            "aws",
            "Find in CloudTrail who deleted the role and made it anew (DeleteRole, CreateRole); "
            "then make it anew from the configuration: terraform apply -replace of the role",
            security=True,
        ),
        "trust_policy": Check(
            "Trust policy of the role", "aws", f"{_APPLY}, {_OR_ACCEPT}", security=True
        ),
        "permission_policies": Check(
            "Permission policies of the role", "aws", f"{_APPLY}, {_OR_ACCEPT}", security=True
        ),
        "permissions_boundary": Check(
            "Permissions boundary of the role", "aws", f"{_APPLY}, {_OR_ACCEPT}", security=True
        ),
        "deleted_principals": Check(
            "No policy names a principal that was deleted",
            "aws",
            "Take the unique id out of the policy, or name the new principal by its ARN: apply the "
            "configuration again",
        ),
        "key": Check(
            "The key is there and enabled",
            "aws",
            "Enable the key (aws kms enable-key), or cancel its deletion first (aws kms "
            "cancel-key-deletion): every day counts until the deletion date",
            security=True,
        ),
        "key_policy": Check("Key policy", "aws", f"{_APPLY}, {_OR_ACCEPT}", security=True),
        "deletion_protection": Check(
            "The key policy still denies the key's deletion", "aws", _APPLY, security=True
        ),
        "rotation": Check("Automatic rotation of the key", "aws", f"{_APPLY}, {_OR_ACCEPT}"),
        "aliases": Check(
            "Aliases lead to the key",
            "aws",
            "Move the alias back (aws kms update-alias), and apply the configuration again",
            security=True,
        ),
        "grants": Check(
            "Grants on the key",
            "aws",
            f"Revoke the grant (aws kms revoke-grant), {_OR_ACCEPT}",
            security=True,
        ),
        "replicas": Check(
            "Replicas of the key in other Regions",
            "aws",
            f"Schedule the replica's deletion in its Region, {_OR_ACCEPT}",
            security=True,
        ),
        "tags": Check("Tags that a policy tests", "aws", f"{_APPLY}, {_OR_ACCEPT}", security=True),
        "organization": Check(
            "The admin key is of the organization of the record",
            "openai",
            "Give the admin key of the organization that the key was registered in",
        ),
        "record": Check("The record is there and settled", "openai", "Run `ekm register` again"),
        "registration": Check(
            "The registration is there as it was recorded",
            "openai",
            "See both sides with `ekm status`; `ekm register` registers again what is gone",
        ),
        "duplicates": Check(
            "No second registration of the same role or key",
            "openai",
            "Delete the registration without projects in OpenAI's settings, after you have seen "
            "that no other record names it",
            security=True,
        ),
        "projects": Check(
            "The projects of the record are active on the key",
            "openai",
            f"`ekm register` creates a project that is missing; an archived project stays "
            f"archived: take its name out of the configuration, {_OR_ACCEPT}",
        ),
        PROJECT_KEYS: Check(
            "Every active project is under a key",
            "openai",
            "A project gets a key when it is created, and never later: move the work to a project "
            "under the key, or name the project with --except",
            security=True,
        ),
        "workspace": Check(
            "The registration is used by what it was made for: projects, or a workspace",
            "openai",
            f"Ask your contact at OpenAI which workspace has the key, {_OR_ACCEPT}",
        ),
    }
)
