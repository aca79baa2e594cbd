"""The first screen of the page: one sentence for each part, with its state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.evidence.page.text import count, join_words, moment, plural, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai_ekm.evidence.pack import Pack

__all__ = ["Tile", "lead", "tiles"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One part of the page in short.

    Args:
        section: Id of the section.
        title: What it is about.
        word: The answer in a word or two.
        note: The answer in a sentence.
        state: `good`, `bad`, `open` or `plain`.
    """

    section: str
    title: str
    word: str
    note: str
    state: str


def lead(pack: Pack) -> str:
    """Return the first sentences of the page.

    Args:
        pack: What it is about.
    """
    answers = Counter(each.get("answer") for each in pack.proof.get("claims", ()))
    total = sum(answers.values())
    parts = [
        f"{answers[answer]} {word if answers[answer] != 1 else one}"
        for answer, word, one in (
            ("holds", "hold", "holds"),
            ("fails", "fail", "fails"),
            ("undecided", "are undecided", "is undecided"),
        )
        if answers[answer]
    ]
    if answers["holds"] == total:
        return f"All {total} claims about who can use the key hold, for every possible request."
    return f"Of {count(total, 'claim')} about who can use the key, {join_words(parts)}."


def tiles(pack: Pack) -> tuple[Tile, ...]:
    """Return the parts of the page in short, in the order of the page.

    Args:
        pack: What it is about.
    """
    return (
        _claims(pack.proof),
        _decisions(pack.decisions),
        _answer(pack),
        _use(pack.usage),
        _drift(pack.drift),
        _not_seen(pack),
    )


def _claims(proof: Mapping[str, Any]) -> Tile:
    claims = proof.get("claims", ())
    held = sum(each.get("answer") == "holds" for each in claims)
    failing = [f"({each['id']})" for each in claims if each.get("answer") == "fails"]
    unclear = [f"({each['id']})" for each in claims if each.get("answer") == "undecided"]
    notes = []
    if failing:
        notes.append(f"{join_words(failing)} {plural(len(failing), 'fails', 'fail')}.")
    if unclear:
        notes.append(f"{join_words(unclear)} {plural(len(unclear), 'is', 'are')} undecided.")
    state = "bad" if failing else "open" if unclear else "good"
    return Tile(
        "claims",
        "Claims",
        f"{held} of {len(claims)} hold",
        " ".join(notes) or "Each is proven for all requests.",
        state,
    )


def _decisions(decisions: tuple[Mapping[str, Any], ...]) -> Tile:
    judged = [each for each in decisions if each.get("as_expected") is not None]
    right = sum(each.get("as_expected") is True for each in judged)
    if not judged:
        return Tile("decisions", "Decisions", "None", "No request has an expected answer.", "plain")
    return Tile(
        "decisions",
        "Decisions",
        f"{right} of {len(judged)} as expected",
        f"{count(len(decisions), 'request')} decided as AWS would.",
        "good" if right == len(judged) else "bad",
    )


def _answer(pack: Pack) -> Tile:
    if pack.validation is None:
        return Tile("answer", "OpenAI's answer", "Not asked", "OpenAI was not asked.", "plain")
    at = moment(pack.validation.get("asked_at"))
    if pack.validation.get("status") == "success":
        return Tile("answer", "OpenAI's answer", "It works", f"OpenAI used the key: {at}.", "good")
    return Tile(
        "answer", "OpenAI's answer", "Refused", f"OpenAI could not use the key: {at}.", "bad"
    )


def _use(usage: Mapping[str, Any] | None) -> Tile:
    if usage is None:
        return Tile("use", "Use", "Not seen", "No trail was read.", "plain")
    others, unclear = usage["others"]["calls"], usage["undecided"]["calls"]
    calls = sum(each["calls"] for each in usage["by_day"])
    if others:
        word, state = f"{count(others, 'call')} by others", "bad"
    elif unclear or not usage["complete"]:
        word, state = "Nobody else was found", "open"
    else:
        word, state = "OpenAI alone", "good"
    return Tile("use", "Use", word, f"{count(calls, 'call')} in the trail.", state)


def _drift(drift: Mapping[str, Any] | None) -> Tile:
    if drift is None:
        return Tile("drift", "Drift", "Not looked for", "Nothing says what was meant.", "plain")
    found = Counter(each.get("state") for each in drift.get("differences", ()))
    checks = len(drift.get("checks", ()))
    notes = [f"{count(checks, 'check')}."]
    if found["accepted"]:
        notes.append(f"{count(found['accepted'], 'difference')} accepted.")
    if found["undecided"]:
        notes.append(f"{found['undecided']} undecided.")
    answer = drift.get("answer")
    word = {
        "same": "As it was meant",
        "drift": count(found["drift"], "difference"),
    }.get(str(answer), "Undecided")
    state = {"same": "good", "drift": "bad"}.get(str(answer), "open")
    return Tile("drift", "Drift", word, " ".join(notes), state)


_OPTIONAL: Final = ("validation", "usage", "drift", "rotation", "audit_events")


def _not_seen(pack: Pack) -> Tile:
    rows = len(pack.not_seen)
    left_out = [name for name in _OPTIONAL if getattr(pack, name) is None]
    if not rows and left_out:
        note = f"Without {join_words([each.replace('_', ' ') for each in left_out])}."
        return Tile("not-seen", "Not seen", count(len(left_out), "part"), note, "plain")
    if not rows:
        return Tile("not-seen", "Not seen", "No gap", "Every part was read.", "good")
    members = dict.fromkeys(shorten(each.member.replace("_", " "), 24) for each in pack.not_seen)
    shown = list(members)[:4]
    more = ["more"] if len(members) > len(shown) else []
    return Tile(
        "not-seen", "Not seen", count(rows, "gap"), f"In {join_words(shown + more)}.", "open"
    )
