"""The universe of a proof: classes of principals, condition keys, and policies in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from openai_ekm.evaluation import Policies
from openai_ekm.evaluation.grants import CONTEXT_PREFIX, OPERATIONS, Grant, parse_grant
from openai_ekm.evaluation.request import CallerForm
from openai_ekm.openai import OPENAI_ACCOUNT, OPENAI_ROLE_ARN
from openai_ekm.policy import DocumentKind, MalformedPolicy, Principal, PrincipalForm, parse_arn
from openai_ekm.policy.arn import account_in
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.proof.actions import OWN, about_others, is_about
from openai_ekm.proof.administrators import administrators
from openai_ekm.proof.condition_domains import ConditionDomains
from openai_ekm.proof.documents import ALLOWING_IDENTITY, PRINCIPAL_TAG, RESOURCE_TAG, tags_of
from openai_ekm.proof.principals import Named, PrincipalClass, principal_classes
from openai_ekm.proof.request_classes import ResourceClass
from openai_ekm.snapshot import UNSEEN, Key
from openai_ekm.value_classes.condition_keys import OF_PRINCIPAL
from openai_ekm.value_classes.string_classes import TextPattern, literal, wildcard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openai_ekm.evaluation.policies import PreparedPolicies
    from openai_ekm.policy import Condition, Document
    from openai_ekm.proof.actions import Action
    from openai_ekm.proof.documents import Documents, KeyAndPolicy
    from openai_ekm.value_classes.domains import Value

__all__ = ["Universe", "joint_universes", "make_universe"]

USER_ID = "aws:userid"
ORGANIZATION = "aws:principalorgid"
# A root user is neither tagged nor made by assuming a role.
# Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
NOT_OF_ROOT = (f"{PRINCIPAL_TAG}/", "aws:sourceidentity", "aws:federatedprovider")
ANONYMOUS_FORMS = (CallerForm.ROOT, CallerForm.SERVICE, CallerForm.PROVIDER)


@dataclass(frozen=True, slots=True)
class Universe:
    """The universe of requests.

    Args:
        documents: The documents.
        named: The administrators.
        principals: Every class of principals.
        domains: The condition keys of statements about KMS and STS.
        elsewhere: Those of statements about other services.
        patterns: Every action pattern of every document.
        registered: The external ids that are registered.
        now: The instant from which on something must be possible (ISO 8601).
    """

    documents: Documents
    named: tuple[str, ...]
    principals: tuple[PrincipalClass, ...]
    domains: ConditionDomains
    elsewhere: ConditionDomains
    patterns: tuple[str, ...]
    registered: tuple[str, ...]
    now: str

    def is_role(self, principal: PrincipalClass) -> bool:
        """Return whether a class of principals is sessions of the role."""
        role = self.documents.role
        return role is not None and principal.role_arn == role.arn

    def domains_of(self, action: Action) -> ConditionDomains:
        """Return the condition keys that bear on an action."""
        return self.domains if action.lookup.startswith(OWN) else self.elsewhere

    @property
    def roles(self) -> frozenset[str]:
        """Return the roles that documents or the snapshot name, with their paths."""
        named = [
            each.text
            for statement in self.documents.statements
            for each in statement.principals or ()
            if each.form is PrincipalForm.ROLE
        ]
        role = self.documents.role
        return frozenset((*named, *self.named, *((role.arn,) if role is not None else ())))

    def policies(
        self,
        principal: PrincipalClass,
        resource: Document | None,
        account: str,
        *,
        generous: bool = True,
    ) -> PreparedPolicies:
        """Return the policies in force for a principal; of the role's own, those that are seen.

        Args:
            principal: Who.
            resource: The resource's policy.
            account: Whose the resource is.
            generous: Whether policies that are not seen allow everything; else nothing.
        """
        documents, seen = self.documents, self.is_role(principal)
        own = tuple(each.document for each in documents.identity)
        unseen = (ALLOWING_IDENTITY,) if generous else ()
        boundary = documents.boundary.document if seen and documents.boundary else None
        federated = principal.caller.form is CallerForm.FEDERATED_USER and generous
        scps = (
            documents.scps if principal.account and principal.account == documents.customer else ()
        )
        rcps = documents.rcps if account == documents.customer else ()
        trust = resource is not None and resource.kind is DocumentKind.TRUST
        return Policies(
            identity=own if seen else unseen,
            resource=resource,
            permissions_boundary=boundary,
            session=ALLOWING_IDENTITY if federated else None,
            scps=[[each.document for each in level] for level in scps],
            rcps=[[each.document for each in level] for level in rcps],
        ).prepare("sts:" if trust else "kms:")

    def key_policies(
        self,
        principal: PrincipalClass,
        *,
        related: KeyAndPolicy | None = None,
        generous: bool = True,
    ) -> PreparedPolicies:
        """Return the policies in force for a principal on the registered key, grants included.

        Args:
            principal: Who.
            related: Another key and its policy, to ask about that key.
            generous: Whether policies that are not seen allow everything; else nothing.
        """
        key, part = related or (self.documents.key, self.documents.key_policy)
        document = part.document if part is not None else None
        account = account_in(key.arn) if key is not None else ""
        found = self.policies(principal, document, account, generous=generous)
        grants = self.documents.grants
        if self.documents.granting and key is not None:
            grants += _every_grant(principal, key, len(grants))
        return replace(found, grants=grants)

    def key_resource(self, related: KeyAndPolicy | None = None) -> ResourceClass:
        """Return the registered key, or another."""
        key = related[0] if related else self.documents.key
        assert key is not None  # nosec B101 # narrows the type
        account = account_in(key.arn)
        return ResourceClass(key.arn, account, _facts(key) | _organization(self.documents, account))

    def role_resource(self) -> ResourceClass:
        """Return the role."""
        role = self.documents.role
        assert role is not None  # nosec B101 # narrows the type
        account = account_in(role.arn)
        return ResourceClass(role.arn, account, _organization(self.documents, account))


def make_universe(documents: Documents, now: str) -> Universe:
    """Put the universe together.

    Args:
        documents: The documents.
        now: From when on something must be possible (ISO 8601).

    Raises:
        Undecidable: There are too many classes.
    """
    registration = documents.snapshot.registration
    registered = (registration.external_id, *(registration.external_ids or ()))
    # What is about other services alone bears on no request to KMS or STS, and costs nothing there.
    statements = [
        each for each in documents.statements if is_about(each, "kms") or is_about(each, "sts")
    ]
    conditions = [each for statement in statements for each in statement.conditions]
    principals = [each for statement in statements for each in statement.principals or ()]
    principals += [grant.grantee for grant in documents.grants]
    named = administrators(documents)
    names, literals = _grant_keys(documents)
    text_patterns = _user_ids(principals)
    names |= dict.fromkeys(text_patterns, USER_ID)
    if any(each.lookup == "sts:externalid" for each in conditions):
        literals["sts:externalid"] = list(registered)
    _add_tags(literals, documents, conditions)
    domains = ConditionDomains(conditions, literals, names, now, text_patterns)
    others = [
        each
        for statement in documents.statements
        if about_others(statement)
        for each in statement.conditions
    ]
    elsewhere = ConditionDomains(others, _add_tags({}, documents, others), {}, now)
    found = principal_classes(
        Named(
            partition=documents.partition,
            conditions=[each for each in conditions if each.lookup in OF_PRINCIPAL],
            principals=principals,
            arns=_arns(documents, (OPENAI_ROLE_ARN, documents.role_arn, *named)),
            accounts=[
                each for each in (documents.customer, documents.key_account, OPENAI_ACCOUNT) if each
            ],
            service_linked=bool(documents.scps or documents.rcps),
        )
    )
    return Universe(
        documents=documents,
        named=named,
        principals=tuple(
            each for principal in found for each in _with_known_keys(principal, documents, domains)
        ),
        domains=domains,
        elsewhere=elsewhere,
        patterns=tuple(
            dict.fromkeys(
                text.lower()
                for statement in documents.statements
                for text in statement.actions.texts
            )
        ),
        registered=tuple(dict.fromkeys(registered)),
        now=now,
    )


def joint_universes(before: Documents, after: Documents, now: str) -> tuple[Universe, Universe]:
    """Put two snapshots of one role and key over the same classes.

    Args:
        before: The documents of the first.
        after: The documents of the second.
        now: ISO 8601.
    """
    first = replace(before, beside=tuple(after.parts))
    second = replace(after, beside=tuple(before.parts))
    universe = make_universe(second, now)
    return replace(universe, documents=first), universe


def _every_grant(principal: PrincipalClass, key: Key, index: int) -> tuple[Grant, ...]:
    """Return a grant that lets one class of principals do all that a grant can, if any."""
    raw = {
        "grantee_principal": principal.role_arn or principal.principal,
        "operations": sorted(OPERATIONS),
        "key_arn": key.arn,
    }
    try:
        return (parse_grant(raw, index),)
    except MalformedPolicy:
        return ()


def _arns(documents: Documents, texts: tuple[str, ...]) -> list[str]:
    caller = documents.snapshot.caller
    found = [*texts, *([caller] if caller else [])]
    return [each for each in dict.fromkeys(found) if parse_arn(each) is not None]


def _grant_keys(documents: Documents) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the encryption context keys that grants ask for, spelt as they do, with the values."""
    names: dict[str, str] = {}
    literals: dict[str, list[str]] = {}
    for grant in documents.grants:
        for key, value in (*(grant.equals or ()), *(grant.subset or ())):
            name = f"kms:EncryptionContext:{key}"
            assert lower_ascii(name).startswith(CONTEXT_PREFIX)  # nosec B101 # the caller has looked
            names.setdefault(lower_ascii(name), name)
            literals.setdefault(lower_ascii(name), []).append(value)
    return names, literals


