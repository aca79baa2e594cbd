"""The policies in force for a request, read once, and their statements that cover one action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from openai_ekm.evaluation.grants import Grant, parse_grant
from openai_ekm.evaluation.statements import Covering, covering
from openai_ekm.policy.document import Document, DocumentKind, parse_document
from openai_ekm.policy.light import light
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.statement import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ApplicableStatements",
    "Guardrail",
    "NamedDocument",
    "Policies",
    "PolicyLayer",
    "PreparedPolicies",
    "applicable_statements",
]


@light(frozen=True, slots=True)
class Guardrail:
    """One level of service or resource control policies.

    Args:
        name: What answers call it.
        documents: The level's documents.
        statements: Those that cover the action.
        about_caller: Whether it is of the caller's account: AWS services have none.
    """

    name: str
    documents: PolicyLayer
    statements: Covering
    about_caller: bool


@light(frozen=True, slots=True)
class ApplicableStatements:
    """For each layer of policies the statements that cover one action.

    Args:
        identity: Of the identity policies.
        resource: Of the resource's policy; None when there is none.
        boundary: Of the permissions boundary; None when there is none.
        session: Of the session policy; None when there is none.
        guardrails: The levels of RCPs and SCPs that bear on the action.
        denies: Whether any of these statements denies.
    """

    identity: Covering
    resource: Covering | None
    boundary: Covering | None
    session: Covering | None
    guardrails: tuple[Guardrail, ...]
    denies: bool


def applicable_statements(policies: PreparedPolicies, action: str) -> ApplicableStatements:
    """Look at policies from one action.

    Args:
        policies: The policies in force.
        action: In lower case.

    Returns:
        What of them covers it. No RCP bears on `kms:RetireGrant`.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
    """
    resource, boundary, session = policies.resource, policies.permissions_boundary, policies.session
    guardrails: tuple[Guardrail, ...] = ()
    if policies.rcps and action != "kms:retiregrant":
        guardrails = _covering_levels("resource", policies.rcps, action)
    if policies.scps:
        guardrails += _covering_levels("service", policies.scps, action)
    by_layer = (
        covering(policies.identity, action) if policies.identity else (),
        None if resource is None else covering((resource,), action),
        None if boundary is None else covering((boundary,), action),
        None if session is None else covering((session,), action),
    )
    looked_at = (*by_layer, *[each.statements for each in guardrails])
    return ApplicableStatements(*by_layer, guardrails, _denies(looked_at))


def _denies(layers: Iterable[Covering | None]) -> bool:
    for layer in layers:
        if layer:
            for statement, _ in layer:
                if statement.effect is Effect.DENY:
                    return True
    return False


def _covering_levels(
    kind: str, levels: Iterable[PolicyLayer], action: str
) -> tuple[Guardrail, ...]:
    return tuple(
        [
            Guardrail(
                f"{kind} control policies at level {index}",
                level,
                covering(level, action),
                about_caller=kind == "service",
            )
            for index, level in enumerate(levels)
        ]
    )


SEQUENCES = (list, tuple)
# KMS has some sixty actions; a stream of made-up ones must not fill the memory.
MOST_VIEWS = 128
Raw = str | Mapping[str, Any] | Document


@light(frozen=True, slots=True)
class NamedDocument:
    """A document and what answers call it.

    Args:
        name: `resource`, `identity[0]`, `scps[0][1]`, …
        document: The document.
    """

    name: str
    document: Document


PolicyLayer = tuple[NamedDocument, ...]


@light(frozen=True, slots=True)
class Policies:
    """Documents as they come: JSON text, decoded JSON, or already parsed.

    Args:
        identity: The caller's identity policies.
        resource: The trust policy for actions of sts, the key policy for those of kms.
        permissions_boundary: The caller's.
        session: The session policy, if one was passed.
        scps: Of the caller's account, one inner sequence a level (root, OU, account).
        rcps: Of the resource's account, likewise.
        grants: On the key: `grantee_principal`, `operations`, `key_arn`, `constraints`.
    """

    identity: Sequence[Raw] = ()
    resource: Raw | None = None
    permissions_boundary: Raw | None = None
    session: Raw | None = None
    scps: Sequence[Sequence[Raw]] = ()
    rcps: Sequence[Sequence[Raw]] = ()
    grants: Sequence[Mapping[str, Any]] = ()

    def prepare(self, action: str) -> PreparedPolicies:
        """Read every document once, for any number of requests.

        Args:
            action: One of the actions to be decided: its service says what `resource` is.

        Returns:
            The same policies, read.

        Raises:
            MalformedPolicy: A document is malformed; `place` begins with its name.
        """
        trust = isinstance(action, str) and action.lower().startswith("sts:")
        resource_kind = DocumentKind.TRUST if trust else DocumentKind.KEY
        return PreparedPolicies(
            identity=_level(self.identity, "identity", DocumentKind.IDENTITY),
            resource=_optional(self.resource, "resource", resource_kind),
            permissions_boundary=_optional(
                self.permissions_boundary, "permissions_boundary", DocumentKind.IDENTITY
            ),
            session=_optional(self.session, "session", DocumentKind.IDENTITY),
            scps=_levels(self.scps, "scps", DocumentKind.SCP),
            rcps=_levels(self.rcps, "rcps", DocumentKind.RCP),
            grants=tuple(
                [
                    parse_grant(each, index)
                    for index, each in enumerate(_sequence(self.grants, "grants"))
                ]
            ),
        )


@light(frozen=True, slots=True)
class PreparedPolicies:
    """The policies in force, read; made by `Policies.prepare`.

    Args:
        identity: The caller's identity policies.
        resource: Trust policy or key policy.
        permissions_boundary: The caller's.
        session: The session policy.
        scps: A tuple of documents a level.
        rcps: Likewise.
        grants: On the key.
    """

    identity: PolicyLayer
    resource: NamedDocument | None
    permissions_boundary: NamedDocument | None
    session: NamedDocument | None
    scps: tuple[PolicyLayer, ...]
    rcps: tuple[PolicyLayer, ...]
    grants: tuple[Grant, ...]
    _by_action: dict[str, ApplicableStatements] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def about(self, action: str) -> ApplicableStatements:
        """Return the statements that cover an action, kept for the next request about it.

        Args:
            action: In lower case.

        Returns:
            For each layer those statements.
        """
        found = self._by_action.get(action)
        if found is None:
            if len(self._by_action) >= MOST_VIEWS:
                self._by_action.clear()
            found = self._by_action[action] = applicable_statements(self, action)
        return found


def _sequence(value: Any, name: str) -> Sequence[Any]:
    if isinstance(value, SEQUENCES):
        return value
    raise MalformedPolicy("must be a list", name)


def _named(value: Any, name: str, kind: DocumentKind) -> NamedDocument:
    if isinstance(value, Document):
        if value.kind is not kind:
            raise MalformedPolicy(
                f"was read as a {value.kind.value} policy, wanted a {kind.value} policy", name
            )
        return NamedDocument(name, value)
    try:
        return NamedDocument(name, parse_document(value, kind))
    except MalformedPolicy as fault:
        raise fault.at(f"{name}: {fault.place}".rstrip(": ")) from None


def _optional(value: Any, name: str, kind: DocumentKind) -> NamedDocument | None:
    return None if value is None else _named(value, name, kind)


def _level(value: Any, name: str, kind: DocumentKind) -> PolicyLayer:
    if not value and isinstance(value, SEQUENCES):
        return ()
    return tuple(
        [
            _named(each, f"{name}[{index}]", kind)
            for index, each in enumerate(_sequence(value, name))
        ]
    )


def _levels(value: Any, name: str, kind: DocumentKind) -> tuple[PolicyLayer, ...]:
    if not value and isinstance(value, SEQUENCES):
        return ()
    return tuple(
        _level(each, f"{name}[{index}]", kind) for index, each in enumerate(_sequence(value, name))
    )
