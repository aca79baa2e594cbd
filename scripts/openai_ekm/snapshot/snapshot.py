"""The snapshot: one value that holds all that bears on a key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.policy.arn import account_in
from openai_ekm.snapshot import json
from openai_ekm.snapshot.members import (
    UNSEEN,
    Alias,
    Calls,
    Customer,
    Key,
    Registration,
    Role,
    UnseenType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCHEMA", "Snapshot"]

SCHEMA: Final = "ekm-snapshot/1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that bears on whether OpenAI can use a key, as it was read.

    A member that was not collected is `UNSEEN`, and `reasons` says why where a reader knows.
    `role=None` means that the role was looked up and is not there; a key that is not among `keys`
    was looked up and not found. `unknown_account` is the number that stands for an account that a
    plan does not know yet.

    Source: docs/diagnosis.md#what-a-live-snapshot-reads (schema ekm-snapshot/1)
    """

    registration: Registration
    role: Role | UnseenType | None = UNSEEN
    keys: tuple[Key, ...] | UnseenType = UNSEEN
    aliases: tuple[Alias, ...] | UnseenType = UNSEEN
    grants: tuple[Mapping[str, Any], ...] | UnseenType = UNSEEN
    scps: tuple[Any, ...] | UnseenType = UNSEEN
    rcps: tuple[Any, ...] | UnseenType = UNSEEN
    customer: Customer | UnseenType = UNSEEN
    administrators: tuple[str, ...] | None = None
    caller: str | None = None
    calls: Calls = field(default_factory=Calls)
    unknown_account: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, source: Mapping[str, Any], *, strict: bool = True) -> Snapshot:
        """Read a snapshot of schema `ekm-snapshot/1`.

        Args:
            source: The JSON object.
            strict: Refuse unknown members where they could change a judgement (inside policy
                entries, keys and the role); elsewhere, and when not strict, they are carried
                along.

        Returns:
            The snapshot; no value that is there to be judged has been checked.

        Raises:
            BadInput: Another schema, a member of the wrong JSON type, or, when strict, an
                unknown one that could matter.
        """
        return cls(**json.snapshot_members(source, schema=SCHEMA, strict=strict))

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object that `from_json` reads back as an equal value."""
        body = {"schema": SCHEMA, **json.members(self)}
        reasons = body.pop("reasons")
        if reasons:
            body["unseen"] = [{"path": path, "reason": why} for path, why in reasons.items()]
        return body

    def at(self, moment: datetime) -> Snapshot:
        """Return the snapshot with OpenAI's calls at a moment, which conditions on time test."""
        time = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return replace(self, calls=replace(self.calls, time=time))

    @property
    def registered_key(self) -> Key | None:
        """Return the key behind the registered ARN; None when it was not found."""
        if self.keys is UNSEEN:
            return None
        target = self.registration.kms_arn
        if ":alias/" in target:
            if self.aliases is UNSEEN:
                # Keys are what was looked up for this registration: a single one is the alias's.
                return self.keys[0] if len(self.keys) == 1 else None
            target = next((each.target for each in self.aliases if each.arn == target), "")
        return next((key for key in self.keys if key.arn == target), None)

    @property
    def key_arns(self) -> frozenset[str]:
        """Return every ARN of the registered key and its aliases that was seen, and its own."""
        keys = (each.arn for each in self.keys or ())
        aliases = (each.arn for each in self.aliases or ())
        return frozenset({self.registration.kms_arn, *keys, *aliases})

    @property
    def organization(self) -> str | UnseenType | None:
        """Return the customer's organization; None when it is in none."""
        return self.customer.organization if isinstance(self.customer, Customer) else UNSEEN

    @property
    def customer_account(self) -> str:
        """Return the customer's account, else that of the role; empty when nothing says it."""
        if isinstance(self.customer, Customer) and isinstance(self.customer.account, str):
            return self.customer.account
        role = self.role.arn if isinstance(self.role, Role) else self.registration.role_arn
        return account_in(role)

    def unseen(self) -> tuple[str, ...]:
        """Return the snapshot paths of what bears on a judgement and was not collected."""
        paths = [
            name
            for name in ("role", "keys", "aliases", "grants", "scps", "rcps")
            if getattr(self, name) is UNSEEN
        ]
        if isinstance(self.role, Role):
            paths += [
                name
                for name in ("trust_policy", "permission_policies", "permissions_boundary")
                if getattr(self.role, name) is UNSEEN
            ]
        paths += [
            f"keys[{index}].{name}"
            for index, key in enumerate(self.keys or ())
            for name in ("state", "spec", "usage", "origin", "multi_region", "policy")
            if getattr(key, name) is UNSEEN
        ]
        # What a reader tried and was refused, although not every judgement asks for it.
        paths += [path for path in self.reasons if path not in paths and self._lacks(path)]
        return tuple(paths)

    def _lacks(self, path: str) -> bool:
        """Return whether a member that a reason speaks of is still absent: one may be filled in."""
        if path.startswith(("trust_policy", "permission_policies", "permissions_boundary")):
            return False  # told above
        found: Any = self.as_json()
        for part in path.replace("]", "").replace("[", ".").split("."):
            if isinstance(found, list):
                # Compared as text: the path is as it was written, in whatever digits.
                found = dict(zip(map(str, range(len(found))), found, strict=True))
            if isinstance(found, dict) and part in found:
                found = found[part]
            else:
                return True
        return False
