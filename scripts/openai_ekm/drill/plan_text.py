"""A plan in words and as JSON, before anything is cut, with the commands by hand. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import region_of
from openai_ekm.drill.key_policy import SID
from openai_ekm.drill.note import Method
from openai_ekm.drill.revoke import CACHE, Order, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openai_ekm.drill.note import Note

__all__ = ["CACHE_WORDS", "SCHEMA", "as_json", "as_lines", "manual_commands", "steps_of"]

_TAKE_OUT: Final = (
    "import json,sys; d=json.load(sys.stdin); "
    f's=d["Statement"]; d["Statement"]=[x for x in s if x.get("Sid")!="{SID}"]; '
    "json.dump(d,sys.stdout)"
)


def manual_commands(method: Method, key_arn: str, record: str) -> tuple[str, ...]:
    """Return the commands, in order, for a POSIX shell.

    Args:
        method: How access was cut.
        key_arn: The key's own ARN.
        record: `ssm:PATH` or `file:PATH`, whose note goes last.
    """
    region = region_of(key_arn)
    key = f"--region {region} --key-id {key_arn}"
    if method is Method.DISABLE_KEY:
        back: Sequence[str] = (f"aws kms enable-key {key}",)
    else:
        read = f"aws kms get-key-policy {key} --policy-name default --query Policy --output text"
        back = (
            f"{read} | python3 -c {shlex.quote(_TAKE_OUT)} > policy.json",
            f"aws kms put-key-policy {key} --policy-name default --policy file://policy.json",
        )
    kind, _, path = record.partition(":")
    note = (
        f"aws ssm delete-parameter --name {path}/drill"
        if kind == "ssm"
        else f"rm {shlex.quote(path + '.drill')}"
    )
    return (*back, note)


SCHEMA: Final = "ekm-drill-plan/1"

CACHE_WORDS: Final = (
    "OpenAI keeps data keys in memory for up to an hour: validate refuses at once, and data may "
    "be served from that cache for up to 60 minutes after a cut. A revocation is complete one "
    "hour after it; a shorter drill shows that the switch works, not that data is out of reach."
)
SWAP_WORDS: Final = (
    "OpenAI says that the key of a project whose key was revoked cannot be swapped for another, "
    "and not whether a short cut counts: one more reason to rehearse on projects made for it."
)
# Source: https://developers.openai.com/api/docs/guides (Private Safety Processing).
REVIEW_WORDS: Final = (
    "Stored safety records (Private Safety Processing) lie under this key too: while it is cut, "
    "OpenAI cannot review what they hold."
)
_CUTS: Final = {
    Method.KEY_POLICY: f"add the statement {SID} to the key policy: it denies kms:Encrypt and "
    "kms:Decrypt to the role alone",
    Method.DISABLE_KEY: "disable the KMS key, for everybody and everything that uses it",
}
_BACK: Final = {
    Method.KEY_POLICY: "put back the key policy as it was; if somebody changed it meanwhile, take "
    "out that statement alone",
    Method.DISABLE_KEY: "enable the KMS key",
}
_TERRAFORM: Final = {
    Method.KEY_POLICY: "A `terraform plan` shows the statement as drift, and an apply takes it "
    "out: let none run. The drill notices and says so.",
    Method.DISABLE_KEY: "A `terraform apply` of a root that has is_enabled enables the key: let "
    "none run. The drill notices and says so.",
}


def steps_of(plan: Plan, order: Order) -> tuple[str, ...]:
    """Return the steps, one sentence each."""
    hold = (
        f"keep the cut for {order.hold:.0f} s, looking every half minute that it stands, then ask "
        "OpenAI again: it must still refuse"
        if order.hold > 0
        else f"(--hold {CACHE:.0f} would keep the cut until the caches have run out)"
    )
    return (
        f"take the lease of the record {order.place}, so that no registration runs meanwhile",
        f"ask OpenAI to use {plan.key.id}: it must be able to",
        "write a note beside the record: after a crash the next run gives access back",
        _CUTS[order.method],
        f"ask OpenAI until it refuses, for up to {order.wait:.0f} s",
        hold,
        _BACK[order.method],
        f"ask OpenAI until it can use the key again, for up to {order.wait:.0f} s",
        "delete the note, give the lease back, write the report",
    )


def as_json(plan: Plan, order: Order, standing: Note | None) -> dict[str, Any]:
    """Return the plan as `ekm drill revoke --plan --json` prints it."""
    return {
        "schema": SCHEMA,
        "external_key_id": plan.key.id,
        "key_arn": plan.cut.key_arn,
        "role_arn": plan.record.intent.role_arn,
        "record_place": order.place,
        "caller": plan.caller,
        "method": order.method.value,
        "steps": list(steps_of(plan, order)),
        "interrupts": [project.as_json() for project in plan.projects],
        "confirm": _word(plan),
        "cache_seconds": CACHE,
        "hold_seconds": order.hold,
        "unseen": list(plan.cut.unseen),
        "standing_drill": standing.begun_at if standing else None,
        "by_hand": list(manual_commands(order.method, plan.cut.key_arn, order.place)),
    }


def as_lines(plan: Plan, order: Order, standing: Note | None) -> list[str]:
    """Return the plan as `ekm drill revoke --plan` prints it."""
    lines = []
    if standing is not None:
        lines += [
            f"A drill of {standing.begun_at} has not ended: a run gives access back, and stops.",
            "",
        ]
    lines += [
        f"Drill on {plan.key.id} ({plan.key.name}), by {order.method.value}",
        f"  key     {plan.cut.key_arn}",
        f"  role    {plan.record.intent.role_arn}",
        f"  caller  {plan.caller}, who can give access back",
        "",
        "Steps:",
    ]
    lines += [f"  {number}. {step}" for number, step in enumerate(steps_of(plan, order), 1)]
    lines += ["", "Interrupted from step 4 to step 8 (seconds as a rule; the report says it):"]
    lines += [
        f"  {project}{'' if project.marked else '   NOT MARKED FOR DRILLS'}"
        for project in plan.projects
    ] or ["  no project is active on the key"]
    if order.method is Method.DISABLE_KEY:
        lines.append("  and everybody else who uses the KMS key")
    lines += ["", CACHE_WORDS, SWAP_WORDS, REVIEW_WORDS, _TERRAFORM[order.method]]
    lines += [
        "Ctrl-C, SIGTERM and any failure give access back first. After a crash:",
        f"  ekm drill restore --record {order.place}",
        "By hand, if everything fails:",
    ]
    lines += [f"  {line}" for line in manual_commands(order.method, plan.cut.key_arn, order.place)]
    lines += [f"Not seen: {each}." for each in plan.cut.unseen]
    lines += ["", f"Nothing was cut. To do it: ekm drill revoke … {_word(plan)}"]
    return lines


def _word(plan: Plan) -> str:
    """Return the words that a run takes."""
    named = [
        f'--interrupt "{project.name or project.id}"'
        for project in plan.projects
        if not project.marked
    ]
    return " ".join([f"--confirm {plan.key.id}", *named])
