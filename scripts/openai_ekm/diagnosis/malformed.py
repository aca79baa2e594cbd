"""Documents that AWS would not save, and the smallest change after which it would.

No change allows more than the author may have meant. An unreadable part of an Allow may narrow it,
so the change never removes that part: it removes the whole statement, or replaces it by the
documented one. From a Deny the change removes only a part that narrows it.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.diagnosis import patch
from openai_ekm.diagnosis.repairs.missing_statement import assume_by_openai, use_of_key
from openai_ekm.diagnosis.result import Change, Fault
from openai_ekm.policy import DocumentKind, MalformedPolicy, parse_document
from openai_ekm.policy.conditions import BASES
from openai_ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.diagnosis.result import Step
    from openai_ekm.snapshot import Snapshot

__all__ = ["malformed"]

Correction = tuple[str, str, Change]  # what is needed, what to do, the step

_STEP: Final = re.compile(r"[^.\[\]]+|\[\d+\]")
_TOP: Final = ("Version", "Id", "Statement")
_ELEMENTS: Final = ("Sid", "Effect", "Principal", "Action", "Resource", "Condition", "NotAction",
                    "NotResource", "NotPrincipal")  # fmt: skip
_NARROWED: Final = ("Action", "Resource")  # an entry less allows less


def malformed(document: str, place: str, message: str, snapshot: Snapshot) -> Iterator[Fault]:
    """Yield candidates for a document that AWS would not have saved, the smallest change first.

    Args:
        document: Snapshot path.
        place: Where in it, such as `Statement[1].Condition.StringEquals`.
        message: What is wrong.
        snapshot: What was collected.
    """
    pointer = patch.document_pointer(document)
    steps: list[Step] = [
        int(step[1:-1]) if step[0] == "[" else step for step in _STEP.findall(place)
    ]
    content = _at(patch.opened(snapshot), pointer)
    statement, sid = None, None
    if steps[:1] == ["Statement"] and len(steps) > 1 and isinstance(steps[1], int):
        statement = steps[1]
        raw = content.get("Statement") if isinstance(content, dict) else None
        if not isinstance(raw, list):
            del steps[1]
        found = _at(content, _own(steps))
        sid = found.get("Sid") if isinstance(found, dict) else None
    element = ".".join(str(step) for step in steps if step not in ("Statement", statement))

    wrong = complaint(snapshot, document)
    disputed = wrong is not None and wrong.disputed
    kind_of_fault = "policy_disputed" if disputed else "policy_malformed"
    said = (
        f"{message}; what is open counts as refused."
        if disputed
        else f"AWS does not save such a document: {message}."
    )

    def fault(needed: str, remedy: str, *fix: Change) -> Fault:
        return Fault(
            kind_of_fault,
            document,
            statement,
            sid if isinstance(sid, str) else None,
            element or None,
            message,
            needed,
            said,
            remedy,
            fix,
        )

    if isinstance(content, dict) and wrong is not None and wrong.instead is not None:
        for needed, remedy, change in _corrections_by_meaning(
            content, steps, pointer, wrong.instead, snapshot
        ):
            yield fault(needed, remedy, change)
    elif isinstance(content, dict):
        quoted = message.partition("'")[2].partition("'")[0]
        trusts = document == "trust_policy"
        for needed, remedy, change in (
            *_spellings(content, steps, quoted, pointer),
            *_names_of_the_key(content, steps, pointer, snapshot),
            *_replacements(content, steps, quoted, pointer, snapshot, trusts=trusts),
        ):
            yield fault(needed, remedy, change)
    yield fault("a document that AWS saves", f"Correct {document} at {place or 'its beginning'}.")


_KINDS: Final = {
    "trust_policy": DocumentKind.TRUST,
    "keys": DocumentKind.KEY,
    "scps": DocumentKind.SCP,
    "rcps": DocumentKind.RCP,
}


def complaint(snapshot: Snapshot, document: str) -> MalformedPolicy | None:
    """Return what is wrong with a document of a snapshot; None for one that AWS saves.

    Args:
        snapshot: What was collected.
        document: Snapshot path.
    """
    content = _at(patch.opened(snapshot), patch.document_pointer(document))
    kind = _KINDS.get(document.partition("[")[0], DocumentKind.IDENTITY)
    try:
        parse_document(content, kind)
    except MalformedPolicy as fault:
        return fault
    return None


def _corrections_by_meaning(
    content: dict[str, Any],
    steps: list[Step],
    pointer: tuple[Step, ...],
    instead: tuple[str, ...],
    snapshot: Snapshot,
) -> Iterator[Correction]:
    """Yield what AWS surely saves in the place of a text of which that is open.

    Args:
        content: The document.
        steps: To the text.
        pointer: To the document.
        instead: What means what the text seems to mean.
        snapshot: What was collected.
    """
    own = _own(steps)
    statement, name = _at(content, own), steps[len(own)]
    key = snapshot.registered_key
    allows = isinstance(statement, dict) and statement.get("Effect") == "Allow"
    whole = (key.arn,) if key is not None and name == "Resource" and allows else ()
    if pointer[0] == "role" and whole and instead[0].startswith("arn:aws:kms:"):
        instead = whole  # the one key that the role is for
    needed = ", ".join(instead)
    index = steps[-1]
    if isinstance(index, int) and len(instead) > 1:
        there = _at(content, steps[:-1])
        value: Any = [*there[:index], *instead, *there[index + 1 :]]
        change = Change("replace", (*pointer, *steps[:-1]), value)
    else:
        value = instead[0] if len(instead) == 1 else list(instead)
        change = Change("replace", (*pointer, *steps), value)
    yield needed, f"Write {needed} as {name}.", change


def _own(steps: list[Step]) -> list[Step]:
    """Return the steps to the statement that a place is in."""
    return steps[: 2 if len(steps) > 1 and isinstance(steps[1], int) else 1]


def _spellings(
    content: dict[str, Any], steps: list[Step], quoted: str, pointer: tuple[Step, ...]
) -> Iterator[Correction]:
    """Yield names written as AWS writes them, from the place outwards."""
    if steps == ["Version"]:
        change = Change("add", (*pointer, "Version"), "2012-10-17")
        yield "2012-10-17", "Write the Version 2012-10-17.", change
    if steps[-1:] == ["Effect"]:
        effect = str(_at(content, steps)).strip().capitalize()
        if effect in {"Allow", "Deny"}:
            yield effect, f"Write {effect}.", Change("replace", (*pointer, *steps), effect)
    for depth in range(len(steps), -1, -1):
        holder = _at(content, steps[:depth])
        if not isinstance(holder, dict):
            continue
        for name in (quoted, *(each for each in holder if isinstance(each, str))):
            right = _correct_spelling(name, steps[:depth])
            if name in holder and right and right not in holder:
                renamed = {right if k == name else k: v for k, v in holder.items()}
                change = Change("replace", (*pointer, *steps[:depth]), renamed)
                yield right, f"Write {right}.", change


def _correct_spelling(name: str, holder: list[Step]) -> str | None:
    """Return a name that AWS knows in such a place and that is much like another one."""
    known = _TOP if not holder else tuple(BASES) if holder[-1] == "Condition" else _ELEMENTS
    prefix, colon, base = name.rpartition(":")
    ending = "IfExists" if known[0] in BASES and base.lower().endswith("ifexists") else ""
    base = base[: len(base) - len(ending)]
    if base in known:
        return None
    by_case = {each.lower(): each for each in known}
    close = get_close_matches(base.lower(), by_case, 1, 0.6)
    return f"{prefix}{colon}{by_case[close[0]]}{ending}" if close else None


def _names_of_the_key(
    content: dict[str, Any], steps: list[Step], pointer: tuple[Step, ...], snapshot: Snapshot
) -> Iterator[Correction]:
    """Yield the key's ARN where a Resource is its id or an alias of it, which is no ARN."""
    key = snapshot.registered_key
    if key is None or steps[len(_own(steps)) :][:1] != ["Resource"]:
        return
    names = {key.arn.rpartition("/")[2], key.arn.rpartition(":")[2]}
    if snapshot.aliases is not UNSEEN:
        names |= {
            each.arn.rpartition(":")[2] for each in snapshot.aliases if each.target == key.arn
        }
    found = _at(content, steps)
    if isinstance(found, str) and found in names:
        change = Change("replace", (*pointer, *steps), key.arn)
        yield key.arn, f"Write {key.arn} as Resource: the key's own ARN.", change


