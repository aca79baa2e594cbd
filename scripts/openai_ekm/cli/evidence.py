"""`ekm evidence write` and `ekm evidence verify`: a pack for an auditor, and its check."""

from __future__ import annotations

import platform
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

from openai_ekm import aws_session
from openai_ekm._version import __version__
from openai_ekm.cli import evidence_text, inputs, render
from openai_ekm.cli.options import IdentifierOptions, PlaceOptions
from openai_ekm.cli.session import Session, parse_record_location
from openai_ekm.cli.snapshot import called_at, collect_live, is_time
from openai_ekm.diagnosis import diagnose
from openai_ekm.errors import EXIT_UNDECIDED, AwsRefused, BadInput, CheckFailed, NotReachable
from openai_ekm.evidence.aws import SigningKey, check_signing_key, read_rotation
from openai_ekm.evidence.container import check_place, open_pack, write_pack
from openai_ekm.evidence.controls import read_controls
from openai_ekm.evidence.decisions import decisions_of
from openai_ekm.evidence.given import check_key, read_given
from openai_ekm.evidence.manifest import MANIFEST, PUBLIC_KEY, SIGNATURE, Signer, make_manifest
from openai_ekm.evidence.members import members_of
from openai_ekm.evidence.openai import ask_validation, read_audit_events
from openai_ekm.evidence.pack import NotSeen, Pack, documents_of
from openai_ekm.evidence.redaction import StandIns, redact
from openai_ekm.evidence.signature import check_fingerprint
from openai_ekm.evidence.verify import verify
from openai_ekm.proof import prove
from openai_ekm.registration import admin_key
from openai_ekm.registration.intent import check_id
from openai_ekm.registration.record import timestamp
from openai_ekm.snapshot import UNSEEN
from openai_ekm.snapshot.file import read_snapshot

if TYPE_CHECKING:
    from openai_ekm.evidence.verify import Verification
    from openai_ekm.registration.record import Record
    from openai_ekm.snapshot import Snapshot

__all__ = ["run_verify", "run_write"]

_LAST_SECOND: Final = 253_402_300_799  # of the year 9999
_GIVEN: Final = ("validation", "usage", "drift", "rotation", "audit_events")


@dataclass(frozen=True, kw_only=True)
class WriteOptions(PlaceOptions, IdentifierOptions):
    """Options of `ekm evidence write`."""

    place: str
    snapshot: str | None
    external_key: str | None
    admin_key_from: str | None
    usage: str | None
    drift: str | None
    drills: tuple[str, ...]
    validation: str | None
    rotation: str | None
    audit_events: str | None
    at: str | None
    redacted: bool
    sign: str | None
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """Options of `ekm evidence verify`."""

    pack: str
    fingerprint: str | None
    as_json: bool


def run_write(options: WriteOptions) -> None:
    """Run `ekm evidence write`."""
    # Before anything starts a child: none inherits the admin key.
    inputs.secret_variable(admin_key.VARIABLE)
    check_place(options.place)
    generated_at = _moment(options.at)
    if options.sign is not None:
        check_signing_key(options.sign, ())
    given = {
        name: read_given(f"--{name.replace('_', '-')}", file)
        for name in _GIVEN
        if (file := getattr(options, name)) is not None
    }
    drills = tuple(read_given("--drill", file) for file in options.drills)
    members = _members(options)
    snapshot = _snapshot(options, members, generated_at)
    for name, body in (*given.items(), *(("drill", each) for each in drills)):
        check_key(f"--{name.replace('_', '-')}", body, snapshot)
    signer = _signing_key(options.sign, snapshot)
    seen, not_seen = _asked(options, members, snapshot, given)
    with render.waiting("Proving the claims over all requests"):
        pack = _pack(snapshot, generated_at, seen, drills, not_seen)
    stand_ins: StandIns | None = None
    if options.redacted:
        pack, stand_ins = redact(pack, () if signer is None else (signer.arn,))
    files = members_of(pack)
    files |= _manifest(files, pack, signer, stand_ins)
    write_pack(options.place, files)
    _tell_written(options, pack, files, signer)


def run_verify(options: VerifyOptions) -> int:
    """Run `ekm evidence verify`."""
    fingerprint = None if options.fingerprint is None else check_fingerprint(options.fingerprint)
    found = verify(open_pack(options.pack), fingerprint)
    error = _failure(options.pack, found)
    if error is not None:
        render.error(error, as_json=False)
    if options.as_json:
        body = found.as_json()
        render.document({**body, "error": None if error is None else error.as_json()})
    else:
        render.result(*evidence_text.lines_of_check(found))
    if error is not None:
        return error.exit_code
    return 0 if found.holds else EXIT_UNDECIDED


