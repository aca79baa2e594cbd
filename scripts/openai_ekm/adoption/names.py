"""Where things stand in the module: addresses, import ids, and which alias and policy are taken.

Sources: modules/key and modules/role,
https://registry.terraform.io/providers/hashicorp/aws/latest/docs (import sections;
aws_kms_key: key id; aws_kms_alias: name; aws_iam_role: name; aws_iam_role_policy: role:policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.adoption.aws import SetUp

__all__ = ["POLICY_NAME", "Import", "Names"]

POLICY_NAME: Final = "AllowEncryptDecrypt"  # the module's default


@dataclass(frozen=True, slots=True)
class Import:
    """An `import` block: address in the configuration, and the provider's id."""

    to: str
    id: str


@dataclass(frozen=True, slots=True)
class Names:
    """Addresses of the module, and what of the set-up goes where."""

    module: str
    found: SetUp
    name: str

    @property
    def key(self) -> str:
        """Return address of the key."""
        return f"{self.module}.module.key[0].aws_kms_key.this"

    @property
    def alias_address(self) -> str:
        """Return address of the key's alias."""
        return f"{self.module}.module.key[0].aws_kms_alias.this"

    @property
    def role(self) -> str:
        """Return address of the role."""
        return f"{self.module}.module.role.aws_iam_role.this"

    @property
    def use(self) -> str:
        """Return address of the role's inline policy."""
        return f"{self.module}.module.role.aws_iam_role_policy.use"

    def alias(self) -> str | None:
        """Return the alias that the module takes over: the one of its name, else the first."""
        aliases = [alias.removeprefix("alias/") for alias in self.found.key.aliases]
        return self.name if self.name in aliases else next(iter(aliases), None)

    def policy(self, *, put_by_hand: bool) -> str | None:
        """Return the inline policy that the module takes over; None if the module makes its own."""
        inline = self.found.role.inline
        if POLICY_NAME in inline or put_by_hand:
            return POLICY_NAME
        # With several nobody can say which one is the module's: they stay until it has its own.
        return next(iter(inline)) if len(inline) == 1 else None

    def imports(self, policy: str | None, *, keep_key: bool) -> Iterator[Import]:
        """Yield what to import: key and alias (unless the key stays outside), role and policy."""
        role = self.found.role.name
        if not keep_key:
            yield Import(self.key, self.found.key.id)
            if (alias := self.alias()) is not None:
                yield Import(self.alias_address, f"alias/{alias}")
        yield Import(self.role, role)
        if policy is not None:
            yield Import(self.use, f"{role}:{policy}")
