"""Take over a registration that was made by hand or by another tool; never make one.

Sources: docs/registration.md#adoption, docs/reference/openai-api.md#external-keys
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.errors import Conflict
from openai_ekm.registration import matching
from openai_ekm.registration.intent import Intent
from openai_ekm.registration.protocol import CreateKey, CreateProject, ProtocolDriver, WriteRecord
from openai_ekm.registration.register import register

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from openai_ekm.openai_api.objects import ExternalKey, Project
    from openai_ekm.registration.protocol import Procedure
    from openai_ekm.registration.register import Registered, RegisterRequest

__all__ = ["adopt_key", "choose", "intent_of", "may_be", "project_names"]


def may_be(key: ExternalKey, *, asked: Mapping[str, str | None], adopt: str | None) -> bool:
    """Return whether a list shows that a registration has what was asked for. Pure."""
    return (
        key.type in {"aws", None}
        and key.purpose in {"ekm", None}
        and adopt in {None, key.id}
        and all(
            value is None or getattr(key, member) in {value, None}
            for member, value in asked.items()
        )
    )


def choose(
    keys: Iterable[ExternalKey], asked: Mapping[str, str | None], adopt: str | None
) -> ExternalKey:
    """Return the one AWS registration for EKM that has all that was asked for. Pure.

    Args:
        keys: Every registration of the organization.
        asked: `role_arn`, `kms_arn`, `external_id`, `name`; None where nothing was asked.
        adopt: The registration's id, where that was given.

    Raises:
        Conflict: None has it, or several have.
    """
    ours = [
        key
        for key in keys
        if may_be(key, asked={}, adopt=None)
        and all((key.role_arn, key.kms_arn, key.external_id, key.name))
    ]
    found = [key for key in ours if may_be(key, asked=asked, adopt=adopt)]
    if len(found) == 1:
        return found[0]
    wanted = {member: value for member, value in asked.items() if value is not None}
    terms = [f"{member} {value!r}" for member, value in wanted.items()]
    terms += [f"the id {adopt}"] if adopt else []
    said = " and ".join(terms) or "anything"
    if not found:
        raise Conflict(
            "nothing_to_adopt",
            f"OpenAI has no AWS registration for EKM with {said}; it has "
            f"{_list_matching(ours) or 'none at all'}.",
            at_fault="external_keys",
            remedy="Correct what was asked for, or name one with --external-key ID; to make a "
            "registration, use `ekm register`.",
        )
    raise Conflict(
        "several_matches",
        f"{len(found)} registrations have {said}: {_list_matching(found)}.",
        at_fault="external_keys",
        remedy="Say which one with --external-key ID; take the one whose projects hold your data.",
    )


def intent_of(key: ExternalKey) -> Intent:
    """Return the intent that a registration is of.

    Raises:
        BadInput: OpenAI has a member that this module would not accept.
    """
    return Intent(
        role_arn=key.role_arn or "",
        kms_arn=key.kms_arn or "",
        external_id=key.external_id or "",
        name=key.name or "",
    )


def project_names(key: ExternalKey, projects: Iterable[Project]) -> tuple[str, ...]:
    """Return names of the active projects on a registration, sorted.

    Raises:
        Conflict: Two have one name: which one is meant is for a person to say.
    """
    active = [project for project in projects if project.id in key.api_project_ids]
    names = sorted({project.name for project in active if project.name})
    for name in names:
        matching.choose_project(name, key.id, active, None)
    return tuple(names)


def adopt_key(wanted: RegisterRequest) -> Procedure[Registered]:
    """Run `register`, and stop it before it would make anything at OpenAI.

    Args:
        wanted: As for `register`; its registration and projects have been seen at OpenAI.

    Raises:
        Conflict: The registration or a project has gone since; nothing was made or recorded.
    """
    procedure = ProtocolDriver(register(wanted))
    for step in procedure:
        # A create is preceded by a record that names it; that is not written either.
        begun = isinstance(step, WriteRecord) and (
            step.record.external_key_id is None or step.record.creating is not None
        )
        if begun or isinstance(step, CreateKey | CreateProject):
            procedure.close()
            raise Conflict(
                "nothing_to_adopt",
                f"OpenAI no longer has the registration that {wanted.intent.name!r} was to adopt.",
                at_fault="external_keys",
                remedy="Look again with `ekm adopt`; to make what is missing, use `ekm register`.",
            )
        try:
            procedure.outcome = yield step
        except Exception as raised:  # noqa: BLE001 - `register` decides what it means
            procedure.failure = raised
    return procedure.result


def _list_matching(keys: Iterable[ExternalKey]) -> str:
    return ", ".join(
        f"{key.id} ({key.name!r}, {key.role_arn}, {key.kms_arn}, {key.external_id})"
        for key in sorted(keys, key=lambda key: key.id)
    )
