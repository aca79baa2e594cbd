"""Packs of evidence for the page: a good day, a bad day, one with nothing, one full of attacks."""

from __future__ import annotations

import copy
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from openai_ekm.diagnosis import diagnose
from openai_ekm.evidence.controls import read_controls
from openai_ekm.evidence.pack import Document, NotSeen, Pack
from openai_ekm.proof import prove
from openai_ekm.snapshot import Snapshot
from tests.support.healthy import ACCOUNT, KEY, OPENAI, ROLE, healthy

__all__ = ["bad_day", "empty", "good_day", "hostile"]

_AT = "2026-11-29T10:00:00Z"
_NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
_EVE = f"arn:aws:iam::{ACCOUNT}:user/eve"
_REPORTS = f"arn:aws:iam::{ACCOUNT}:role/reports"
_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/openai-ekm/OpenAI-EKM-Service"
_VERSIONS = {"boto3": "1.42.0", "cryptography": "46.0.3", "ekm": "0.1.0", "python": "3.13.0"}


@cache
def good_day() -> Pack:
    """Every claim holds, OpenAI alone used the key, nothing differs from what was meant."""
    return _pack(healthy(), usage=_usage(days=40), drift=_drift(), drills=(_drill(),))


@cache
def bad_day() -> Pack:
    """A statement by hand lets a stranger decrypt, who did; grants and guardrails were not seen."""
    body = healthy()
    body["keys"][0]["policy"]["Statement"] += [
        _allow("ByHand", _REPORTS, "kms:Decrypt"),
        _allow("AllowBreakGlass", f"arn:aws:iam::{ACCOUNT}:role/break-glass", "kms:PutKeyPolicy"),
    ]
    for name in ("grants", "scps", "rcps"):
        del body[name]
    return replace(
        _pack(body, usage=_usage(days=61, trouble=True), drift=_drift(trouble=True)),
        redacted=True,
        validation={
            "external_key_id": "extkey_1",
            "asked_at": _AT,
            "status": "refused",
            "message": "User is not authorized to perform: kms:Decrypt",
            "request_id": "req_2",
            "error": "aws_denied",
        },
        rotation={
            "keys": [
                {
                    "key_arn": KEY,
                    "enabled": None,
                    "period_in_days": None,
                    "next_rotation_at": None,
                    "rotations": None,
                }
            ]
        },
        not_seen=(
            NotSeen("snapshot", "grants", "AccessDenied: kms:ListGrants"),
            NotSeen("snapshot", "scps", "The account cannot read its guardrails."),
            NotSeen("rotation", f"rotations of {KEY}", "AccessDenied: kms:ListKeyRotations"),
        ),
    )


@cache
def empty() -> Pack:
    """A pack whose members are missing wherever they may be."""
    body = {"registration": healthy()["registration"]}
    return replace(
        _pack(body, usage=None, drift=None),
        decisions=(),
        documents=(),
        validation=None,
        rotation=None,
        audit_events=None,
        controls=(),
        not_seen=(
            NotSeen("snapshot", "role", "The snapshot was made from the outputs alone."),
            NotSeen("usage", "usage", "No trail was named."),
        ),
    )


def hostile(text: str) -> Pack:
    """A bad day with a text in the place of each text that can come from outside."""
    pack = bad_day()
    return replace(
        pack,
        **{
            each.name: _spoilt(getattr(pack, each.name), text)
            for each in fields(pack)
            if each.name not in {"generated_at", "redacted"}
        },
    )


# Members whose values are ours: a word of a list, a letter of a claim, a time.
_OURS = {
    *("id", "answer", "state", "who", "side", "change", "outcome", "decision", "effect", "day"),
    *("at", "time", "first", "last", "asked_at", "status", "verb", "result", "severity", "schema"),
    *("framework", "members", "claims", "Effect", "Action", "type", "effective_at"),
}


