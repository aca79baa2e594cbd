"""Documents that AWS would not have saved, and the smallest change that makes them ones.

No change lets more through than what was written may have meant: a part of an Allow that cannot be
read is never left away, for it may be what narrows it; then the statement goes as a whole, or
becomes the documented one. Of a Deny only what narrows it is left away.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from ekm.diagnosis import patch
from ekm.diagnosis.constants import OPENAI_ROLE_ARN
from ekm.diagnosis.judge import registered_key
from ekm.diagnosis.value import Change, Fault
from ekm.policy.operators import BASES
from ekm.snapshot import UNSEEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ekm.diagnosis.value import Step
    from ekm.snapshot import Snapshot

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

    def fault(needed: str, remedy: str, *fix: Change) -> Fault:
        return Fault(
            "policy_malformed",
            document,
            statement,
            sid if isinstance(sid, str) else None,
            element or None,
            message,
            needed,
            f"AWS does not save such a document: {message}.",
            remedy,
            fix,
        )

    if isinstance(content, dict):
        quoted = message.partition("'")[2].partition("'")[0]
        trusts = document == "trust_policy"
        for needed, remedy, change in (
            *_spellings(content, steps, quoted, pointer),
            *_names_of_the_key(content, steps, pointer, snapshot),
            *_replacements(content, steps, quoted, pointer, snapshot if trusts else None),
        ):
            yield fault(needed, remedy, change)
    yield fault("a document that AWS saves", f"Correct {document} at {place or 'its beginning'}.")


def _own(steps: list[Step]) -> list[Step]:
    """The steps to the statement that a place is in."""
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
            right = _spelt(name, steps[:depth])
            if name in holder and right and right not in holder:
                renamed = {right if k == name else k: v for k, v in holder.items()}
                change = Change("replace", (*pointer, *steps[:depth]), renamed)
                yield right, f"Write {right}.", change


def _spelt(name: str, holder: list[Step]) -> str | None:
    """A name that AWS knows in such a place and that is much like another one."""
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
    key = registered_key(snapshot)
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
    trust: Snapshot | None,
) -> Iterator[Correction]:
    """Yield what lets no more through than was meant.

    Args:
        content: The document.
        steps: To the place.
        quoted: The name that the message is about, if any.
        pointer: To the document.
        trust: The snapshot when the document is the trust policy.
    """
    own = _own(steps)
    statement = _at(content, own) if steps[:1] == ["Statement"] else None
    if steps[-1:] == ["Sid"]:
        yield "no Sid", "Remove the Sid.", Change("remove", (*pointer, *steps))
    if not isinstance(statement, dict):
        if not steps and quoted in content and quoted not in _TOP:
            yield f"no {quoted}", f"Remove {quoted}.", Change("remove", (*pointer, quoted))
        if trust is not None:
            made = [_documented(trust, None)]
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
    if trust is not None:
        change = Change("replace", (*pointer, *own), _documented(trust, statement))
        yield "the documented statement", "Write the statement as OpenAI documents it.", change
    if isinstance(own[-1], int):
        yield "no such statement", "Remove the statement.", Change("remove", (*pointer, *own))


def _documented(snapshot: Snapshot, statement: dict[str, Any] | None) -> dict[str, Any]:
    sid = (statement or {}).get("Sid")
    kept = isinstance(sid, str) and re.fullmatch(r"[A-Za-z0-9]+", sid)
    return {
        "Sid": sid if kept else "AllowAssumeRoleByOpenAI",
        "Effect": "Allow",
        "Principal": {"AWS": OPENAI_ROLE_ARN},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": [snapshot.registration.external_id]}},
    }


def _at(value: Any, steps: list[Step] | tuple[Step, ...]) -> Any:
    try:
        return patch.at(value, steps)
    except (KeyError, IndexError, TypeError):
        return None
