"""Compare what OpenAI has with the record. Pure: what was read goes in, differences come out.

`openai_ekm.registration.status` compares record, registration and projects, for `ekm status` too.
Here it is told as drift, with what only a look at the whole organization shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from openai_ekm.drift.checks import CHECKS, PROJECT_KEYS
from openai_ekm.drift.difference import Difference, State
from openai_ekm.openai import ORGANIZATION_PREFIX
from openai_ekm.registration.matching import matches
from openai_ekm.registration.status import Topic, judge, judge_handed_over

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from openai_ekm.drift.intended import Intended
    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.intent import Intent
    from openai_ekm.registration.record import Record
    from openai_ekm.registration.status import Status

__all__ = ["Exceptions", "Registered", "compare_openai", "organization_by_name"]

_CHECK_OF: Final = {
    Topic.RECORD: "record",
    Topic.REGISTRATION: "registration",
    Topic.DUPLICATES: "duplicates",
    Topic.PROJECTS: "projects",
}
_FATES: Final = {
    "archived": " It is archived, which is final.",
    "elsewhere": " It is active without this key.",
    "missing": " OpenAI has no such project.",
}


@dataclass(frozen=True, slots=True)
class Registered:
    """The record, and what OpenAI has.

    Args:
        place: Where the record is, or would be; empty where none was named.
        record: None when there is none.
        unread: Why the record was not read; None when it was.
        unasked: Why OpenAI was not asked, or gave no answer; None when it answered.
        key: The registration that the record names; None when it is gone.
        listed: Every registration of the organization.
        projects: Every active project of it.
        fates: Of projects of the record that are not active on the key: `archived`, `elsewhere`
            or `missing`, by id.
        organization: The admin key's, as OpenAI names it.
    """

    place: str = ""
    record: Record | None = None
    unread: str | None = None
    unasked: str | None = None
    key: ExternalKey | None = None
    listed: tuple[ExternalKey, ...] = ()
    projects: tuple[Project, ...] = ()
    fates: Mapping[str, str] = field(default_factory=dict)
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Exceptions:
    """The projects that `--require-key` asks about.

    Args:
        require_key: Whether every active project must be under a key.
        names: Names or ids of projects that need none.
    """

    require_key: bool = False
    names: tuple[str, ...] = ()


def compare_openai(
    meant: Intended,
    found: Registered,
    intent: Intent,
    exceptions: Exceptions,
    *,
    aliases: frozenset[str] = frozenset(),
) -> Iterator[Difference]:
    """Yield what differs at OpenAI.

    Args:
        meant: What was meant.
        found: What the record and OpenAI have.
        intent: What there is to register.
        exceptions: Which projects must be under a key.
        aliases: ARNs of the aliases that lead to the key.
    """
    sides = [name for name, check in CHECKS.items() if check.side == "openai"]
    asked = [name for name in sides if name != PROJECT_KEYS or exceptions.require_key]
    why = found.unread or found.unasked
    if why is not None:
        yield from (_not_asked(check, why) for check in asked)
        return
    other = _other_organization(found, meant)
    if other is not None:
        yield other
        why = "the admin key is of another organization"
        yield from (
            _not_asked(check, why) for check in asked if check not in {"organization", "record"}
        )
        return
    if found.organization is None and _organization_sought(found, meant) is not None:
        yield _not_asked("organization", "OpenAI's answers do not name an organization")
    status = _judged(meant, found, intent)
    yield from _of_status(status, found)
    yield from _record_against_intended(meant, found)
    yield from _lookalikes(meant, found, intent, {*aliases, *meant.aliases, meant.key_arn})
    if exceptions.require_key:
        yield from _without_key(found, exceptions.names)
    yield from _workspace(meant, found, status)


def _not_asked(check: str, why: str) -> Difference:
    return Difference(
        check=check,
        subject=check.replace("_", " "),
        message=f"{CHECKS[check].title}: not seen, because {why}.",
        state=State.UNDECIDED,
        remedy="Give what is missing and look again, or accept it with --accept-undecided.",
    )


def _organization_sought(found: Registered, meant: Intended) -> str | None:
    """Return the id of the organization that the key was registered in, if anything says it."""
    wanted = found.record.organization if found.record is not None else None
    if wanted is None:
        wanted = meant.snapshot.registration.external_id
    return wanted if wanted.startswith(ORGANIZATION_PREFIX) else None


def organization_by_name(found: Registered, meant: Intended) -> str | None:
    """Return the organization's name where OpenAI answers with it in place of the id.

    Args:
        found: What the record and OpenAI have.
        meant: What was meant.
    """
    told = found.organization
    if (
        told is None
        or told.startswith(ORGANIZATION_PREFIX)
        or _organization_sought(found, meant) is None
    ):
        return None
    return told


def _other_organization(found: Registered, meant: Intended) -> Difference | None:
    """Return that the admin key is of another organization, as far as anything says it."""
    wanted = _organization_sought(found, meant)
    if wanted is None or found.organization is None or wanted == found.organization:
        return None
    if not found.organization.startswith(ORGANIZATION_PREFIX):
        return None  # told as a note
    return Difference(
        check="organization",
        subject="organization of the admin key",
        message=f"The admin key is of {found.organization}, and the key was registered in "
        f"{wanted}.",
        meant=wanted,
        observed=found.organization,
    )


def _judged(meant: Intended, found: Registered, intent: Intent) -> Status:
    if found.record is None and not meant.registers:
        return judge_handed_over(found.place, intent, found.listed, None)
    return judge(
        found.place, found.record, found.key, found.projects, None, registered=found.listed
    )


def _of_status(status: Status, found: Registered) -> Iterator[Difference]:
    for each in status.found:
        if each.topic not in _CHECK_OF:
            continue
        fate = found.fates.get(each.subject, "") if each.topic is Topic.PROJECTS else ""
        yield Difference(
            check=_CHECK_OF[each.topic],
            subject=each.subject,
            message=each.text + _FATES.get(fate, ""),
            meant=each.wanted,
            observed={"state": fate} if fate else each.found,
        )


def _record_against_intended(meant: Intended, found: Registered) -> Iterator[Difference]:
    """Yield where the record tells of another role, key or external id than was meant."""
    if found.record is None:
        return
    registration = meant.snapshot.registration
    for member in ("role_arn", "kms_arn", "external_id"):
        wanted, there = getattr(registration, member), getattr(found.record.intent, member)
        if wanted != there:
            yield Difference(
                check="record",
                subject=member,
                message=f"{member}: the record has {there!r}, and {wanted!r} was meant.",
                meant=wanted,
                observed=there,
            )


def _lookalikes(
    meant: Intended, found: Registered, intent: Intent, names: set[str]
) -> Iterator[Difference]:
    """Yield other registrations of the role or the key: what they use is cut off with them.

    Args:
        meant: What was meant.
        found: What the record and OpenAI have.
        intent: What there is to register.
        names: ARNs by which the key can be registered, its aliases' among them.
    """
    own = found.record.external_key_id if found.record is not None else None
    for each in found.listed:
        same = [
            name
            for name, is_same in (
                ("role", each.role_arn == intent.role_arn),
                ("key", each.kms_arn in {intent.kms_arn, *names}),
            )
            if is_same
        ]
        if each.id == own or not same or _status_tells(each, meant, found, intent):
            continue
        yield Difference(
            check="duplicates",
            subject=each.id,
            message=f"{each.id} ({each.name!r}, {len(each.api_project_ids)} projects) is another "
            f"registration of the same {' and '.join(same)}.",
            observed={"id": each.id, "role_arn": each.role_arn, "kms_arn": each.kms_arn},
        )


def _status_tells(each: ExternalKey, meant: Intended, found: Registered, intent: Intent) -> bool:
    """Return whether a registration is told as a twin, or as one without a record."""
    if found.record is not None:
        return found.key is not None and matches(intent, each)
    if matches(intent, each):
        return True  # the one that `ekm register` adopts
    both = (each.role_arn, each.kms_arn) == (intent.role_arn, intent.kms_arn)
    return both and (bool(each.workspace_id) or not meant.registers)


def _without_key(found: Registered, exceptions: tuple[str, ...]) -> Iterator[Difference]:
    under_key = {project for key in found.listed for project in key.api_project_ids}
    for project in found.projects:
        if project.external_key_id or project.id in under_key:
            continue
        if project.id in exceptions or project.name in exceptions:
            continue
        yield Difference(
            check=PROJECT_KEYS,
            subject=project.id,
            message=f"The project {project.name or '(unnamed)'!r} ({project.id}) is active and "
            "under no key: OpenAI encrypts its data under a key of its own.",
            observed={"id": project.id, "name": project.name},
        )


def _workspace(meant: Intended, found: Registered, status: Status) -> Iterator[Difference]:
    """Yield a workspace on a registration for projects, and a workspace's that has none."""
    if found.record is not None and found.key is not None and found.key.workspace_id:
        yield Difference(
            check="workspace",
            subject=found.key.id,
            message=f"The registration {found.key.id} of the record is bound to the ChatGPT "
            f"workspace {found.key.workspace_id}: it was registered for API projects.",
            observed=found.key.workspace_id,
        )
    elif found.record is None and not meant.registers and status.key is None:
        yield Difference(
            check="workspace",
            subject="workspace",
            message="No workspace is seen to use the role and the key: OpenAI's list has no "
            "registration of them.",
            state=State.UNDECIDED,
            remedy="Ask your contact at OpenAI whether the workspace has the key, and accept it "
            "with --accept-undecided workspace=REASON.",
        )