def _moment(text: str | None) -> str:
    """Return the time of the pack: `--at`, SOURCE_DATE_EPOCH, or now.

    Raises:
        BadInput: It is no time.
    """
    if text is None:
        epoch = inputs.text_variable("SOURCE_DATE_EPOCH")
        if epoch is None:
            return _now()
        if not re.fullmatch("[0-9]{1,12}", epoch) or int(epoch) > _LAST_SECOND:
            raise _no_time("SOURCE_DATE_EPOCH", epoch, "a whole number of seconds since 1970")
        return timestamp(datetime.fromtimestamp(int(epoch), UTC))
    if not is_time(text):
        raise _no_time("--at", text, "a time such as 2026-11-29T10:00:00Z")
    return text


def _no_time(name: str, text: str, form: str) -> BadInput:
    return BadInput(
        "evidence_time_malformed",
        f"{name} {text[:60]!r} is not {form}.",
        at_fault=name,
        remedy="Correct it, or leave it out for the present time.",
    )


def _now() -> str:
    return timestamp(datetime.now(UTC))


def _members(options: WriteOptions) -> inputs.Given:
    given = inputs.gather(options)
    if options.external_key is not None:
        check_id(options.external_key, "--external-key")
    return given


def _snapshot(options: WriteOptions, members: inputs.Given, generated_at: str) -> Snapshot:
    """Return the snapshot: from a file, else from AWS at this moment; judged at the pack's time."""
    at = datetime.fromisoformat(generated_at)
    if options.snapshot is not None:
        return called_at(read_snapshot(options.snapshot), at)
    return collect_live(members.intent_members()).at(at)


def _signing_key(sign: str | None, snapshot: Snapshot) -> SigningKey | None:
    if sign is None:
        return None
    arn = check_signing_key(sign, snapshot.key_arns)
    render.progress("Reading the public key of the signing key from AWS.")
    return SigningKey(aws_session.new_session(), arn, snapshot.key_arns)


def _asked(
    options: WriteOptions,
    members: inputs.Given,
    snapshot: Snapshot,
    given: dict[str, dict[str, Any]],
) -> tuple[dict[str, Any], list[NotSeen]]:
    """Return the members that files, AWS and OpenAI give, and what was not seen."""
    seen: dict[str, Any] = dict(given)
    not_seen: list[NotSeen] = []
    if "rotation" not in seen:
        seen["rotation"], missing = _rotation(options, snapshot)
        not_seen += missing
    wanted = [name for name in ("validation", "audit_events") if name not in seen]
    if wanted:
        answers, unanswered = _of_openai(options, members, wanted)
        seen |= answers
        not_seen += unanswered
    not_seen += [
        NotSeen(name, f"{name}.json", f"No file was given: --{name} FILE.")
        for name in ("usage", "drift")
        if name not in seen
    ]
    if not options.drills:
        not_seen.append(NotSeen("drills", "reports of drills", "No file was given: --drill FILE."))
    return seen, not_seen


def _rotation(
    options: WriteOptions, snapshot: Snapshot
) -> tuple[dict[str, Any] | None, tuple[NotSeen, ...]]:
    if options.snapshot is not None:
        why = "AWS was not asked: the snapshot is from a file."
        return None, (NotSeen("rotation", "rotation.json", why),)
    if snapshot.keys is UNSEEN or not snapshot.keys:
        return None, (NotSeen("rotation", "rotation.json", "The key was not seen."),)
    render.progress("Reading the rotations of the key from AWS.")
    return read_rotation(aws_session.new_session(), [key.arn for key in snapshot.keys])


def _of_openai(
    options: WriteOptions, members: inputs.Given, wanted: list[str]
) -> tuple[dict[str, Any], list[NotSeen]]:
    """Ask OpenAI about the registration, where its id is known and there is an admin key."""
    try:
        session, refusal = _session(options, members)
    except (AwsRefused, NotReachable) as failure:
        return {}, [NotSeen(name, "the admin key", failure.message) for name in wanted]
    if not session.may_ask_openai:
        return {}, [NotSeen(name, "OpenAI", "There is no admin key.") for name in wanted]
    record = None
    if refusal is None:
        record, refusal = _record(session)
    if refusal is not None and options.external_key is None:
        return {}, [NotSeen(name, "the record", refusal) for name in wanted]
    found = options.external_key or (None if record is None else record.live_id)
    if found is None:
        why = "No registration is known: no record names one, and --external-key was not given."
        return {}, [NotSeen(name, "OpenAI", why) for name in wanted]
    render.progress("Asking OpenAI for its validation and its audit events.")
    api = session.api()
    seen: dict[str, Any] = {}
    not_seen: list[NotSeen] = []
    if "validation" in wanted:
        seen["validation"], missing = ask_validation(api, found, _now)
        not_seen += missing
    if "audit_events" in wanted:
        projects = () if record is None else record.projects.values()
        if record is None:
            why = refusal or "No record names the projects."
            not_seen.append(NotSeen("audit_events", "events of the projects", why))
        ids = sorted({found, *projects})
        seen["audit_events"], missing = read_audit_events(api, ids, _now)
        not_seen += missing
    return seen, not_seen