def _add_tags(
    literals: dict[str, list[str]], documents: Documents, conditions: Sequence[Condition]
) -> dict[str, list[str]]:
    """Let the tags of role and key be told from other values of the keys that hold them."""
    asked = {each.lookup for each in conditions}
    for lookup, tag in _tags(documents):
        if lookup in asked:
            literals.setdefault(lookup, []).append(tag)
    return literals


def _tags(documents: Documents) -> Iterator[tuple[str, str]]:
    """Yield the tags of role and key, as the keys that hold them."""
    for holder, prefixes in (
        (documents.role, (PRINCIPAL_TAG, RESOURCE_TAG)),
        (documents.key, (RESOURCE_TAG,)),
    ):
        if holder is not None:
            for prefix in prefixes:
                yield from tags_of(holder, prefix).items()


def _user_ids(principals: list[Principal]) -> dict[str, list[TextPattern]]:
    """Return what tells unique ids apart, when documents name any."""
    ids = {each.text for each in principals if each.form is PrincipalForm.UNIQUE_ID}
    text_patterns = [
        text_pattern
        for each in sorted(ids)
        for text_pattern in (literal(each), wildcard(f"{each}:*"))
    ]
    return {USER_ID: text_patterns} if text_patterns else {}


def _with_known_keys(
    principal: PrincipalClass, documents: Documents, domains: ConditionDomains
) -> list[PrincipalClass]:
    """Return a principal with what is known of it, once for each unique id that documents name."""
    account = principal.account
    fixed = _organization(documents, account, ORGANIZATION) if account else {}
    if principal.caller.form is CallerForm.ROOT:
        fixed |= dict.fromkeys(each for each in domains.lookups if each.startswith(NOT_OF_ROOT))
    if not domains.has(USER_ID) or principal.caller.form in ANONYMOUS_FORMS:
        return [replace(principal, fixed=fixed)]
    return [
        replace(principal, fixed={**fixed, USER_ID: value})
        for value in domains.domain(USER_ID).values
    ]


def _organization(
    documents: Documents, account: str, lookup: str = "aws:resourceorgid"
) -> dict[str, Value]:
    """Return the organization of a principal or resource of the customer."""
    organization = documents.snapshot.organization
    if organization is UNSEEN or account != documents.customer:
        return {}
    return {lookup: organization}


def _facts(key: Key) -> dict[str, Value]:
    """Return what KMS says of the key in every request about it."""
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
