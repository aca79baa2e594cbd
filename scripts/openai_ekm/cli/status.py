"""`ekm status`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from openai_ekm import aws_session
from openai_ekm.arns import region_of
from openai_ekm.cli import inputs, render
from openai_ekm.cli.instances import Answer, answer_each
from openai_ekm.cli.options import AllOptions, PlaceOptions
from openai_ekm.cli.session import Session, note_store, parse_record_location
from openai_ekm.openai_api import ApiRefused, Kind
from openai_ekm.registration import status as statuses
from openai_ekm.registration.consistency import complete_keys
from openai_ekm.registration.matching import matches
from openai_ekm.registration.status import Differing, KeyState, Topic

if TYPE_CHECKING:
    from openai_ekm.drill.note import Note
    from openai_ekm.openai_api.objects import ExternalKey
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.status import Status

__all__ = ["run"]


@dataclass(frozen=True, kw_only=True)
class StatusOptions(PlaceOptions, AllOptions):
    """Options of `ekm status`."""

    key_state: bool | None
    admin_key_from: str | None
    as_json: bool


def run(options: StatusOptions) -> int:
    """Run `ekm status`."""
    instances = inputs.gather_each(options)
    return answer_each(instances, lambda given: _status(given, options), as_json=options.as_json)


def _status(given: inputs.Given, options: StatusOptions) -> Answer:
    place = parse_record_location(given.record)
    from_terraform = options.from_terraform is not None
    handed_over = from_terraform and not given.outputs.projects and given.kms_arn is not None
    session = Session(
        place,
        admin_key_from=options.admin_key_from,
        account=given.account(),
        without_admin_key=handed_over,
    )
    assert session.store is not None  # nosec B101 # narrows the type
    found = session.store.read()
    if found is not None and found.external_key_id is not None:
        session.require_admin_key()
    ask_aws = session.may_ask_aws if options.key_state is None else options.key_state
    if found is None and handed_over:
        intent = given.intent()
        render.progress("Asking AWS, and OpenAI where there is an admin key, for what is there.")
        listed = session.api().list_external_keys() if session.may_ask_openai else None
        state = _key_state(session, intent) if ask_aws else None
        judged = statuses.judge_handed_over(str(place), intent, listed, state)
    else:
        render.progress("Asking OpenAI and AWS for what is there.")
        key: ExternalKey | None = None
        if found is not None and found.external_key_id is not None:
            key = _fetched(session, found.external_key_id)
        projects = session.api().list_projects() if key is not None else ()
        registered: tuple[ExternalKey, ...] = ()
        if found is not None and key is not None:
            every_key = session.api().list_external_keys()
            mine = partial(matches, found.intent)
            registered = complete_keys(every_key, mine, session.api().get_external_key)
        state = _key_state(session, found.intent) if found is not None and ask_aws else None
        judged = statuses.judge(str(place), found, key, projects, state, registered=registered)
    note = note_store(session, place).read()
    if note is not None:
        judged = judged.also(Differing(Topic.DRILL, "drill", _standing(note, str(place))))
    standing = None if note is None else {"begun_at": note.begun_at, "method": note.method}
    return Answer(
        {**judged.as_json(), "drill": standing}, _as_text(judged), 1 if judged.differences else 0
    )


def _standing(note: Note, place: str) -> str:
    return (
        f"A drill of {note.begun_at} (by {note.caller}, on {note.host}) has cut access, or is "
        f"about to, by {note.method.value}. It may be running; if it is not, `ekm drill restore "
        f"--record {place}` gives access back."
    )


def _fetched(session: Session, id: str) -> ExternalKey | None:
    try:
        return session.api().get_external_key(id)
    except ApiRefused as refused:
        if refused.refusal.kind is not Kind.GONE:
            raise
        return None


def _key_state(session: Session, intent: Intent) -> KeyState | None:
    """Return the key's state; if it may not be read, print a line that says so and return None."""
    region = region_of(intent.kms_arn)
    kms = aws_session.client(session.aws_session(), "kms", region=region)
    with aws_session.translated("kms:DescribeKey"):
        try:
            metadata = kms.describe_key(KeyId=intent.kms_arn)["KeyMetadata"]
        except ClientError as failure:
            match failure.response["Error"]["Code"]:
                case "NotFoundException":
                    return KeyState("NotFound")
                case "AccessDeniedException":
                    render.progress("The key's state is not shown: kms:DescribeKey is denied.")
                    return None
                case _:
                    raise
    return KeyState(metadata["KeyState"], metadata["Arn"])


def _as_text(status: Status) -> list[str]:
    record, key = status.record, status.key
    intent = record.intent if record else status.handed_over
    lines = [f"record        {status.place}: {record.state.value if record else 'none'}"]
    if intent:
        lines += [
            f"  role        {intent.role_arn}",
            f"  key         {intent.kms_arn}",
            f"  external id {intent.external_id}",
        ]
    bound = f", bound to the workspace {key.workspace_id}" if key and key.workspace_id else ""
    lines.append(f"registration  {key.id if key else 'none'}{bound}")
    if key:
        names = {project.id: project.name for project in status.projects}
        lines += [
            f"  project     {names.get(project) or '(unnamed)'} {project}"
            for project in key.api_project_ids
        ]
    elif status.handed_over:
        asked = "OpenAI's list has none" if status.openai_asked else "OpenAI was not asked"
        lines[-1] = f"registration  none that is seen: {asked}"
        lines += [
            "  ChatGPT Enterprise: ekm handoff prints what to hand to OpenAI",
            "  API: ekm register makes the registration and the record",
        ]
    if status.key_state:
        lines.append(f"KMS key       {status.key_state.state}")
    else:
        lines.append("KMS key       not looked at (--key-state asks AWS)")
    lines += [f"Differs: {difference}" for difference in status.differences]
    if not status.differences:
        lines.append("Nothing differs.")
    return lines