def _replacements(
    content: dict[str, Any],
    steps: list[Step],
    quoted: str,
    pointer: tuple[Step, ...],
    snapshot: Snapshot,
    *,
    trusts: bool,
) -> Iterator[Correction]:
    """Yield what lets no more through than was meant.

    Args:
        content: The document.
        steps: To the place.
        quoted: The name that the message is about, if any.
        pointer: To the document.
        snapshot: What was collected.
        trusts: Whether the document is the trust policy.
    """
    own = _own(steps)
    statement = _at(content, own) if steps[:1] == ["Statement"] else None
    if steps[-1:] == ["Sid"]:
        yield "no Sid", "Remove the Sid.", Change("remove", (*pointer, *steps))
    if not isinstance(statement, dict):
        if not steps and quoted in content and quoted not in _TOP:
            yield f"no {quoted}", f"Remove {quoted}.", Change("remove", (*pointer, quoted))
        if trusts:
            made = [assume_by_openai(snapshot.registration.external_id)]
            yield (
                "the statement AllowAssumeRoleByOpenAI",
                "Write the documented statement.",
                Change("add", (*pointer, "Statement"), made),
            )
        return
    if str(statement.get("Effect")).strip().lower() == "deny":
        place = [*steps, quoted] if quoted in statement and quoted not in _ELEMENTS else steps
        if len(place) > len(own) and place[len(own)] not in {*_ELEMENTS} - {"Condition"}:
            name = ".".join(map(str, place))
            yield f"no {place[-1]}", f"Remove {name}.", Change("remove", (*pointer, *place))
        return
    if (
        steps[len(own) : len(own) + 1]
        and steps[len(own)] in _NARROWED
        and steps[-1] != steps[len(own)]
    ):
        yield (
            f"no {steps[-1]}",
            f"Remove that {steps[len(own)]}.",
            Change("remove", (*pointer, *steps)),
        )
    if trusts:
        written = _documented(snapshot, statement)
        others = content["Statement"] if isinstance(content["Statement"], list) else []
        if any(each is not statement and _sid(each) == written["Sid"] for each in others):
            del written["Sid"]
        change = Change("replace", (*pointer, *own), written)
        yield "the documented statement", "Write the statement as OpenAI documents it.", change
    yield from _as_a_whole(content, own, pointer, snapshot)


