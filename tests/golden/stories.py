"""What users do with each verb, as stories whose outcome is a contract.

Each story runs verbs in one world; what they print as JSON, their exit codes, their calls and what
they leave behind stands in `expected/<story>.json`. Together they meet every exit code.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3

from tests.constants import ACCOUNT, REGION
from tests.golden.world import answers, loses_the_answer, refuses_connection, trust_policy
from tests.support.cloudtrail_events import KEY_ARN, ROLE_ARN
from tests.support.healthy import KEY_USE, TRUST, healthy, put
from tests.support.terraform_states import applied
from tests.support.trail_logs import GOLDEN, write_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.golden.world import Golden

PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
STORIES: dict[str, Callable[[Golden], None]] = {}


def story(function: Callable[[Golden], None]) -> Callable[[Golden], None]:
    """Add a function to `STORIES` under its name."""
    STORIES[function.__name__] = function
    return function


@story
def life_of_a_registration(world: Golden) -> None:
    """Register, repeat, validate, status, retire in every way."""
    world.make_key_and_role()
    made = world.run("register", "--project", "payments", "--project", "chat")
    world.run("register", "--project", "payments", "--project", "chat")
    world.run("register", "--project", "third")
    world.run("validate")
    world.run("validate", "--id", str(made["external_key_id"]))
    world.run("status")
    world.run("handoff")
    world.run("retire", "--plan")
    world.run("retire")
    world.run("retire", "--confirm-archive", "extkey_another")
    world.run("retire", "--confirm-archive", str(made["external_key_id"]))
    world.run("status")
    world.run("retire")
    world.run("validate")
    world.run("register")
    world.run("retire", "--delete-record")


@story
def record_in_a_file(world: Golden) -> None:
    """With a file record the registrar calls no AWS."""
    world.make_key_and_role()
    world.run("register", "--record", "file:record.json", "--project", "prod")
    world.run("status", "--record", "file:record.json")
    Path("record.json").write_text("{")
    world.run("status", "--record", "file:record.json")
    Path("record.json").write_text('{"schema": "ekm-record/99"}')
    world.run("register", "--record", "file:record.json")


@story
def bad_options(world: Golden) -> None:
    """Each wrong value is named, and nothing is called."""
    world.make_key_and_role()
    for words in (
        ("--role-arn", "arn:aws:iam::1:role/x"),
        ("--role-arn", "arn:aws-us-gov:iam::111122223333:role/x"),
        ("--kms-arn", "arn:aws:kms:eu-west-1:111122223333:key/x"),
        ("--external-id", "org abc"),
        ("--name", ""),
        ("--project", "a", "--project", "a"),
        ("--record", "s3:bucket"),
        ("--adopt", "../x"),
        ("--admin-key-from", "file:x"),
        ("--from-terraform", "missing"),
        ("--manifest", "missing.yaml"),
        ("--wait", "x"),
    ):
        world.run("register", *words)
    world.run("register", OPENAI_BASE_URL="http://example.com/v1")
    world.run("register", EKM_CALLS_PER_MINUTE="many")
    world.run("register", EKM_LIST_LAG_SECONDS="-1")
    world.run("register", EKM_PROJECTS="{}")
    world.run("register", OPENAI_ADMIN_KEY="")
    world.run("register", OPENAI_ADMIN_KEY="sk admin")
    world.run("register", AWS_PROFILE="missing")


@story
def refusals_of_openai(world: Golden) -> None:
    """Each refusal has its id, and the record stays as it was."""
    world.make_key_and_role()
    error = (
        b'{"error": {"message": "%s", "type": "invalid_request_error", "param": null, "code": %s}}'
    )
    for status, body in (
        (401, error % (b"Incorrect API key provided.", b'"invalid_api_key"')),
        (401, error % (b"Wrong host for this credential's region.", b'"incorrect_hostname"')),
        (403, b'{"error": "You have insufficient permissions. Missing scopes: api.external_keys"}'),
        (404, error % (b"Unsupported endpoint", b"null")),
        (404, error % (b"Something else", b"null")),
        (400, error % (b"Name is too long", b"null")),
        (302, b""),
    ):
        world.faults = [answers(status, body, location="https://example.com/")]
        world.run("register")
    world.faults = [refuses_connection] * 12
    world.run("validate", "--id", "extkey_1")
    world.faults = []
    world.run("validate", "--id", "extkey_unknown")


@story
def answers_that_are_lost(world: Golden) -> None:
    """A create whose answer is lost is looked for, and made once."""
    world.make_key_and_role()
    world.faults = [_none, loses_the_answer]
    world.run("register", EKM_WAIT_SECONDS="1")


@story
def conflicts(world: Golden) -> None:
    """What is there stands against what is asked: exit 6, and nothing is made."""
    world.make_key_and_role()
    world.run("register", "--record", "file:a.json")
    world.run("register", "--record", "file:a.json", "--name", "other")
    world.run("register", "--record", "file:b.json", "--adopt", "extkey_" + "0" * 24)
    world.run("retire", "--record", "file:none.json")


@story
def denials_of_aws(world: Golden) -> None:
    """OpenAI is denied: the statement is named, nothing is recorded."""
    world.make_key_and_role()
    world.set_trust_policy(trust_policy("org-another"))
    world.run("register")
    world.set_trust_policy(trust_policy())
    world.run("register")
    boto3.client("kms").disable_key(KeyId=world.kms_arn)
    world.run("validate")
    world.run("status")


@story
def adopting(world: Golden) -> None:
    """A set-up made by hand is found, described and recorded."""
    world.make_key_and_role()
    made = world.run("register", "--record", "file:by-hand.json", "--project", "prod")
    world.run("adopt", "--adopt", str(made["external_key_id"]))
    world.run("adopt", "--adopt", str(made["external_key_id"]), "--keep-key")
    world.run("adopt", "--adopt", "extkey_missing")
    world.run("status")


@story
def drilling(world: Golden) -> None:
    """The kill switch: plan, refusal of the run without its word, cut and recovery, restore."""
    world.make_key_and_role()
    made = world.run("register", "--project", "drill")
    key = str(made["external_key_id"])
    world.run("drill", "revoke", "--plan")
    world.run("drill", "revoke")
    world.run("drill", "revoke", "--confirm", key, "--report", "report", EKM_WAIT_SECONDS="5")
    world.run("drill", "revoke", "--confirm", key, "--by", "disable-key", EKM_WAIT_SECONDS="5")
    world.run("drill", "restore")


@story
def collecting(world: Golden) -> None:
    """Snapshot, diagnosis and proof of what is in AWS."""
    world.make_key_and_role()
    options = (
        *("--role-arn", world.role_arn, "--kms-arn", world.kms_arn),
        *("--external-id", "org-abc123"),
    )
    snapshot = world.run("snapshot", *options)
    world.run("diagnose", *options)
    world.run("prove", *options)
    world.run("diagnose", "-", stdin=json.dumps(snapshot))
    world.run("snapshot")
    world.run("diagnose", "missing.json")
    world.run("diagnose", "-", stdin="[]")
    world.run("prove", "-", stdin='{"registration": 1}')


@story
def judging_snapshots(world: Golden) -> None:
    """One sound snapshot and one of each kind of fault, diagnosed and proven."""
    sound = healthy()
    for changed in (
        sound,
        put(sound, f"{TRUST}/Condition", ...),
        put(sound, f"{TRUST}/Principal", "*"),
        put(sound, f"{TRUST}/Effect", "Deny"),
        put(sound, f"{KEY_USE}/Action", "kms:Encrypt"),
        put(sound, "keys/0/state", "Disabled"),
        put(sound, "keys/0/state", "PendingDeletion"),
        put(sound, "keys/0/spec", "RSA_2048"),
        put(sound, "keys", []),
        put(sound, "registration/kms_arn", "arn:aws:kms:eu-west-1:111122223333:key/short"),
        put(sound, "role/trust_policy", {"Statement": 1}),
        put(sound, "grants", ...),
        put(sound, "role", None),
    ):
        text = json.dumps(changed)
        world.run("diagnose", "-", stdin=text)
        world.run("prove", "-", stdin=text)
    Path("s.json").write_text(json.dumps(put(sound, f"{TRUST}/Principal", "*")))
    world.run("prove", "s.json", "--sarif", "ekm.sarif")
    for verb in ("prove", "diagnose"):
        world.run(verb, "s.json", "--at", "2026-11-29T10:00:00Z")
        world.run(verb, "s.json", "--at", "yesterday")


@story
def accepting_undecided_claims(world: Golden) -> None:
    """A gate accepts undecided claims by name, never one that fails, and none that there is not."""
    blind = put(healthy(), "keys/0/policy", ...)
    for changed in (
        blind,
        healthy(),
        put(blind, f"{TRUST}/Principal", "*"),
    ):
        text = json.dumps(changed)
        world.run("prove", "-", "--accept-undecided", "a,b,c,d,e,f=the owner proves it", stdin=text)
    world.run("prove", "-", "--accept-undecided", "c=the owner proves it", stdin=json.dumps(blind))
    world.run("prove", "-", "--accept-undecided", "g=because", stdin=json.dumps(blind))
    world.run("prove", "-", "--accept-undecided", "c", stdin=json.dumps(blind))
    stateless = json.dumps(put(healthy(), "keys/0/state", ...))
    world.run("diagnose", "-", stdin=stateless)
    world.run("diagnose", "-", "--accept-undecided", "state=seen by eye", stdin=stateless)
    Path("s.json").write_text(json.dumps(blind))
    world.run("prove", "s.json", "--accept-undecided", "c=read", "--output", "sarif=ekm.sarif")


@story
def explaining_errors(world: Golden) -> None:
    """Texts of AWS are explained without a snapshot."""
    denied = (
        "User: arn:aws:sts::790389265272:assumed-role/EnterpriseKeyManagement/OpenAI-EKM-Service "
        "is not authorized to perform: sts:AssumeRole on resource: "
        "arn:aws:iam::111122223333:role/openai-ekm"
    )
    disabled = "arn:aws:kms:eu-west-1:111122223333:key/1 is disabled."
    for text in (denied, disabled, "Something that nobody knows"):
        world.run("diagnose", "--error", text)


@story
def deciding(world: Golden) -> None:
    """Cases in, decisions out; a line that is no case is named."""
    principal = "arn:aws:iam::111122223333:role/openai-ekm"
    allow = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kms:ListKeys", "Resource": "*"}],
    }
    case = {
        "id": "1",
        "request": {
            "principal": principal,
            "action": "kms:ListKeys",
            "resource": "*",
            "resource_account": "111122223333",
            "context": {},
        },
        "policies": {"identity": [allow]},
    }
    broken = {**case, "id": "2", "policies": {"identity": [{"Statement": 1}]}}
    world.run("decide", "-", stdin=f"{json.dumps(case)}\n{json.dumps(broken)}\n")
    world.run("decide", "-", stdin="{}\n")
    world.run("decide", "missing.jsonl")


@story
def registering_a_fleet(world: Golden) -> None:
    """A manifest: its budget, its run, its repetition, an entry that fails, a broken file."""
    world.make_key_and_role()

    def entry(name: str, **changes: Any) -> dict[str, Any]:
        return {
            "name": name,
            "role_arn": world.role_arn,
            "kms_arn": world.kms_arn,
            "external_id": "org-abc123",
            "record": f"file:{name}.json",
            **changes,
        }

    def manifest(*entries: dict[str, Any]) -> str:
        return json.dumps({"schema": "ekm-fleet/1", "entries": list(entries)})

    for name in ("EKM_ROLE_ARN", "EKM_KMS_ARN", "EKM_EXTERNAL_ID", "EKM_NAME", "EKM_RECORD"):
        world.monkeypatch.delenv(name)
    second: dict[str, Any] = {"name": "two", "external_id": "org-abc124", "projects": ["chat"]}
    world.set_trust_policy(trust_policy("org-abc123", "org-abc124"))
    two = manifest(entry("one"), entry(**second))
    one_at_a_time = ("--manifest", "-", "--concurrency", "1")
    world.run("register", *one_at_a_time, "--plan", stdin=two)
    world.run("register", *one_at_a_time, stdin=two)
    world.run("register", *one_at_a_time, stdin=two)
    elsewhere = world.role_arn + "-of-another"
    failing = manifest(entry("three", role_arn=elsewhere), entry("one"))
    world.run("register", *one_at_a_time, stdin=failing)
    world.run("register", *one_at_a_time, stdin=manifest(entry("one"), entry("one")))
    world.run("register", *one_at_a_time, stdin="{")


@story
def refusals_of_aws(world: Golden) -> None:
    """AWS's own refusals of the caller: exit 3, and nothing is made."""
    world.make_key_and_role()
    for world.aws_refusal in ("AccessDeniedException", "ExpiredTokenException"):
        world.run("register")
        world.run("status")
        world.run("register", "--record", "file:x.json", "--admin-key-from", "ssm:/admin-key")