def _spoilt(value: Any, text: str, name: str = "") -> Any:
    if name in _OURS and not isinstance(value, list | dict):
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, dict):
        return {
            (key if key.isidentifier() else text): _spoilt(each, text, key)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(_spoilt(each, text, name) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        spoilt: Any = replace(
            value,
            **{
                each.name: _spoilt(getattr(value, each.name), text, each.name)
                for each in fields(value)
            },
        )
        return spoilt
    return value


def _pack(
    body: dict[str, Any],
    *,
    usage: dict[str, Any] | None,
    drift: dict[str, Any] | None,
    drills: tuple[dict[str, Any], ...] = (),
) -> Pack:
    snapshot = Snapshot.from_json({"schema": "ekm-snapshot/1", **body})
    return Pack(
        generated_at=_AT,
        redacted=False,
        versions=_VERSIONS,
        snapshot=snapshot.as_json(),
        documents=_documents(body),
        decisions=_decisions(),
        proof=prove(snapshot, now=_NOW).as_json(),
        diagnosis=diagnose(snapshot).as_json(),
        validation={
            "external_key_id": "extkey_1",
            "asked_at": _AT,
            "status": "success",
            "request_id": "req_1",
            "message": None,
        },
        usage=usage,
        drift=drift,
        drills=drills,
        rotation={
            "keys": [
                {
                    "key_arn": KEY,
                    "enabled": True,
                    "period_in_days": 365,
                    "next_rotation_at": "2027-11-01T00:00:00Z",
                    "rotations": [{"at": "2026-11-01T04:11:00Z", "type": "AUTOMATIC"}],
                }
            ]
        },
        audit_events=_audit_events(),
        controls=read_controls(),
    )


def _allow(sid: str, principal: str, action: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": action,
        "Resource": "*",
    }


def _documents(body: dict[str, Any]) -> tuple[Document, ...]:
    role, keys = body.get("role"), body.get("keys")
    if role is None or keys is None:
        return ()
    return (
        Document("trust_policy", "Trust policy of the role", role["trust_policy"]),
        Document(
            "permission_policies[0]",
            "Policy of the role: use",
            role["permission_policies"][0]["document"],
        ),
        Document("keys[0].policy", "Key policy", keys[0]["policy"]),
    )


def _decisions() -> tuple[dict[str, Any], ...]:
    use = {"document": "keys[0].policy", "statement": 1, "sid": "AllowUseByRole", "effect": "Allow"}
    trust = {
        "document": "trust_policy",
        "statement": 0,
        "sid": "AllowAssumeRoleByOpenAI",
        "effect": "Allow",
    }
    root = f"arn:aws:iam::{ACCOUNT}:root"
    rows: tuple[tuple[str, str, str, list[dict[str, Any]], list[str]], ...] = (
        ("OpenAI assumes the role with the registered external id", OPENAI, "sts:AssumeRole",
         [trust], []),
        ("OpenAI assumes the role without an external id", OPENAI, "sts:AssumeRole",
         [], ["The trust policy asks for sts:ExternalId."]),
        ("The role decrypts", _SESSION, "kms:Decrypt", [use], []),
        ("The account's root user decrypts", root, "kms:Decrypt",
         [], ["No statement of a policy allows it."]),
    )  # fmt: skip
    return tuple(
        {
            "id": title.lower().replace(" ", "_"),
            "title": title,
            "expected": "allowed" if decided_by else "denied",
            "as_expected": True,
            "request": {
                "principal": principal,
                "action": action,
                "resource": ROLE if action.startswith("sts") else KEY,
                "resource_account": ACCOUNT,
                "context": {},
            },
            "decision": "Allowed" if decided_by else "ImplicitlyDenied",
            "decided_by": decided_by,
            "missing": missing,
        }
        for title, principal, action, decided_by, missing in rows
    )


def _usage(*, days: int, trouble: bool = False) -> dict[str, Any]:
    last = date(2026, 11, 29)
    by_day: list[dict[str, Any]] = []
    for index in range(days):
        when = last - timedelta(days=days - 1 - index)
        openai = 40 + (index * 37) % 61 + (0 if when.weekday() < 5 else -35)
        others = 3 if trouble and index == days - 2 else 0
        failed = 9 if trouble and index in {days - 3, days - 2} else 0
        by_day.append({"day": when.isoformat(), **_counts(openai + others, failed, openai, others)})
    openai = sum(each["openai"] for each in by_day)
    others = sum(each["others"] for each in by_day)
    failed = sum(each["failed"] for each in by_day)
    decrypts = openai * 4 // 5
    seen = {"first": f"{by_day[0]['day']}T08:00:00Z", "last": f"{by_day[-1]['day']}T09:58:00Z"}
    stranger = {
        "event_id": "1f0c", "time": "2026-11-28T09:00:00Z", "operation": "kms:Decrypt",
        "principal": _REPORTS, "kind": "role", "account": ACCOUNT, "session": None,
        "region": "eu-west-1", "source_ip": "203.0.113.7", "user_agent": "aws-cli/2",
        "error_code": None, "error_message": None,
        "reason": "Its session is of another role than the registered one.",
    }  # fmt: skip
    change = {
        **stranger, "event_id": "2f0c", "time": "2026-11-27T16:09:00Z",
        "operation": "kms:PutKeyPolicy", "principal": _EVE, "kind": "user",
        "watch": "key-policy-changed", "severity": "critical",
        "summary": "The key policy was changed: others may use the key now, or OpenAI may not.",
    }  # fmt: skip
    failure = {
        "operation": "Decrypt", "code": "AccessDenied", "who": "openai", "side": "us",
        "calls": failed, "first": seen["first"], "last": seen["last"],
        "message": "User is not authorized to perform: kms:Decrypt",
        "diagnosis": "A policy does not allow it: the key policy, the role's policies, its "
        "boundary, an SCP or an RCP.",
        "remedy": "ekm diagnose names the statement.",
    }  # fmt: skip
    return {
        "holds": not trouble,
        "complete": not trouble,
        "kms_arn": KEY,
        "role_arn": ROLE,
        "key_arns": [KEY],
        "since": None,
        "until": None,
        "covered": seen,
        "sources": [],
        "unread": {"count": int(trouble), "files": []},
        "openai": {
            "state": "using",
            "sentence": f"OpenAI uses the key: {openai:,} calls, the last at {seen['last']}.",
            "side": None,
            "first_use": seen["first"],
            "last_use": seen["last"],
            "calls": openai,
            "failed": failed,
            "assumptions": {"calls": days * 2, **seen, "regions": []},
            "unlinked_calls": 0,
        },
        "by_day": by_day,
        "by_operation": [
            {"operation": "Decrypt", **_counts(decrypts + others, failed, decrypts, others),
             **seen},
            {"operation": "Encrypt", **_counts(openai - decrypts, 0, openai - decrypts, 0), **seen},
        ],
        "by_principal": [
            {"principal": ROLE, "kind": "role", "account": ACCOUNT, "who": "openai",
             **_counts(openai, failed, openai, 0), **seen},
            *([{"principal": _REPORTS, "kind": "role", "account": ACCOUNT, "who": "others",
                **_counts(others, 0, 0, others), **seen}] if trouble else []),
        ],
        "by_session": [
            {"session": _SESSION, "principal": ROLE, "who": "openai",
             **_counts(openai, failed, openai, 0), **seen}
        ],
        "by_region": [
            {"region": "eu-west-1", **_counts(openai + others, failed, openai, others), **seen}
        ],
        "failures": [failure] if trouble else [],
        "others": {"calls": others, "events": [stranger] if trouble else []},
        "undecided": {"calls": 0, "events": []},
        "unattributed": {"calls": 0, "events": []},
        "changes": {"calls": int(trouble), "events": [change] if trouble else []},
    }  # fmt: skip


def _counts(calls: int, failed: int, openai: int, others: int) -> dict[str, Any]:
    return {"calls": calls, "failed": failed, "openai": openai, "others": others, "undecided": 0}


def _drift(*, trouble: bool = False) -> dict[str, Any]:
    answers = {"key_policy": "drift", "grants": "accepted", "registration": "undecided"}
    titles = {
        "role": ("Role", "aws"), "trust_policy": ("Trust policy", "aws"),
        "permission_policies": ("Policies of the role", "aws"), "key": ("Key", "aws"),
        "key_policy": ("Key policy", "aws"), "rotation": ("Rotation", "aws"),
        "grants": ("Grants on the key", "aws"), "aliases": ("Aliases", "aws"),
        "registration": ("Registration at OpenAI", "openai"), "projects": ("Projects", "openai"),
    }  # fmt: skip
    return {
        "schema": "ekm-drift/1",
        "answer": "drift" if trouble else "same",
        "at": "2026-11-29T09:59:00Z",
        "of": {"instance": "module.ekm", "role_arn": ROLE, "kms_arn": KEY,
               "external_id": "org-abc", "record": None},
        "meant": "state",
        "checks": [
            {"id": name, "title": title, "side": side,
             "answer": answers.get(name, "same") if trouble else "same"}
            for name, (title, side) in titles.items()
        ],
        "differences": _differences() if trouble else [],
        "expired": [], "unused": [], "notes": [],
    }  # fmt: skip


def _differences() -> list[dict[str, Any]]:
    request = {"principal": _REPORTS, "action": "kms:Decrypt", "resource": KEY,
               "resource_account": ACCOUNT,
               "context": {"kms:EncryptionContext:of": ["a", "b"]}}  # fmt: skip
    statement = {"document": "keys[0].policy", "statement": 2, "sid": "ByHand", "effect": "Allow"}
    return [
        {"id": "key_policy-0123456789abcdef", "check": "key_policy", "subject": "key policy",
         "state": "drift",
         "message": f"The key policy allows more than was meant: kms:Decrypt by {_REPORTS}.",
         "remedy": "Apply the configuration again, or accept the difference.",
         "meant": {}, "observed": {}, "accepted": None,
         "requests": [{"change": "more", "request": request, "statements": [statement]}]},
        {"id": "grants-0123456789abcdef", "check": "grants",
         "subject": f"grant to arn:aws:iam::{ACCOUNT}:role/backup", "state": "accepted",
         "message": "A grant that was not meant lets the role backup do Decrypt.", "remedy": None,
         "meant": None, "observed": {}, "requests": [],
         "accepted": {"reason": "Backups until the migration ends, OPS-17",
                      "by": "jane@example.com", "expires": "2027-01-31"}},
        {"id": "registration-0123456789abcdef", "check": "registration", "subject": "registration",
         "state": "undecided", "message": "OpenAI was not asked: there is no admin key.",
         "remedy": "Set OPENAI_ADMIN_KEY, or accept it with --accept-undecided.",
         "meant": None, "observed": None, "requests": [], "accepted": None},
    ]  # fmt: skip


def _drill() -> dict[str, Any]:
    events = (
        ("cut", "2026-11-12T14:00:00Z", "The key policy denies the role."),
        ("refused", "2026-11-12T14:01:12Z", "OpenAI's validation was refused."),
        ("restored", "2026-11-12T14:05:00Z", "The key policy is as before."),
        ("recovered", "2026-11-12T14:05:31Z", "OpenAI's validation succeeded."),
    )
    return {
        "schema": "ekm-drill/1", "verb": "revoke", "result": "recovered", "holds": True,
        "access_is_back": True, "note_stands": False, "method": "key-policy",
        "drill_id": "d1", "external_key_id": "extkey_1", "key_arn": KEY, "role_arn": ROLE,
        "record_place": "ssm:/openai-ekm", "caller": _EVE, "projects": [],
        "refusal": {"message": "AccessDenied: kms:Decrypt", "request_id": "req_9"},
        "key_policy": None,
        "seconds": {"cut_to_refusal": 72.0, "cut_to_restored": 300.0,
                    "restored_to_recovery": 31.25, "interrupted": 331.25},
        "cache_seconds": 60.0, "hold_seconds": 120.0, "held_past_cache": True, "unseen": [],
        "events": [
            {"event": event, "at": at, "seconds": 0.0, "text": text} for event, at, text in events
        ],
        "error": None, "sources": {},
    }  # fmt: skip


def _audit_events() -> dict[str, Any]:
    registered = {"id": "extkey_1", "data": {"name": "openai-ekm"}}
    return copy.deepcopy(
        {
            "asked_at": _AT,
            "resource_ids": ["extkey_1", "proj_1"],
            "events": [
                {
                    "id": "audit_log-2", "type": "project.created", "effective_at": 1_793_900_400,
                    "project": {"id": "proj_1", "name": "payments-assistant"},
                    "project.created": {"id": "proj_1", "data": {}},
                },
                {
                    "id": "audit_log-1", "type": "external_key.registered",
                    "effective_at": 1_793_900_000, "external_key.registered": registered,
                },
            ],
        }
    )  # fmt: skip
