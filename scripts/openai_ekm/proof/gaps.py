"""Members that a snapshot lacks: the claims that each could break, and its worst value.

Each member that was not seen has a row in `COULD_BREAK`: for each claim what the member could do to
it, or nothing if no value of it matters. The proof does not guess: it decides the claim again with
the member's worst value. If that breaks the claim, the claim is undecided.

A member that only narrows (boundary, SCPs, RCPs) counts as absent for requests that must be
impossible. A claim that the policies themselves break therefore fails, with any guardrail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.policy import ALLOW_ALL, parse_arn
from openai_ekm.proof.documents import PRINCIPAL_TAG, RESOURCE_TAG, is_related
from openai_ekm.proof.result import Gap
from openai_ekm.snapshot import UNSEEN, Alias, Customer, Key, NamedPolicy, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from openai_ekm.proof.universe import Universe
    from openai_ekm.snapshot import Snapshot
    from openai_ekm.value_classes.domains import Value

__all__ = ["ABSENT", "COULD_BREAK", "Unseen", "assume_none", "combinations", "find_gaps"]

DENIES_USE: Final = "it may keep the role from encrypting and decrypting"
HAS_CONDITION: Final = "a condition asks for it"
GUARDS: Final = {
    "b": "they may deny the role Encrypt and Decrypt",
    "d": "they may deny one of OpenAI's calls",
    "e": "they may deny PutKeyPolicy to every administrator",
}
ASKED: Final = dict.fromkeys("bde", HAS_CONDITION)
# Member of the snapshot -> claim -> what it could do to the claim. docs/proof.md says the same.
COULD_BREAK: Final[dict[str, dict[str, str]]] = {
    "trust_policy": {
        "a": "it may let somebody else assume the role",
        "b": "it may let the role assume itself",
        "d": "it may not let OpenAI in",
    },
    "permission_policies": {
        "b": "they may let the role do more, or less",
        "c": "they may let the role change the key policy, which the key policy leaves to IAM",
        "d": "they may not let the role encrypt and decrypt",
        "f": "they may let the role disable the key, which the key policy leaves to IAM",
    },
    "permissions_boundary": {"b": DENIES_USE, "d": DENIES_USE},
    "policy": {
        "b": "it may let the role do more, or less",
        "c": "it may let anybody use the key",
        "d": "it may not let the role encrypt and decrypt",
        "e": "it may let no administrator change it",
        "f": "it may let anybody disable or delete the key",
    },
    "related": {
        "b": "a replica's policy may let the role do more",
        "c": "a replica's policy may let anybody use the same key material",
    },
    "grants": {
        "b": "one may let the role do more with the key",
        "c": "one may let anybody use the key",
    },
    "scps": GUARDS,
    "rcps": GUARDS,
    "aliases": ASKED,
    "role.tags": ASKED,
    "key.tags": ASKED,
    "organization": ASKED,
    "state": {"d": "KMS uses no key that is not Enabled"},
    "spec": ASKED | {"d": "OpenAI encrypts with a symmetric key"},
    "usage": ASKED | {"d": "OpenAI encrypts with a key for ENCRYPT_DECRYPT"},
    "origin": ASKED,
    "multi_region": ASKED,
    # The role's own account, which its ARN says; how long a session lasts bears on no claim.
    "account": {},
    "max_session_duration": {},
}
# What `assume_none` may take for empty: members that can be, and that not everybody may read.
ABSENT: Final = ("permissions_boundary", "grants", "related", "scps", "rcps")
MULTI_REGION: Final = ":key/mrk-"
SYMMETRIC: Final = "SYMMETRIC_DEFAULT"
# More values of unseen members together are not gone through.
MOST_COMBINATIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Unseen:
    """One member that was not seen.

    Args:
        path: Its snapshot path.
        row: Its row in `COULD_BREAK`.
        most: Puts in the value that allows most; None when what it says cannot allow anything.
        least: Puts in the value that allows least; None when it cannot deny anything.
        values: Puts in each value that a condition could tell apart; empty for a document.
        grants: Whether the value that allows most is a grant to everybody.
        cause: Why it was not seen, where the snapshot says.
    """

    path: str
    row: str
    most: Callable[[Snapshot], Snapshot] | None = None
    least: Callable[[Snapshot], Snapshot] | None = None
    values: tuple[Callable[[Snapshot], Snapshot], ...] = ()
    grants: bool = False
    cause: str | None = None

    def gap(self, claim: str) -> Gap:
        """Return the gap as the answer to a claim names it."""
        return Gap(self.path, COULD_BREAK[self.row][claim], self.cause)


def find_gaps(snapshot: Snapshot, universe: Universe, whole: frozenset[str]) -> list[Unseen]:
    """Find what was not seen.

    Args:
        snapshot: What was collected, with a role and a key of the registered ARNs.
        universe: The same as a universe of requests: it says what conditions ask for.
        whole: `role` and `keys` where nothing of them was seen.

    Returns:
        The members that could break some claim, in the order of the snapshot.
    """
    found = [*_of_role(snapshot, universe, whole), *_of_key(snapshot, universe, whole)]
    if snapshot.grants is UNSEEN:
        found.append(Unseen("grants", "grants", most=_same, grants=True))
    found += [
        Unseen(name, name, least=_setter(name, ((NOTHING["guardrail"],),)))
        for name in ("scps", "rcps")
        if getattr(snapshot, name) is UNSEEN and snapshot.organization is not None
    ]
    if snapshot.aliases is UNSEEN and snapshot.keys and universe.domains.has("kms:resourcealiases"):
        found.append(Unseen("aliases", "aliases", values=tuple(_aliases(snapshot, universe))))
    found += _organization(snapshot, universe)
    return found


def combinations(facts: list[Unseen]) -> list[tuple[Callable[[Snapshot], Snapshot], ...]] | None:
    """Return every combination of the values of some members; None when there are too many."""
    found = list(islice(product(*(each.values for each in facts)), MOST_COMBINATIONS + 1))
    return found if len(found) <= MOST_COMBINATIONS else None


def assume_none(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[Snapshot, tuple[str, ...]]:
    """Take members that were not seen for empty.

    Args:
        snapshot: What was collected.
        names: Of `ABSENT`.

    Returns:
        The snapshot with them empty, and what was taken for empty: nothing that was seen.
    """
    empty: list[tuple[str, Callable[[Snapshot], Snapshot]]] = [
        (name, _setter(name, ())) for name in names if getattr(snapshot, name, None) is UNSEEN
    ]
    role, boundary = snapshot.role, "permissions_boundary"
    if boundary in names and isinstance(role, Role) and role.permissions_boundary is UNSEEN:
        empty.append((boundary, _with_role(boundary, None)))
    empty += [
        (f"keys[{index}].related", _key_setter(index, "related", ()))
        for index, key in enumerate(snapshot.keys or ())
        if "related" in names and key.related is UNSEEN and MULTI_REGION in key.arn
    ]
    for _, fill in empty:
        snapshot = fill(snapshot)
    return snapshot, tuple(path for path, _ in empty)


EVERYONE: Final = {"Effect": "Allow", "Principal": "*"}
NO_ONE: Final = {"Effect": "Deny", "Principal": "*"}


def _document(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


ANYTHING: Final = {
    "trust": _document({**EVERYONE, "Action": "sts:*"}),
    "identity": ALLOW_ALL,
    "key": _document({**EVERYONE, "Action": "kms:*", "Resource": "*"}),
}
NOTHING: Final = {
    "trust": _document({**NO_ONE, "Action": "sts:*"}),
    "identity": _document({"Effect": "Deny", "Action": "*", "Resource": "*"}),
    "key": _document({**NO_ONE, "Action": "kms:*", "Resource": "*"}),
    "guardrail": _document({**NO_ONE, "Action": "*", "Resource": "*"}),
}


def _same(snapshot: Snapshot) -> Snapshot:
    return snapshot


def _setter(name: str, value: Any) -> Callable[[Snapshot], Snapshot]:
    members: dict[str, Any] = {name: value}
    return lambda snapshot: replace(snapshot, **members)


def _with_role(name: str, value: Any) -> Callable[[Snapshot], Snapshot]:
    def fill(snapshot: Snapshot) -> Snapshot:
        assert isinstance(snapshot.role, Role)  # nosec B101 # narrows the type
        return replace(snapshot, role=replace(snapshot.role, **{name: value}))

    return fill


def _key_setter(index: int, name: str, value: Any) -> Callable[[Snapshot], Snapshot]:
    members: dict[str, Any] = {name: value}

    def fill(snapshot: Snapshot) -> Snapshot:
        keys = list(snapshot.keys or ())
        keys[index] = replace(keys[index], **members)
        return replace(snapshot, keys=tuple(keys))

    return fill


def _of_role(snapshot: Snapshot, universe: Universe, whole: frozenset[str]) -> Iterator[Unseen]:
    role = snapshot.role
    if not isinstance(role, Role):
        return

    def path(name: str) -> str:
        return "role" if "role" in whole else name

    if role.trust_policy is UNSEEN:
        name = "trust_policy"
        most, least = (_with_role(name, each["trust"]) for each in (ANYTHING, NOTHING))
        yield Unseen(path(name), name, most, least)
    policies = role.permission_policies
    if policies is UNSEEN or any(each.document is UNSEEN for each in policies):
        name = "permission_policies"
        kept = () if policies is UNSEEN else [each for each in policies if each.document]
        most, least = (
            _with_role(name, (*kept, NamedPolicy("any", each["identity"])))
            for each in (ANYTHING, NOTHING)
        )
        yield Unseen(path(name), name, most, least)
    if role.permissions_boundary is UNSEEN:
        name = "permissions_boundary"
        yield Unseen(path(name), name, least=_with_role(name, NOTHING["identity"]))
    if role.tags is UNSEEN:
        tags = _tags(universe, (PRINCIPAL_TAG, RESOURCE_TAG))
        if tags:
            values = tuple(_with_role("tags", each) for each in tags)
            yield Unseen(path("role.tags"), "role.tags", values=values)


def _of_key(snapshot: Snapshot, universe: Universe, whole: frozenset[str]) -> Iterator[Unseen]:
    key = snapshot.registered_key
    if key is None:
        return
    keys = snapshot.keys or ()
    index = keys.index(key)

    def path(name: str) -> str:
        return "keys" if "keys" in whole else f"keys[{index}].{name}"

    if key.policy is UNSEEN:
        most, least = (_key_setter(index, "policy", each["key"]) for each in (ANYTHING, NOTHING))
        yield Unseen(path("policy"), "policy", most, least)
    yield from _related_keys(snapshot, key, path("related"))
    for name, facts in _facts(universe).items():
        if getattr(key, name) is UNSEEN:
            values = tuple(_key_setter(index, name, each) for each in facts)
            yield Unseen(path(name), name, values=values)
    if key.tags is UNSEEN and (tags := _tags(universe, (RESOURCE_TAG,))):
        values = tuple(_key_setter(index, "tags", each) for each in tags)
        yield Unseen(path("tags"), "key.tags", values=values)


def _related_keys(snapshot: Snapshot, key: Key, path: str) -> Iterator[Unseen]:
    """Yield the keys of other Regions with the same material, whose policies were not read."""
    keys = snapshot.keys or ()
    for index, each in enumerate(keys):
        if is_related(each.arn, key.arn) and each.policy is UNSEEN:
            most = _key_setter(index, "policy", ANYTHING["key"])
            yield Unseen(f"keys[{index}].policy", "related", most)
    if MULTI_REGION not in key.arn or key.multi_region is None:
        return
    listed = (_elsewhere(key.arn),) if key.related is UNSEEN else key.related
    known = {each.arn for each in keys} if key.related is not UNSEEN else set()
    for arn in listed:
        if arn not in known:
            yield Unseen(path, "related", most=_another(arn))


def _elsewhere(arn: str) -> str:
    """Return the same key in another Region."""
    found = parse_arn(arn)
    assert found is not None  # nosec B101 # narrows the type
    region = "us-east-1" if found.region != "us-east-1" else "us-east-2"
    return arn.replace(f":{found.region}:", f":{region}:", 1)


def _another(arn: str) -> Callable[[Snapshot], Snapshot]:
    """Add a key whose policy lets everybody in."""
    key = Key(arn, policy=ANYTHING["key"])
    return lambda snapshot: replace(snapshot, keys=(*(snapshot.keys or ()), key))


def _facts(universe: Universe) -> dict[str, list[Any]]:
    """Return what a fact of the key may be; the value of a healthy one first."""
    found: dict[str, list[Any]] = {
        "state": ["Enabled", "Disabled"],
        "spec": [SYMMETRIC, "RSA_2048", *_values(universe, "kms:keyspec")],
        "usage": ["ENCRYPT_DECRYPT", "SIGN_VERIFY", *_values(universe, "kms:keyusage")],
    }
    found["spec"] += _values(universe, "kms:customermasterkeyspec")
    found["usage"] += _values(universe, "kms:customermasterkeyusage")
    if universe.domains.has("kms:keyorigin"):
        found["origin"] = ["AWS_KMS", *_values(universe, "kms:keyorigin")]
    if universe.domains.has("kms:multiregion") or universe.domains.has("kms:multiregionkeytype"):
        found["multi_region"] = [None, "PRIMARY", "REPLICA"]
    return {name: list(dict.fromkeys(values)) for name, values in found.items()}


def _values(universe: Universe, lookup: str) -> list[str]:
    """Return the values of a condition key that documents tell apart, so far as they are texts."""
    if not universe.domains.has(lookup):
        return []
    return [
        each for each in universe.domains.domain(lookup).values if isinstance(each, str) and each
    ]


def _tags(universe: Universe, prefixes: tuple[str, ...]) -> list[dict[str, str]]:
    """Return every set of tags that conditions tell apart; empty when none asks for a tag."""
    names = {
        universe.domains.names[lookup].partition("/")[2]: lookup
        for lookup in universe.domains.lookups
        if lookup.startswith(tuple(f"{each}/" for each in prefixes))
    }
    choices: list[list[Value]] = [
        [each for each in universe.domains.domain(lookup).values if not isinstance(each, tuple)]
        for lookup in names.values()
    ]
    if not names:
        return []
    return [
        {name: value for name, value in zip(names, chosen, strict=True) if isinstance(value, str)}
        for chosen in islice(product(*choices), MOST_COMBINATIONS + 1)
    ]


def _aliases(snapshot: Snapshot, universe: Universe) -> Iterator[Callable[[Snapshot], Snapshot]]:
    key = snapshot.registered_key
    assert key is not None  # nosec B101 # narrows the type
    start = key.arn.rpartition(":")[0]
    for value in universe.domains.domain("kms:resourcealiases").values:
        names = (value,) if isinstance(value, str) else value or ()
        yield _setter("aliases", tuple(Alias(f"{start}:{name}", key.arn) for name in names))


def _organization(snapshot: Snapshot, universe: Universe) -> Iterator[Unseen]:
    lookups = ("aws:principalorgid", "aws:resourceorgid")
    if snapshot.organization is not UNSEEN or not any(map(universe.domains.has, lookups)):
        return
    customer = snapshot.customer if isinstance(snapshot.customer, Customer) else Customer()
    ids = [None, *dict.fromkeys(text for each in lookups for text in _values(universe, each))]
    values = tuple(_setter("customer", replace(customer, organization=each)) for each in ids)
    yield Unseen("customer.organization", "organization", values=values)