@story
def looking_at_everything(world: Golden) -> None:
    """The doctor: before the first apply, with all in place, and where a party refuses."""
    world.monkeypatch.setattr(
        "openai_ekm.terraform.run_version",
        lambda: ("terraform", b'{"terraform_version": "1.11.4"}'),
    )
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", *PROXIES):
        world.monkeypatch.delenv(name, raising=False)
    world.run("doctor", OPENAI_ADMIN_KEY="")
    world.make_key_and_role()
    world.let_caller_do_everything()
    world.emulator.change_settings({"organization": "org-abc123"})
    world.run("doctor", "--for", "apply", "--for", "drill")
    world.make_trail_and_rule()
    world.run("register")
    world.run("doctor")
    world.run("doctor", "--external-id", "org-of-another")
    world.faults = [_none, answers(404, b'{"error": {"message": "Unsupported endpoint"}}')]
    world.run("doctor")
    world.faults = [refuses_connection]
    world.run("doctor")
    world.faults = []
    world.aws_refusal = "AccessDenied"
    world.run("doctor")
    world.aws_refusal = None
    world.run("doctor", "--admin-key-from", "ssm:/admin-key-that-is-not-there")
    fleet: dict[str, Any] = {"ekm": {"value": {"one": {}, "two": {}}}}
    for printed in ({}, fleet):
        world.run("doctor", "--from-terraform", "-", stdin=json.dumps(printed))
    world.run("doctor", "--from-terraform", "-", stdin="Error: no state")
    world.run("doctor", "--kms-arn", "key/x")
    world.run("doctor", "--for", "nothing")


