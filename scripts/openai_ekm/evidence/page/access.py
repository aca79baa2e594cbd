"""Who may do what: the ways to the role and the key, read out of the policies of the snapshot.

A way is something that one group of principals may do with the role or the key, with every
statement that lets them. The picture draws the first of them; the table below it has all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence.page.statements import By, Permission, permissions
from openai_ekm.evidence.page.text import join_words, object_of
from openai_ekm.openai import OPENAI_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.evidence.pack import Pack

__all__ = ["Kind", "State", "Way", "ways"]


class Kind(StrEnum):
    """The part that somebody has in the picture."""

    OPENAI = "openai"  # assumes the role
    ROLE = "role"  # uses the key
    ADMINISTRATOR = "administrator"  # changes the key, its policy or its life
    STRANGER = "stranger"  # anybody else who gets to the role or the key
    IAM = "iam"  # changes the role; no snapshot shows them


class State(StrEnum):
    """How the proof sees a way."""

    PROVEN = "proven"
    BREAKS = "breaks"
    DENIED = "denied"
    UNDECIDED = "undecided"
    MISSING = "missing"
    NOT_SEEN = "not-seen"


@dataclass(frozen=True, slots=True)
class Way:
    """A way: something that one group of principals may do with the role or the key.

    Args:
        number: In the picture and the table.
        kind: Their part.
        who: Their name, as the policy spells it.
        does: What they may do: a few words.
        actions: The actions, as the policies spell them.
        target: `role` or `key`.
        by: The statements that let them.
        only_if: The conditions of those statements, a sentence each.
        state: How the proof sees it.
        claims: The claims that it bears on.
    """

    number: int
    kind: Kind
    who: str
    does: str
    actions: tuple[str, ...]
    target: str
    by: tuple[By, ...]
    only_if: tuple[str, ...]
    state: State
    claims: tuple[str, ...] = ()


_WORDS: Final = {
    Kind.OPENAI: "assumes the role",
    Kind.ROLE: "uses the key",
    Kind.IAM: "change its policies",
}


def ways(pack: Pack) -> tuple[Way, ...]:
    """Return every way to the role and the key, in the order of the picture.

    Args:
        pack: Its snapshot and its proof are read.
    """
    snapshot, proof = pack.snapshot, pack.proof
    role = str(object_of(snapshot.get("registration")).get("role_arn", ""))
    found = permissions(snapshot, role)
    claims = {each["id"]: each for each in proof.get("claims", ())}
    drawn = [
        _way(Kind.OPENAI, "role", [each for each in found if _is_openai(each)], claims, "d"),
        _way(Kind.ROLE, "key", [each for each in found if _is_role(each, role)], claims, "d"),
    ]
    rest = [each for each in found if not _is_openai(each) and not _is_role(each, role)]
    grouped: dict[tuple[Kind, str, str], list[Permission]] = {}
    for each in rest:
        for kind in _kinds(each):
            grouped.setdefault((kind, each.who, each.target), []).append(each)
    for (kind, _, target), members in sorted(
        grouped.items(), key=lambda item: list(Kind).index(item[0][0])
    ):
        claim = "f" if kind is Kind.ADMINISTRATOR else "a" if target == "role" else "c"
        drawn.append(_way(kind, target, members, claims, claim))
    drawn += _other_breaches(drawn, claims, role)
    drawn.append(
        Way(
            number=0,
            kind=Kind.IAM,
            who="IAM administrators",
            does=_WORDS[Kind.IAM],
            actions=("iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:AttachRolePolicy"),
            target="role",
            by=(),
            only_if=(),
            state=State.NOT_SEEN,
        )
    )
    return tuple(replace(each, number=index) for index, each in enumerate(drawn, start=1))


def _is_openai(permission: Permission) -> bool:
    return permission.target == "role" and f"::{OPENAI_ACCOUNT}:" in permission.who


def _is_role(permission: Permission, role: str) -> bool:
    return permission.target == "key" and permission.who == role


def _kinds(permission: Permission) -> tuple[Kind, ...]:
    if permission.target == "role":
        return (Kind.STRANGER,)
    found = []
    if permission.changes:
        found.append(Kind.ADMINISTRATOR)
    if permission.uses:
        found.append(Kind.STRANGER)
    return tuple(found)


def _way(
    kind: Kind,
    target: str,
    members: list[Permission],
    claims: Mapping[str, Mapping[str, Any]],
    claim: str,
) -> Way:
    """Return members as one way; without any, as a way that is missing."""
    actions = dict.fromkeys(
        action
        for each in members
        for action in (each.actions if kind in _WORDS else _of(each, kind))
    )
    only_if = dict.fromkeys(condition for each in members for condition in each.only_if)
    broken = _broken_by(members, claims)
    holds = object_of(claims.get(claim)).get("holds")
    if members:
        state = _state(kind, broken, holds)
    else:  # a policy that was not seen may open the way
        state = State.MISSING if holds is False else State.UNDECIDED
    return Way(
        number=0,
        kind=kind,
        who=members[0].who if members else "",
        does=_WORDS.get(kind) or _does(kind, tuple(actions), target),
        actions=tuple(actions),
        target=target,
        by=tuple(dict.fromkeys(each.by for each in members)),
        only_if=tuple(only_if),
        state=state,
        claims=broken or (claim,),
    )


def _state(kind: Kind, broken: tuple[str, ...], holds: bool | None) -> State:
    """Return how the proof sees a way that a statement opens.

    Args:
        kind: Whose way it is.
        broken: Claims whose counterexample goes this way.
        holds: The answer to the claim that the way bears on.
    """
    if broken:
        return State.BREAKS
    if kind in {Kind.OPENAI, Kind.ROLE}:
        # (d) fails: a statement opens the way, and OpenAI does not get through.
        if holds is None:
            return State.UNDECIDED
        return State.PROVEN if holds else State.DENIED
    if kind is Kind.STRANGER:
        # (a) or (c) holds: something else denies it. Fails by another way: not known of this one.
        return State.DENIED if holds else State.UNDECIDED
    return State.PROVEN if holds is not None else State.UNDECIDED


def _of(permission: Permission, kind: Kind) -> tuple[str, ...]:
    if permission.target == "role":
        return permission.actions
    return permission.changes if kind is Kind.ADMINISTRATOR else permission.uses


def _does(kind: Kind, actions: tuple[str, ...], target: str) -> str:
    if kind is Kind.ADMINISTRATOR:
        words = [
            word
            for word, names in _ADMINISTRATION
            if any(each in {"*", "kms:*"} or each.casefold() in names for each in actions)
        ]
        return join_words(words) or "administers the key"
    return "reaches the role" if target == "role" else "uses the key"


_ADMINISTRATION: Final = (
    ("changes the policy", {"kms:putkeypolicy"}),
    ("deletes", {"kms:schedulekeydeletion"}),
    ("disables", {"kms:disablekey"}),
    ("gives grants", {"kms:creategrant"}),
    ("replicates", {"kms:replicatekey"}),
)


def _broken_by(
    members: list[Permission], claims: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return the claims, (d) and (e) apart, whose counterexample rests on one of the statements."""
    places = {(each.by.document, each.by.statement) for each in members}
    return tuple(
        name
        for name, claim in claims.items()
        if name in {"a", "b", "c", "f"}
        for each in object_of(claim.get("counterexample")).get("statements", ())
        if (each.get("document"), each.get("statement")) in places
    )


def _other_breaches(
    drawn: list[Way], claims: Mapping[str, Mapping[str, Any]], role: str
) -> list[Way]:
    """Return a way for each counterexample of (a), (c), (f) that no statement above stands for."""
    found = []
    for name, claim in claims.items():
        example = object_of(claim.get("counterexample"))
        request = object_of(example.get("request"))
        if (
            name not in {"a", "c", "f"}
            or not request
            or any(name in each.claims and each.state is State.BREAKS for each in drawn)
        ):
            continue
        found.append(
            Way(
                number=0,
                kind=Kind.STRANGER,
                who=str(request.get("principal", "")),
                does="reaches the role" if request.get("resource") == role else "uses the key",
                actions=(str(request.get("action", "")),),
                target="role" if request.get("resource") == role else "key",
                by=tuple(
                    By(str(each.get("document", "")), each.get("statement"), each.get("sid"))
                    for each in example.get("statements", ())
                ),
                only_if=(),
                state=State.BREAKS,
                claims=(name,),
            )
        )
    return found
