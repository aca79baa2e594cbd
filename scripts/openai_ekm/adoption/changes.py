"""The changes of the first apply after an adoption, and the names that they use. Pure.

Sources:
modules/key and modules/role,
https://registry.terraform.io/providers/hashicorp/aws/latest/docs (import sections;
aws_kms_key: key id; aws_kms_alias: name; aws_iam_role: name; aws_iam_role_policy: role:policy).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.adoption.policies import admitting_openai, delegates, statements_of
from openai_ekm.arns import account_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.adoption.aws import SetUp

__all__ = [
    "DEFAULT_ROTATION",
    "POLICY_NAME",
    "ROTATION",
    "Change",
    "Import",
    "Names",
    "changes",
    "steps_after",
    "steps_before",
]

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


DEFAULT_ROTATION: Final = 365  # days
ROTATION: Final = range(90, 2561)  # days that KMS takes


@dataclass(frozen=True, slots=True)
class Change:
    """One `create` or `update` of the first apply beyond importing, with its address and reason."""

    address: str
    action: str
    what: str


def changes(
    names: Names,
    found: SetUp,
    variables: Mapping[str, Any],
    policy: str | None,
    *,
    keep_key: bool,
) -> Iterator[Change]:
    """Yield what the first apply does beyond importing, in the order of its addresses."""
    if not keep_key:
        yield from _key_changes(names, found, variables)
    yield Change(
        names.role,
        "update",
        "the trust policy becomes the module's (OpenAI's one role, the same external ids); its "
        "description and tags, where they differ. In one call: OpenAI is let in before and after.",
    )
    lost = [
        statement.get("Sid") or f"number {number}"
        for number, statement in enumerate(statements_of(found.role.trust_policy))
        if statement not in admitting_openai(found.role.trust_policy)
    ]
    if lost:
        yield Change(names.role, "update", f"trust statements that go: {', '.join(lost)}")
    if policy is None:
        yield Change(
            names.use, "create", "the module's own policy, beside what the role has, which stays"
        )
    else:
        yield Change(
            names.use, "update", "the statement becomes the documented one: Encrypt and Decrypt"
        )
    for resource, what in (
        ("terraform_data.documents", "the policies, for review; nothing in AWS"),
        ("terraform_data.key", "remembers the key; nothing in AWS"),
        ("terraform_data.location", "remembers account and Region; nothing in AWS"),
        ("terraform_data.deletion_guard", "refuses a destroy; nothing in AWS"),
        ("module.registration[0].terraform_data.guard", "unregisters at a destroy; nothing now"),
        (
            "module.registration[0].terraform_data.register",
            "`ekm-register`, which finds the registration and makes none",
        ),
    ):
        yield Change(f"{names.module}.{resource}", "create", what)
    for project in variables.get("projects", ()):
        yield Change(
            f"{names.module}.module.registration[0].terraform_data.project[{json.dumps(project)}]",
            "create",
            "remembers the project, which is found",
        )


def _key_changes(names: Names, found: SetUp, variables: Mapping[str, Any]) -> Iterator[Change]:
    key = found.key
    account = account_of(key.arn)
    what = ["the policy gains DenyKeyDeletion (deletion_protection)"]
    if "key_policy_mode" in variables:
        what.append("it keeps AWS's delegation to the account, so nobody loses anything yet")
    else:
        what.append("use is left to this role alone, through its own policy")
    lost = [
        statement.get("Sid") or f"number {number}"
        for number, statement in enumerate(statements_of(key.policy))
        if not delegates(statement, account)
    ]
    if lost:
        what.append(f"statements that go, or are written anew: {', '.join(lost)}")
    if key.rotation_days is None:
        what.append("rotation is switched on (old ciphertext stays readable)")
    elif key.rotation_days not in ROTATION:
        what.append(f"rotation every {DEFAULT_ROTATION} days instead of {key.rotation_days}")
    if not key.description:
        what.append("a description")
    if variables.get("tags", {}) != key.tags:
        what.append("tags of the role are put on it too")
    what.append("the deletion window is noted in the state (it acts at a deletion alone)")
    yield Change(names.key, "update", "; ".join(what))
    if not key.aliases:
        yield Change(names.alias_address, "create", f"the alias alias/{names.name}")


def steps_before(found: SetUp, identity_suffices: bool | None) -> Iterator[str]:
    """Yield commands to run before the apply, so that OpenAI is let in at every moment of it."""
    if identity_suffices is not False:
        return
    document = (
        '{"Version":"2012-10-17","Statement":[{"Sid":"AllowEncryptDecrypt","Effect":"Allow",'
        f'"Action":["kms:Decrypt","kms:Encrypt"],"Resource":"{found.key.arn}"}}]}}'
    )
    yield (
        f"aws iam put-role-policy --role-name {found.role.name} --policy-name {POLICY_NAME} "
        f"--policy-document '{document}'"
    )


def steps_after(found: SetUp, variables: Mapping[str, Any], policy: str | None) -> Iterator[str]:
    """Yield what to take away after the apply, once the module's own is in force."""
    role = found.role.name
    for name, arn in found.role.attached.items():
        yield (
            f"Some minutes later detach {name}, which the module's own policy replaces, unless it "
            f"is there for something else: aws iam detach-role-policy --role-name {role} "
            f"--policy-arn {arn}"
        )
    for name in found.role.inline:
        if name != policy:
            yield (
                f"Some minutes later delete {name}, which the module's own policy replaces, unless "
                f"it is there for something else: aws iam delete-role-policy --role-name {role} "
                f"--policy-name {name}"
            )
    if variables.get("key_policy_mode") == "root_delegation":
        yield (
            "Take key_policy_mode out, plan and apply: from then on this role alone can use the "
            "key. Look first who else does (CloudTrail, kms:Decrypt and kms:GenerateDataKey on "
            "this key): they would be cut off. OpenAI is not."
        )