@story
def asking_who_uses_the_key(world: Golden) -> None:
    """The usage: of a trail with everybody in it, of OpenAI alone, and what is refused."""
    named = ("--kms-arn", KEY_ARN, "--role-arn", ROLE_ARN)
    write_log(Path("trail"), GOLDEN)
    write_log(Path("alone"), GOLDEN[:3])
    world.run("usage", "trail", *named)
    world.run("usage", "alone", *named)
    world.run("usage", "alone", "--since", "2026-11-28T08:00:02Z", *named)
    write_log(Path("alone"), [GOLDEN[1], "no record"], unique="B" * 16)
    world.run("usage", "alone", *named)
    world.run("usage", "--athena", "s3://my-trail/AWSLogs/", "--log-region", "eu-west-1", *named)
    world.aws_refusal = "AccessDenied"
    world.run("usage", "s3://my-trail", *named)
    world.aws_refusal = None
    world.run("usage", *named)
    world.run("usage", "trail")
    world.run("usage", "nowhere", *named)
    world.run("usage", "alone", "--log-region", "eu-north-1", *named)
    world.run("usage", "s3://B", *named)
    world.run("usage", "trail", "--since", "yesterday", *named)
    world.run("usage", "trail", "--since", "2026-11-29", "--until", "2026-11-29", *named)
    world.run("usage", "trail", "--athena", "s3://my-trail/AWSLogs/", *named)
    world.run("usage", "--athena", "s3://my-trail/logs/", *named)


