"""KMS grants: the other route to a key, beside its key policy.

Sources:
https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html
https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantConstraints.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openai_ekm.evaluation.decision import OpenPoint, StatementRef
from openai_ekm.evaluation.principals import MatchCloseness, named
from openai_ekm.policy.arn import parse_arn
from openai_ekm.policy.letters import lower_ascii
from openai_ekm.policy.malformed import MalformedPolicy
from openai_ekm.policy.principal import Principal, PrincipalForm, parse_principal

if TYPE_CHECKING:
    from openai_ekm.evaluation.request import Situation

__all__ = ["Grant", "grant_applies", "parse_grant"]

# Operations that carry an encryption context, so that constraints can be compared with it.
WITH_CONTEXT = frozenset(
    {
        "encrypt",
        "decrypt",
        "generatedatakey",
        "generatedatakeywithoutplaintext",
        "generatedatakeypair",
        "generatedatakeypairwithoutplaintext",
        "reencryptfrom",
        "reencryptto",
    }
)
# "The constraint doesn't apply to these operations."
UNCONSTRAINED = frozenset({"describekey", "retiregrant"})
OTHERS = frozenset(
    {
        "sign",
        "verify",
        "getpublickey",
        "creategrant",
        "generatemac",
        "verifymac",
        "derivesharedsecret",
    }
)
OPERATIONS = WITH_CONTEXT | UNCONSTRAINED | OTHERS
REQUIRED = frozenset({"grantee_principal", "operations", "key_arn"})
MEMBERS = REQUIRED | {
    "constraints",
    "name",
    "grant_id",
    "retiring_principal",
    "issuing_account",
    "creation_date",
}
CONSTRAINTS = frozenset({"EncryptionContextEquals", "EncryptionContextSubset"})
CONTEXT_PREFIX = "kms:encryptioncontext:"


@dataclass(frozen=True, slots=True)
class Grant:
    """One grant.

    Args:
        index: Its place among the grants.
        name: Its name or id, or None.
        grantee: Who may use it.
        operations: In lower case.
        key_arn: The key that it is on.
        equals: Pairs that the encryption context must be, or None.
        subset: Pairs that it must contain, or None.
    """

    index: int
    name: str | None
    grantee: Principal
    operations: frozenset[str]
    key_arn: str
    equals: frozenset[tuple[str, str]] | None
    subset: frozenset[tuple[str, str]] | None

    @property
    def ref(self) -> StatementRef:
        """Return the reference by which a decision names the grant."""
        return StatementRef(f"grants[{self.index}]", 0, self.name, "Allow")


def parse_grant(raw: Any, index: int) -> Grant:
    """Read one grant.

    Args:
        raw: Its decoded JSON.
        index: Its place among the grants.

    Returns:
        The grant.

    Raises:
        MalformedPolicy: A member is missing, unknown, or of the wrong form.
    """
    place = f"grants[{index}]"
    if not isinstance(raw, Mapping):
        raise MalformedPolicy("a grant is a JSON object", place)
    for member in raw:
        if member not in MEMBERS:
            raise MalformedPolicy(f"{member!r} is not a member of a grant", place)
    for member in REQUIRED:
        if member not in raw:
            raise MalformedPolicy(f"the grant has no {member}", place)
    grantee, key_arn, name = raw["grantee_principal"], raw["key_arn"], raw.get("name")
    # A key's id or alias would be compared with its ARN, and never be equal to it.
    if not isinstance(grantee, str) or not _is_key(key_arn):
        raise MalformedPolicy(
            "grantee_principal must be a string, and key_arn the ARN of a key", place
        )
    # A grant to an AWS service holds its service principal:
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html
    kind = "Service" if grantee.endswith(".amazonaws.com") else "AWS"
    try:
        principal = parse_principal(kind, grantee)
    except MalformedPolicy as fault:
        raise MalformedPolicy(fault.message, f"{place}.grantee_principal") from None
    if principal.form is PrincipalForm.ANYONE:
        raise MalformedPolicy("a grant is never to everyone", f"{place}.grantee_principal")
    constraints = raw.get("constraints") or {}
    if not isinstance(constraints, Mapping) or not constraints.keys() <= CONSTRAINTS:
        raise MalformedPolicy(
            f"takes {' or '.join(sorted(CONSTRAINTS))} only", f"{place}.constraints"
        )
    return Grant(
        index=index,
        name=name if isinstance(name, str) and name else None,
        grantee=principal,
        operations=_operations(raw["operations"], f"{place}.operations"),
        key_arn=key_arn,
        equals=_pairs(constraints, "EncryptionContextEquals", place),
        subset=_pairs(constraints, "EncryptionContextSubset", place),
    )


def _is_key(value: Any) -> bool:
    arn = parse_arn(value) if isinstance(value, str) else None
    return arn is not None and arn.service == "kms" and arn.resource.startswith("key/")


def _operations(raw: Any, place: str) -> frozenset[str]:
    if not isinstance(raw, list | tuple) or not all(isinstance(each, str) for each in raw):
        raise MalformedPolicy("must be a list of strings", place)
    for each in raw:
        if lower_ascii(each) not in OPERATIONS:
            raise MalformedPolicy(f"{each!r} is not an operation of a grant", place)
    return frozenset(lower_ascii(each) for each in raw)


def _pairs(
    constraints: Mapping[str, Any], name: str, place: str
) -> frozenset[tuple[str, str]] | None:
    if name not in constraints:
        return None
    raw = constraints[name]
    if not isinstance(raw, Mapping) or not all(
        isinstance(key, str) and isinstance(value, str) for key, value in raw.items()
    ):
        raise MalformedPolicy("must be an object of strings", f"{place}.constraints.{name}")
    return frozenset(raw.items())


def grant_applies(grant: Grant, situation: Situation) -> MatchCloseness | OpenPoint | None:
    """Return whether a grant covers the request, its grantee's own policies apart.

    Args:
        grant: The grant.
        situation: A request for an action of kms on a key.

    Returns:
        How closely the grantee names the caller, an open point, or None.
    """
    operation = situation.action.partition(":")[2]
    if operation not in grant.operations or grant.key_arn != situation.request.resource:
        return None
    level = named(grant.grantee, situation)
    if level is None:
        return None
    if operation == "creategrant" and not _within(grant, situation):
        return OpenPoint(
            f"{grant.ref}: a grant made by it holds no operation that it lacks itself, and "
            "kms:GrantOperations does not say that none is asked for"
        )
    if operation in UNCONSTRAINED or (grant.equals is None and grant.subset is None):
        return level
    met = _constraints_met(grant, operation, situation)
    return level if met is True else met or None


def _constraints_met(grant: Grant, operation: str, situation: Situation) -> bool | OpenPoint:
    """Return whether the request's encryption context is what the grant asks for."""
    if operation not in WITH_CONTEXT:
        return OpenPoint(f"{grant.ref}: its constraints bear on {operation} in a way not decided")
    pairs = _encryption_context(situation)
    if pairs is None:
        return OpenPoint(f"{grant.ref}: a key of an encryption context has one value, not a list")
    equal = grant.equals is None or pairs == grant.equals
    return equal and (grant.subset is None or grant.subset <= pairs)


def _within(grant: Grant, situation: Situation) -> bool:
    """Return whether the grant that is asked for holds operations of this one only.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html
    (Granting CreateGrant permission: only what was granted can be delegated)
    """
    asked = situation.context.get("kms:grantoperations")
    if not asked:
        return False
    operations = (asked,) if isinstance(asked, str) else asked
    return {lower_ascii(each) for each in operations} <= grant.operations


def _encryption_context(situation: Situation) -> frozenset[tuple[str, str]] | None:
    """Return the request's encryption context; its keys are case-sensitive for a grant.

    None when one of its keys has a list of values.
    """
    pairs: set[tuple[str, str]] = set()
    for key in situation.request.context:
        lookup = lower_ascii(key)
        if not lookup.startswith(CONTEXT_PREFIX):
            continue
        value = situation.context.get(lookup)  # a number has become text there
        if not isinstance(value, str):
            return None
        pairs.add((key[len(CONTEXT_PREFIX) :], value))
    return frozenset(pairs)
