"""The report of a drill: schema `ekm-drill/1`, and the same as Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ekm.drill.by_hand import commands
from ekm.drill.diary import Diary, Mark
from ekm.drill.plan_text import CACHE_WORDS
from ekm.drill.revoke import CACHE

if TYPE_CHECKING:
    from ekm.errors import EkmError

__all__ = ["SCHEMA", "SOURCES", "as_json", "as_markdown", "result_of"]

SCHEMA: Final = "ekm-drill/1"
SOURCES: Final = {
    "OpenAI, Enterprise Key Management: revoking access, the hour's cache": (
        "https://help.openai.com/en/articles/20000957"
    ),
    "OpenAI, EKM for the API: validate": "https://help.openai.com/en/articles/20000953",
    "AWS KMS, key policies": (
        "https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html"
    ),
    "AWS KMS, enabling and disabling keys": (
        "https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html"
    ),
    "AWS KMS, eventual consistency": (
        "https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html"
    ),
}
# The worst thing that happened names the result.
_RESULTS: Final = (
    Mark.NOT_RESTORED,
    Mark.NOT_RECOVERED,
    Mark.UNDONE,
    Mark.NOT_REFUSED,
    Mark.INTERRUPTED,
    Mark.FAILED,
    Mark.RECOVERED,
    Mark.RESTORED,
)


def result_of(diary: Diary) -> str:
    """Return how it ended, in one word."""
    return next((mark.value for mark in _RESULTS if diary.has(mark)), "nothing_cut")


def as_json(diary: Diary, error: EkmError | None = None) -> dict[str, Any]:
    """Return the report.

    Args:
        diary: What happened.
        error: What the run ended in.
    """
    result = result_of(diary)
    first = diary.events[0].moment.seconds if diary.events else 0.0
    return {
        "schema": SCHEMA,
        "verb": diary.verb,
        "result": result,
        "holds": _holds(diary, result),
        "access_is_back": not (diary.note_stands or diary.has(Mark.NOT_RESTORED)),
        "note_stands": diary.note_stands,
        "method": diary.method.value if diary.method else None,
        "drill_id": diary.drill_id,
        "external_key_id": diary.external_key_id,
        "key_arn": diary.key_arn,
        "role_arn": diary.role_arn,
        "record_place": diary.place,
        "caller": diary.caller,
        "projects": [project.as_json() for project in diary.projects],
        "refusal": None
        if diary.refusal is None
        else {"message": diary.refusal, "request_id": diary.refusal_request_id},
        "key_policy": None
        if diary.policy_before is None
        else {
            "before": diary.policy_before,
            "found_at_restore": diary.policy_found,
            "after": diary.policy_after,
            "as_before": diary.policy_after == diary.policy_before,
        },
        "seconds": {
            "cut_to_refusal": _rounded(diary.between(Mark.CUT, Mark.REFUSED)),
            "cut_to_restored": _rounded(diary.between(Mark.CUT, Mark.RESTORED)),
            "restored_to_recovery": _rounded(diary.between(Mark.RESTORED, Mark.RECOVERED)),
            "interrupted": _rounded(diary.between(Mark.CUT, Mark.RECOVERED)),
        },
        "cache_seconds": CACHE,
        "hold_seconds": diary.held_for,
        "held_past_cache": diary.has(Mark.HELD) and diary.held_for >= CACHE,
        "unseen": list(diary.unseen),
        "events": [
            {
                "event": event.mark.value,
                "at": event.moment.at,
                "seconds": round(event.moment.seconds - first, 3),
                "text": event.text,
            }
            for event in diary.events
        ],
        "error": error.as_json() if error is not None else None,
        "sources": SOURCES,
    }


def as_markdown(diary: Diary, error: EkmError | None = None) -> str:
    """Return the same for people: a page to keep with the evidence."""
    body = as_json(diary, error)
    lines = [
        f"# Drill: {_headline(body)}",
        "",
        "| | |",
        "|---|---|",
    ]
    rows = (
        ("registration", diary.external_key_id),
        ("KMS key", diary.key_arn),
        ("role", diary.role_arn),
        ("cut by", body["method"]),
        ("caller", diary.caller),
        ("record", diary.place),
        ("projects", ", ".join(str(project) for project in diary.projects) or "none active"),
        ("cut to refusal", _seconds(body["seconds"]["cut_to_refusal"])),
        ("cut to access back in AWS", _seconds(body["seconds"]["cut_to_restored"])),
        ("interrupted in all", _seconds(body["seconds"]["interrupted"])),
        ("held after the refusal", _seconds(diary.held_for)),
    )
    lines += [f"| {name} | {_cell(value)} |" for name, value in rows if value]
    if diary.refusal is not None:
        asked = f" (request {diary.refusal_request_id})" if diary.refusal_request_id else ""
        lines += ["", f"OpenAI's refusal{asked}:", "", f"> {' '.join(diary.refusal.split())}"]
    lines += ["", "| time (UTC) | seconds | what happened |", "|---|---|---|"]
    lines += [
        f"| {event['at']} | {event['seconds']:.1f} | {_cell(event['text'])} |"
        for event in body["events"]
    ]
    if error is not None:
        lines += ["", f"Ended in `{error.id}`: {error.message}"]
        if error.remedy:
            lines.append(f"What to do: {error.remedy}")
    if not body["access_is_back"] and diary.method and diary.key_arn:
        lines += ["", "**Access may still be cut.** By hand:", "", "```"]
        lines += [*commands(diary.method, diary.key_arn, diary.place), "```"]
    if diary.verb == "revoke":
        lines += ["", _cache(body)]
    lines += [""] + [f"- {name}: <{address}>" for name, address in SOURCES.items()]
    return "\n".join(lines) + "\n"


def _holds(diary: Diary, result: str) -> bool:
    wanted = {Mark.RECOVERED.value} if diary.verb == "revoke" else {"restored", "recovered"}
    return result in wanted or (diary.verb == "restore" and result == "nothing_cut")


def _headline(body: dict[str, Any]) -> str:
    if body["verb"] == "restore":
        return "access given back" if body["access_is_back"] else "access is still cut"
    if body["holds"]:
        return "OpenAI was refused, and is back"
    return str(body["result"]).replace("_", " ")


def _cache(body: dict[str, Any]) -> str:
    if body["held_past_cache"]:
        return (
            f"The cut was held for {body['hold_seconds']:.0f} s, past the hour for which OpenAI "
            "says that it keeps data keys, and OpenAI was refused at its end. No call shows the "
            "cache itself: only a request for data that was stored before, in the project, does."
        )
    return CACHE_WORDS


def _seconds(value: float | None) -> str | None:
    return None if not value else f"{value:.1f} s"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")