def _is_only(content: dict[str, Any]) -> bool:
    statements = content.get("Statement")
    return not isinstance(statements, list) or len(statements) == 1


def _as_a_whole(
    content: dict[str, Any], own: list[Step], pointer: tuple[Step, ...], snapshot: Snapshot
) -> Iterator[Correction]:
    """Yield what goes or is replaced as a whole: the only statement of a document cannot go."""
    key = snapshot.registered_key
    if key is not None and pointer[:2] == ("role", "permission_policies") and _is_only(content):
        change = Change("replace", (*pointer, *own), use_of_key(key.arn))
        yield "the statement AllowEncryptDecrypt", "Write the module's statement.", change
    if isinstance(own[-1], int):
        yield "no such statement", "Remove the statement.", Change("remove", (*pointer, *own))


def _documented(snapshot: Snapshot, statement: dict[str, Any]) -> dict[str, Any]:
    """Return the documented statement in the place of another, whose Sid it keeps."""
    written = assume_by_openai(snapshot.registration.external_id)
    sid = statement.get("Sid")
    if isinstance(sid, str) and re.fullmatch(r"[A-Za-z0-9]+", sid):
        written["Sid"] = sid
    return written


def _sid(statement: Any) -> Any:
    return statement.get("Sid") if isinstance(statement, dict) else None


def _at(value: Any, steps: list[Step] | tuple[Step, ...]) -> Any:
    try:
        return patch.at(value, steps)
    except (KeyError, IndexError, TypeError):
        return None