def _session(options: WriteOptions, members: inputs.Given) -> tuple[Session, str | None]:
    """Return the clients, and why AWS does not say whose record it would be, if it does not.

    Raises:
        AwsRefused, NotReachable: AWS does not give the admin key.
    """
    place = None if members.record is None else parse_record_location(members.record)
    refusal: str | None = None
    if place is not None and place.kind == "ssm" and (account := members.account()) is not None:
        try:
            aws_session.check_account(aws_session.new_session(), account)
        except (AwsRefused, NotReachable) as failure:
            place, refusal = None, failure.message
    session = Session(place, admin_key_from=options.admin_key_from, without_admin_key=True)
    return session, refusal


def _record(session: Session) -> tuple[Record | None, str | None]:
    """Return the record, None where there is none; and why it could not be read."""
    try:
        return (None if session.store is None else session.store.read()), None
    except (AwsRefused, NotReachable) as failure:
        return None, failure.message


def _pack(
    snapshot: Snapshot,
    generated_at: str,
    seen: dict[str, Any],
    drills: tuple[dict[str, Any], ...],
    not_seen: list[NotSeen],
) -> Pack:
    """Judge the snapshot as of the pack's time, and return everything together."""
    now = datetime.fromisoformat(generated_at)
    reasons = snapshot.reasons
    gaps = [
        NotSeen("snapshot", path, reasons.get(path, "It is not in the snapshot."))
        for path in snapshot.unseen()
    ]
    return Pack(
        generated_at=generated_at,
        redacted=False,
        versions=_versions(),
        snapshot=snapshot.as_json(),
        documents=documents_of(snapshot),
        decisions=decisions_of(snapshot, now=generated_at),
        proof=prove(snapshot, now=now).as_json(),
        diagnosis=diagnose(snapshot, now=now).as_json(),
        drills=drills,
        controls=read_controls(),
        not_seen=(*gaps, *not_seen),
        **{name: seen.get(name) for name in _GIVEN},
    )


def _versions() -> dict[str, str]:
    found = {name: version(name) for name in ("boto3", "cryptography", "jinja2")}
    return {"ekm": __version__, "python": platform.python_version(), **found}


def _manifest(
    files: dict[str, bytes], pack: Pack, key: SigningKey | None, stand_ins: StandIns | None
) -> dict[str, bytes]:
    """Return the manifest, and with a key its signature and public key."""
    signer = None
    if key is not None:
        arn = key.arn if stand_ins is None else stand_ins.rewrite(key.arn)
        signer = Signer(arn, key.public_key.algorithm, key.public_key.fingerprint)
    manifest = make_manifest(
        files, generated_at=pack.generated_at, redacted=pack.redacted, signer=signer
    )
    if key is None:
        return {MANIFEST: manifest}
    return {MANIFEST: manifest, SIGNATURE: key.sign(manifest), PUBLIC_KEY: key.public_key.pem}


def _tell_written(
    options: WriteOptions, pack: Pack, files: dict[str, bytes], key: SigningKey | None
) -> None:
    fingerprint = None if key is None else key.public_key.fingerprint
    if options.as_json:
        render.document(
            {
                "place": options.place,
                "generated_at": pack.generated_at,
                "redacted": pack.redacted,
                "proof": pack.proof["answer"],
                "members": sorted(files),
                "fingerprint": fingerprint,
                "not_seen": [asdict(each) for each in pack.not_seen],
            }
        )
        return
    render.result(*evidence_text.lines_of_pack(options.place, pack, len(files), fingerprint))


def _failure(source: str, found: Verification) -> CheckFailed | None:
    if not found.differences:
        return None
    first, count = found.differences[0], len(found.differences)
    more = f" ({count - 1} more)" if count > 1 else ""
    remedy = "Rely on nothing in it. Ask the person who wrote the pack for it again."
    return CheckFailed(
        "evidence_differs",
        f"{source} is not as it was written: {first.message}{more}",
        at_fault=first.path or source,
        remedy="Extract the zip, and verify the folder." if first.kind == "layout" else remedy,
    )