@story
def looking_for_drift(world: Golden) -> None:
    """Nothing differs; a change by hand, accepted; a refusal of each party; and bad options."""
    world.make_key_and_role()
    boto3.client("kms").enable_key_rotation(KeyId=world.kms_arn)
    world.run("register", "--project", "chat")
    policies = {
        "trust_policy": world.trust_policy(),
        "permission_policy": world.use_policy(),
        "key_policy": world.key_policy(),
    }
    state = json.dumps(applied(world.role_arn, world.kms_arn, policies, guard={"name": "prod"}))
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    world.monkeypatch.setattr("openai_ekm.cli.drift._now", lambda: now)
    look = ("drift", "--from-terraform", "-")
    world.run(*look, stdin=state)
    world.run(*look, "--require-key", "--side", "openai", stdin=state)
    by_hand = {
        "Sid": "ByHand",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/admin"},
        "Action": "kms:Decrypt",
    }
    world.set_key_policy(*world.key_policy()["Statement"], by_hand)
    found = world.run(*look, stdin=state)
    Path("drift.json").write_text(json.dumps(found))
    who = ("--reason", "OPS-17", "--by", "jane", "--baseline", "accepted.json")
    accept = ("drift", "accept", "drift.json", "--all", *who)
    world.run(*accept, "--expires", "yesterday")
    world.run(*accept, "--expires", "2026-12-31")
    world.run(*look, "--baseline", "accepted.json", stdin=state)
    world.faults = [answers(404, b'{"error": {"message": "Unsupported endpoint"}}')]
    world.run(*look, "--baseline", "accepted.json", stdin=state)
    world.faults = []
    world.aws_refusal = "AccessDeniedException"
    world.run(*look, stdin=state)
    world.aws_refusal = None
    world.run(*look, stdin="{}", OPENAI_ADMIN_KEY="")
    world.run("drift")
    world.run(*look, "--baseline", "missing.json", stdin=state)
    world.run(*look, "--except", "sandbox", stdin=state)
    Path("accepted.json").write_text("{}")
    world.run(*look, "--baseline", "accepted.json", stdin=state)


