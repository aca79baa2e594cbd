"""What every claim is decided over: classes of principals, condition keys, policies in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ekm.evaluation import Policies
from ekm.evaluation.caller import CallerForm
from ekm.evaluation.grants import CONTEXT_PREFIX
from ekm.policy import Principal, PrincipalForm, parse_arn
from ekm.proof.administrators import administrators
from ekm.proof.askers import Asker, Named, askers
from ekm.proof.constants import ALLOW_ALL
from ekm.proof.keys import OF_PRINCIPAL
from ekm.proof.scene import Place
from ekm.proof.shapes import Shape, literal, wildcard
from ekm.proof.tags import PRINCIPAL_TAG, RESOURCE_TAG, tags_of
from ekm.proof.worlds import World
from ekm.snapshot import UNSEEN, Customer, Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.evaluation.policies import PreparedPolicies
    from ekm.policy import Document
    from ekm.proof.materials import Materials, Part
    from ekm.proof.values import Value

__all__ = ["Setting", "joint_settings", "make_setting"]

USER_ID = "aws:userid"
ORGANIZATION = "aws:principalorgid"
# A root user is neither tagged nor made by assuming a role.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
NOT_OF_ROOT = (f"{PRINCIPAL_TAG}/", "aws:sourceidentity", "aws:federatedprovider")
ANONYMOUS_FORMS = (CallerForm.ROOT, CallerForm.SERVICE, CallerForm.PROVIDER)


@dataclass(frozen=True, slots=True)
class Setting:
    """The universe of requests.

    Args:
        materials: The documents.
        openai: OpenAI's role.
        named: The administrators.
        askers: Every class of principals.
        world: The condition keys.
        patterns: Every action pattern of every document.
        registered: The external ids that are registered.
        now: The instant from which on something must be possible (ISO 8601).
    """

    materials: Materials
    openai: str
    named: tuple[str, ...]
    askers: tuple[Asker, ...]
    world: World
    patterns: tuple[str, ...]
    registered: tuple[str, ...]
    now: str

    def is_role(self, asker: Asker) -> bool:
        """Whether a class of principals is sessions of the role."""
        role = self.materials.role
        return role is not None and asker.role_arn == role.arn

    @property
    def roles(self) -> frozenset[str]:
        """The roles that documents or the snapshot name, with their paths."""
        named = [
            each.text
            for statement in self.materials.statements
            for each in statement.principals or ()
            if each.form is PrincipalForm.ROLE
        ]
        role = self.materials.role
        return frozenset((*named, *self.named, *((role.arn,) if role is not None else ())))

    def policies(
        self,
        asker: Asker,
        resource: Document | None,
        account: str,
        *,
        seen: bool,
        generous: bool = True,
    ) -> PreparedPolicies:
        """The policies in force for a principal.

        Args:
            asker: Who.
            resource: The resource's policy.
            account: Whose the resource is.
            seen: Whether it is the role, whose own policies are seen.
            generous: Whether policies that are not seen allow everything; else nothing.
        """
        materials = self.materials
        own = tuple(each.document for each in materials.identity)
        unseen = (ALLOW_ALL,) if generous else ()
        boundary = materials.boundary.document if seen and materials.boundary else None
        federated = asker.caller.form is CallerForm.FEDERATED_USER and generous
        scps = materials.scps if asker.account and asker.account == materials.customer else ()
        rcps = materials.rcps if account == materials.customer else ()
        kind = "sts:" if resource is not None and resource.kind.value == "trust" else "kms:"
        return Policies(
            identity=own if seen else unseen,
            resource=resource,
            permissions_boundary=boundary,
            session=ALLOW_ALL if federated else None,
            scps=[[each.document for each in level] for level in scps],
            rcps=[[each.document for each in level] for level in rcps],
        ).prepare(kind)

    def key_policies(
        self, asker: Asker, *, related: Part | None = None, generous: bool = True
    ) -> PreparedPolicies:
        """The policies in force for a principal on the registered key, grants included.

        Args:
            asker: Who.
            related: The policy of a key that shares its material, to ask about that key.
            generous: Whether policies that are not seen allow everything; else nothing.
        """
        part, account = related or self.materials.key_policy, self.materials.key_account
        document = part.document if part is not None else None
        seen = self.is_role(asker)
        found = self.policies(asker, document, account, seen=seen, generous=generous)
        return replace(found, grants=self.materials.grants)

    def key_place(self, related: Key | None = None) -> Place:
        """The registered key, or one that shares its material."""
        key = related or self.materials.key
        assert key is not None
        fixed = _facts(key) | _organization(self.materials, self.materials.key_account)
        return Place(key.arn, self.materials.key_account, fixed)

    def role_place(self) -> Place:
        """The role."""
        role = self.materials.role
        assert role is not None
        arn = parse_arn(role.arn)
        account = arn.account if arn is not None else ""
        return Place(role.arn, account, _organization(self.materials, account))


def make_setting(materials: Materials, openai: str, openai_account: str, now: str) -> Setting:
    """Put the universe together.

    Args:
        materials: The documents.
        openai: ARN of OpenAI's role.
        openai_account: Its account.
        now: ISO 8601.

    Raises:
        Undecidable: There are too many classes.
    """
    registration = materials.snapshot.registration
    registered = (registration.external_id, *(registration.external_ids or ()))
    conditions = [each for statement in materials.statements for each in statement.conditions]
    principals = [
        each for statement in materials.statements for each in statement.principals or ()
    ] + [grant.grantee for grant in materials.grants]
    named = administrators(materials)
    names, literals = _grant_keys(materials)
    shapes = _user_ids(principals)
    names |= dict.fromkeys(shapes, "aws:userid")
    if any(each.lookup == "sts:externalid" for each in conditions):
        literals["sts:externalid"] = list(registered)
    for lookup, tag in _tags(materials):
        if any(each.lookup == lookup for each in conditions):
            literals.setdefault(lookup, []).append(tag)
    world = World(conditions, literals, names, now, shapes)
    role = materials.role.arn if materials.role else registration.role_arn
    found = askers(
        Named(
            partition=materials.partition,
            conditions=[each for each in conditions if each.lookup in OF_PRINCIPAL],
            principals=principals,
            arns=_arns(materials, (openai, role, *named)),
            accounts=[
                each for each in (materials.customer, materials.key_account, openai_account) if each
            ],
            service_linked=bool(materials.scps or materials.rcps),
        )
    )
    return Setting(
        materials=materials,
        openai=openai,
        named=named,
        askers=tuple(each for asker in found for each in _told(asker, materials, world)),
        world=world,
        patterns=tuple(
            dict.fromkeys(
                text.lower()
                for statement in materials.statements
                for text in statement.actions.texts
            )
        ),
        registered=tuple(dict.fromkeys(registered)),
        now=now,
    )


def joint_settings(
    before: Materials, after: Materials, openai: str, openai_account: str, now: str
) -> tuple[Setting, Setting]:
    """Put two snapshots of one role and key over the same classes.

    Args:
        before: The documents of the first.
        after: The documents of the second.
        openai: ARN of OpenAI's role.
        openai_account: Its account.
        now: ISO 8601.
    """
    first = replace(before, beside=tuple(after.parts))
    second = replace(after, beside=tuple(before.parts))
    setting = make_setting(second, openai, openai_account, now)
    return replace(setting, materials=first), setting


def _arns(materials: Materials, texts: tuple[str, ...]) -> list[str]:
    caller = materials.snapshot.caller
    found = [*texts, *([caller] if caller else [])]
    return [each for each in dict.fromkeys(found) if parse_arn(each) is not None]


def _grant_keys(materials: Materials) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Encryption context keys that grants ask for, spelt as they do, with the values."""
    names: dict[str, str] = {}
    literals: dict[str, list[str]] = {}
    for grant in materials.grants:
        for key, value in (*(grant.equals or ()), *(grant.subset or ())):
            name = f"kms:EncryptionContext:{key}"
            assert name.lower().startswith(CONTEXT_PREFIX)
            names.setdefault(name.lower(), name)
            literals.setdefault(name.lower(), []).append(value)
    return names, literals


