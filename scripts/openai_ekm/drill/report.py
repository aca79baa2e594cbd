"""The report of a drill: schema `ekm-drill/1`, and the same as Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.drill.log import DrillLog, Mark
from openai_ekm.drill.plan_text import CACHE_WORDS, manual_commands
from openai_ekm.drill.revoke import CACHE
from openai_ekm.printable import code_span, escape_markdown, printable

if TYPE_CHECKING:
    from openai_ekm.errors import EkmError

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


def result_of(log: DrillLog) -> str:
    """Return how it ended, in one word."""
    return next((mark.value for mark in _RESULTS if log.has(mark)), "nothing_cut")


def as_json(log: DrillLog, error: EkmError | None = None) -> dict[str, Any]:
    """Return the report.

    Args:
        log: What happened.
        error: What the run ended in.
    """
    result = result_of(log)
    first = log.events[0].moment.seconds if log.events else 0.0
    return {
        "schema": SCHEMA,
        "verb": log.verb,
        "result": result,
        "holds": _holds(log, result),
        "access_is_back": not (log.note_stands or log.has(Mark.NOT_RESTORED)),
        "note_stands": log.note_stands,
        "method": log.method.value if log.method else None,
        "drill_id": log.drill_id,
        "external_key_id": log.external_key_id,
        "key_arn": log.key_arn,
        "role_arn": log.role_arn,
        "record_place": log.place,
        "caller": log.caller,
        "projects": [project.as_json() for project in log.projects],
        "refusal": None
        if log.refusal is None
        else {"message": log.refusal, "request_id": log.refusal_request_id},
        "key_policy": None
        if log.policy_before is None
        else {
            "before": log.policy_before,
            "found_at_restore": log.policy_found,
            "after": log.policy_after,
            "as_before": log.policy_after == log.policy_before,
        },
        "seconds": {
            "cut_to_refusal": _round(log.between(Mark.CUT, Mark.REFUSED)),
            "cut_to_restored": _round(log.between(Mark.CUT, Mark.RESTORED)),
            "restored_to_recovery": _round(log.between(Mark.RESTORED, Mark.RECOVERED)),
            "interrupted": _round(log.between(Mark.CUT, Mark.RECOVERED)),
        },
        "cache_seconds": CACHE,
        "hold_seconds": log.held_for,
        "held_past_cache": log.has(Mark.HELD) and log.held_for >= CACHE,
        "unseen": list(log.unseen),
        "events": [
            {
                "event": event.mark.value,
                "at": event.moment.at,
                "seconds": round(event.moment.seconds - first, 3),
                "text": event.text,
            }
            for event in log.events
        ],
        "error": error.as_json() if error is not None else None,
        "sources": SOURCES,
    }


def as_markdown(log: DrillLog, error: EkmError | None = None) -> str:
    """Return the same for people: a page to keep with the evidence."""
    body = as_json(log, error)
    lines = [
        f"# Drill: {_headline(body)}",
        "",
        "| | |",
        "|---|---|",
    ]
    projects = ", ".join(escape_markdown(str(project)) for project in log.projects)
    rows = (
        ("registration", _code(log.external_key_id)),
        ("KMS key", _code(log.key_arn)),
        ("role", _code(log.role_arn)),
        ("cut by", body["method"]),
        ("caller", _code(log.caller)),
        ("record", _code(log.place)),
        ("projects", projects or "none active"),
        ("cut to refusal", _seconds(body["seconds"]["cut_to_refusal"])),
        ("cut to access back in AWS", _seconds(body["seconds"]["cut_to_restored"])),
        ("interrupted in all", _seconds(body["seconds"]["interrupted"])),
        ("held after the refusal", _seconds(log.held_for)),
    )
    lines += [f"| {name} | {value} |" for name, value in rows if value]
    if log.refusal is not None:
        request = log.refusal_request_id
        asked = f" (request {code_span(request)})" if request else ""
        lines += ["", f"OpenAI's refusal{asked}:", "", f"> {escape_markdown(log.refusal)}"]
    lines += ["", "| time (UTC) | seconds | what happened |", "|---|---|---|"]
    lines += [
        f"| {event['at']} | {event['seconds']:.1f} | {escape_markdown(event['text'])} |"
        for event in body["events"]
    ]
    if error is not None:
        lines += ["", f"Ended in `{error.id}`: {escape_markdown(error.message)}"]
        if error.remedy:
            lines.append(f"What to do: {escape_markdown(error.remedy)}")
    if not body["access_is_back"] and log.method and log.key_arn:
        lines += ["", "**Access may still be cut.** By hand:", "", "```"]
        by_hand = manual_commands(log.method, log.key_arn, log.place)
        lines += [*map(printable, by_hand), "```"]
    if log.verb == "revoke":
        lines += ["", _cache(body)]
    lines += [""] + [f"- {name}: <{address}>" for name, address in SOURCES.items()]
    return "\n".join(lines) + "\n"


def _holds(log: DrillLog, result: str) -> bool:
    wanted = {Mark.RECOVERED.value} if log.verb == "revoke" else {"restored", "recovered"}
    return result in wanted or (log.verb == "restore" and result == "nothing_cut")


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


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _code(text: str | None) -> str | None:
    return code_span(text) if text else None
