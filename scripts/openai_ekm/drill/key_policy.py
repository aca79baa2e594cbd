"""The key policy with the drill's one statement in it, and without it. Pure.

Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html,
https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html (32 KB)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.errors import BadInput, Conflict
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SID",
    "Found",
    "Restoration",
    "digest",
    "holds_statement",
    "statement_for",
    "with_statement",
    "without_statement",
]

SID: Final = "EkmDrillRevoke"
LARGEST: Final = 32768  # bytes of a key policy; AWS does not raise it
_SETS: Final = ("Action", "NotAction", "Resource", "NotResource")


class Found(StrEnum):
    """The state of the key policy, seen from the drill that is to be undone."""

    AS_CUT = "as_cut"  # the former document and our statement, nothing else
    AS_BEFORE = "as_before"  # the former document
    CHANGED = "changed"  # another document, with our statement in it
    REPLACED = "replaced"  # another document, without it


@dataclass(frozen=True, slots=True)
class Restoration:
    """The way to give access back.

    Args:
        found: What is there now.
        text: The document to put; None when there is nothing of ours to take out.
    """

    found: Found
    text: str | None


def statement_for(role_arn: str) -> dict[str, Any]:
    """Return the statement that cuts one role off from the key, and nobody else from anything.

    It names the role in a condition, as the module's own statements do: a principal would be
    stored as the role's unique id. Who may change the policy is not touched by it.

    Args:
        role_arn: Full ARN with its path, as `aws:PrincipalArn` has it.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    return {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["kms:Decrypt", "kms:Encrypt"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": role_arn}},
    }


def with_statement(text: str, statement: Mapping[str, Any]) -> str:
    """Return a key policy with the statement added at its end.

    Args:
        text: The policy as KMS returned it.
        statement: As `statement_for` made it.

    Raises:
        BadInput: The policy is not one that this version reads, or has no room.
        Conflict: A statement of that Sid is in it already.
    """
    body = _read(text)
    if any(_sid(each) == SID for each in _statements(body)):
        raise Conflict(
            "drill_statement_standing",
            f"The key policy has a statement {SID} already, and no note says whose.",
            at_fault="key policy",
            remedy="A drill ended without its note, or another record's drill is running: "
            "`ekm drill restore` takes the statement out; then run again.",
        )
    cut = json.dumps(
        {**body, "Statement": [*_statements(body), dict(statement)]},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    size = len(cut.encode())
    if size > LARGEST:
        raise BadInput(
            "drill_policy_too_large",
            f"The key policy would have {size} bytes with the drill's statement; KMS takes "
            f"{LARGEST}.",
            at_fault="key policy",
            remedy="Rehearse with --by disable-key, which leaves the policy alone.",
        )
    return cut


def without_statement(
    text: str, statement: Mapping[str, Any], former: str | None, former_digest: str | None
) -> Restoration:
    """Say what to put so that the drill's statement is gone, and nothing else is.

    Args:
        text: The policy as KMS returns it now.
        statement: What the drill added.
        former: The policy before the drill, to the letter, where it is known.
        former_digest: `digest` of it, where that is known.

    Raises:
        Conflict: The statement cannot be taken out without touching what is not the drill's.
    """
    try:
        body = _read(text)
    except BadInput as failure:
        raise _stuck(failure.message) from None
    ours = [each for each in _statements(body) if _sid(each) == SID]
    if not ours:
        if former_digest is not None and digest(text) == former_digest:
            return Restoration(Found.AS_BEFORE, former if former is not None else text)
        return Restoration(Found.REPLACED, None)
    if len(ours) > 1 or _canonical(ours[0]) != _canonical(statement):
        raise _stuck(f"the statement {SID} in it is not the one that the drill added.")
    rest = [each for each in _statements(body) if _sid(each) != SID]
    if not rest:
        raise _stuck(f"{SID} is its only statement, and KMS takes no policy without one.")
    bare = json.dumps({**body, "Statement": rest}, ensure_ascii=False, separators=(",", ":"))
    if former_digest is not None and digest(bare) == former_digest:
        return Restoration(Found.AS_CUT, former if former is not None else bare)
    return Restoration(Found.CHANGED, bare)


def holds_statement(text: str) -> bool:
    """Return whether the drill's statement is in a policy."""
    return any(_sid(each) == SID for each in _statements(_read(text)))


def digest(text: str) -> str:
    """Return what two policies share when they say the same: SHA-256, hexadecimal.

    The order of statements, and of what AWS keeps as a set, does not count: KMS has been seen to
    return principals in another order than they were put.
    """
    body = _read(text)
    same_form = {
        "Version": body.get("Version"),
        "Id": body.get("Id"),
        "Statement": sorted(_canonical(each) for each in _statements(body)),
    }
    return hashlib.sha256(json.dumps(same_form, sort_keys=True).encode()).hexdigest()


def _read(text: str) -> dict[str, Any]:
    try:
        parse_document(text, DocumentKind.KEY)
    except MalformedPolicy as failure:
        raise BadInput(
            "drill_policy_unreadable",
            f"The key policy is not one that this version reads: {failure}.",
            at_fault="key policy",
            remedy="`ekm diagnose` says what is wrong with it; rehearse with --by disable-key.",
        ) from None
    body: dict[str, Any] = json.loads(text)
    return body


def _statements(body: Mapping[str, Any]) -> list[Any]:
    found = body["Statement"]
    return found if isinstance(found, list) else [found]


def _sid(statement: Any) -> Any:
    return statement.get("Sid")


def _canonical(statement: Mapping[str, Any]) -> str:
    """Return a statement's text with every set in one order; a lone value is a set of one."""
    form = dict(statement)
    for name in _SETS:
        if name in form:
            form[name] = _set(form[name])
    for name in ("Principal", "NotPrincipal"):
        if isinstance(form.get(name), dict):
            form[name] = {kind: _set(value) for kind, value in form[name].items()}
    if isinstance(form.get("Condition"), dict):
        form["Condition"] = {
            operator: {key: _set(value) for key, value in block.items()}
            for operator, block in form["Condition"].items()
        }
    return json.dumps(form, sort_keys=True)


def _set(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return sorted({each if isinstance(each, str) else json.dumps(each) for each in values})


def _stuck(why: str) -> Conflict:
    return Conflict(
        "drill_policy_stuck",
        f"The key policy cannot be given back by itself: {why.rstrip('.')}. It was left as it is.",
        at_fault="key policy",
        remedy=f"Take the statement {SID} out by hand (kms:PutKeyPolicy), then run "
        "`ekm drill restore` again, which checks and ends the drill.",
    )