def _tags(materials: Materials) -> Iterator[tuple[str, str]]:
    """The tags of role and key, as the keys that hold them."""
    for holder, prefixes in (
        (materials.role, (PRINCIPAL_TAG, RESOURCE_TAG)),
        (materials.key, (RESOURCE_TAG,)),
    ):
        if holder is not None:
            for prefix in prefixes:
                yield from tags_of(holder, prefix).items()


def _user_ids(principals: list[Principal]) -> dict[str, list[Shape]]:
    """What tells unique ids apart, when documents name any."""
    ids = {each.text for each in principals if each.form is PrincipalForm.UNIQUE_ID}
    shapes = [shape for each in sorted(ids) for shape in (literal(each), wildcard(f"{each}:*"))]
    return {USER_ID: shapes} if shapes else {}


def _told(asker: Asker, materials: Materials, world: World) -> list[Asker]:
    """A principal with what is known of it, once for each unique id that documents tell apart."""
    fixed = dict(_principal_organization(asker, materials))
    if asker.caller.form is CallerForm.ROOT:
        fixed |= dict.fromkeys(each for each in world.lookups if each.startswith(NOT_OF_ROOT))
    if not world.has(USER_ID) or asker.caller.form in ANONYMOUS_FORMS:
        return [replace(asker, fixed=fixed)]
    return [
        replace(asker, fixed={**fixed, USER_ID: value}) for value in world.domain(USER_ID).values
    ]


def _principal_organization(asker: Asker, materials: Materials) -> dict[str, Value]:
    customer = materials.snapshot.customer
    if not isinstance(customer, Customer) or customer.organization is UNSEEN:
        return {}
    if not asker.account or asker.account != materials.customer:
        return {}
    return {ORGANIZATION: customer.organization}


def _organization(materials: Materials, account: str) -> dict[str, Value]:
    """The organization of a resource of the customer."""
    customer = materials.snapshot.customer
    if not isinstance(customer, Customer) or customer.organization is UNSEEN:
        return {}
    return {"aws:resourceorgid": customer.organization} if account == materials.customer else {}


def _facts(key: Key) -> dict[str, Value]:
    """What KMS says of the key in every request about it."""
    found: dict[str, Value] = {}
    facts = (
        (("kms:keyspec", "kms:customermasterkeyspec"), key.spec),
        (("kms:keyusage", "kms:customermasterkeyusage"), key.usage),
        (("kms:keyorigin",), key.origin),
        (("kms:multiregionkeytype",), key.multi_region),
    )
    for lookups, fact in facts:
        if fact is not UNSEEN:
            found |= dict.fromkeys(lookups, fact)
    if key.multi_region is not UNSEEN:
        found["kms:multiregion"] = "false" if key.multi_region is None else "true"
    return found