@story
def testing_the_monitoring(world: Golden) -> None:
    """The test of the monitoring: its plan, no message, what is refused, and a tested tag."""
    world.make_key_and_role()
    topics = world.make_topics()
    named = ("--topic", topics[0], "--topic", topics[1])
    world.run("monitor", "test", "--plan", *named)
    with world.monkeypatch.context() as patch:  # one look for the message, however long it takes
        moments = iter([0.0, 0.0, 2.0])
        clock = SimpleNamespace(monotonic=lambda: next(moments))
        patch.setattr("openai_ekm.monitoring.carry_out.time", clock)
        world.run("monitor", "test", "--wait", "1", *named)
    world.run("monitor", "test")
    world.run("monitor", "test", "--topic", "warning")
    world.run("monitor", "test", "--topic", topics[0], EKM_KMS_ARN="")
    world.aws_refusal = "AccessDenied"
    world.run("monitor", "test", *named)
    world.aws_refusal = None
    tested = {"StringEquals": {"aws:ResourceTag/openai-ekm-monitor-test": "x"}}
    world.set_key_policy({"Principal": "*", "Action": "kms:Decrypt", "Condition": tested})
    world.run("monitor", "test", *named)


@story
def writing_evidence(world: Golden) -> None:
    """A pack: written, verified, refused after a change; what is given wrong; what AWS refuses."""
    world.make_key_and_role()
    registered = world.run("register", "--project", "payments")["external_key_id"]
    at = ("--at", "2026-11-29T10:00:00Z")
    zeros = f"sha256:{'0' * 64}"
    world.run("evidence", "write", "pack", *at)
    world.run("evidence", "verify", "pack")
    world.run("evidence", "verify", "pack", "--fingerprint", zeros)
    world.run("evidence", "write", "pack", *at)
    world.run("evidence", "write", "redacted.zip", "--redact", *at)
    Path("pack/proof.json").write_text("{}")
    world.run("evidence", "verify", "pack")
    world.run("evidence", "verify", "missing")
    world.run("evidence", "verify", "pack", "--fingerprint", "0")
    world.run("evidence", "write", "x", "--at", "yesterday")
    world.run("evidence", "write", "x", "--drill", "pack/snapshot.json")
    world.run("evidence", "write", "missing/x", *at)
    world.run("evidence", "write", "x", "--sign", "alias/evidence")
    world.run("evidence", "write", "x", "--sign", f"kms:{world.kms_arn}")
    world.run("evidence", "write", "x", "--snapshot", "pack/snapshot.json", *at)
    world.aws_refusal = "AccessDeniedException"
    world.run("evidence", "write", "z", *at)
    world.refusing = "ssm."
    named = ("--snapshot", "pack/snapshot.json", "--external-key", registered)
    world.run("evidence", "write", "w", *named, *at)
    world.refusing = "sts."
    world.run("evidence", "write", "v", *named, *at)
    world.run("evidence", "write", "u", *named[:2], *at)
    world.refusing = "secretsmanager."
    kept = (
        "--admin-key-from",
        f"secretsmanager:arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:k",
    )
    world.run("evidence", "write", "t", *named, *kept, *at)


@story
def a_defect(world: Golden) -> None:
    """What should not happen ends with 70 and without a traceback."""
    world.make_key_and_role()
    world.faults = [_breaks]
    world.run("validate", "--id", "extkey_1")
    world.faults = [_interrupts]
    world.run("validate", "--id", "extkey_1")


def _none() -> None:
    return None


def _breaks() -> None:
    raise ZeroDivisionError("by a test")


def _interrupts() -> None:
    raise KeyboardInterrupt
