"""`ekm retire`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from openai_ekm.cli import inputs
from openai_ekm.cli.instances import Answer, answer_each
from openai_ekm.cli.options import AllOptions, IntentOptions, PlaceOptions
from openai_ekm.cli.session import Session, list_lag, parse_record_location
from openai_ekm.registration.intent import check_id
from openai_ekm.registration.retire import RetireRequest, retire
from openai_ekm.registration.retire_plan import retire_plan

if TYPE_CHECKING:
    from openai_ekm.registration.retire import Retired
    from openai_ekm.registration.retire_plan import RetirePlan

__all__ = ["Settings", "carry_out", "run"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Options of `ekm retire` that `ekm register --retire` has too."""

    confirm_archive: str | None
    delete_record: bool
    wait: int
    admin_key_from: str | None
    as_json: bool


@dataclass(frozen=True, kw_only=True)
class RetireOptions(PlaceOptions, AllOptions, IntentOptions, Settings):
    """Options of `ekm retire`."""

    only_plan: bool


def run(options: RetireOptions) -> int:
    """Run `ekm retire`."""
    if options.every and options.confirm_archive is not None:
        raise inputs.useless(
            "--confirm-archive",
            "--confirm-archive names one external key, and --all means every one.",
            "Retire what has active projects one by one with --module NAME; leave "
            "--confirm-archive (and the variable EKM_CONFIRM_ARCHIVE) out with --all.",
        )
    instances = inputs.gather_each(options)

    def retire_one(given: inputs.Given) -> Answer:
        if options.only_plan:
            return _planned(*_asked(given, options, wait=0))
        return _retired(*_asked(given, options, options.wait))

    return answer_each(instances, retire_one, as_json=options.as_json)


def carry_out(given: inputs.Given, settings: Settings) -> None:
    """Retire what was given, and print what came of it."""
    asked = _asked(given, settings, settings.wait)
    answer_each({None: given}, lambda _: _retired(*asked), as_json=settings.as_json)


def _retired(unwanted: RetireRequest, session: Session) -> Answer:
    """Retire, and say what came of it."""
    result = session.runner().run(retire(unwanted))
    document = {
        "result": result.how,
        "external_key_id": result.external_key_id,
        "archived_projects": list(result.archived),
        "record_place": unwanted.place,
        "record": result.record,
    }
    return Answer(document, _as_text(result, unwanted.place))


def _planned(unwanted: RetireRequest, session: Session) -> Answer:
    """Say what retiring would do; the exit code is what it would be refused with, or 0."""
    plan = session.runner().run(retire_plan(unwanted))
    document = {
        "external_key_id": plan.external_key_id,
        "record_place": unwanted.place,
        "steps": [
            {
                "step": step.step,
                "what": step.what,
                "irreversible": step.irreversible,
                "needs": step.needs,
            }
            for step in plan.steps
        ],
        "refusal": plan.refusal.as_json() if plan.refusal else None,
    }
    return Answer(document, _plan_as_text(plan), plan.refusal.exit_code if plan.refusal else 0)


def _asked(given: inputs.Given, settings: Settings, wait: int) -> tuple[RetireRequest, Session]:
    """Return what is to be retired, and what to do it with."""
    intent = given.intent_if_any()
    place = parse_record_location(given.record)
    if settings.confirm_archive is not None:
        check_id(settings.confirm_archive, "--confirm-archive")
    account = intent.account if intent else None
    session = Session(place, admin_key_from=settings.admin_key_from, account=account)
    unwanted = RetireRequest(
        place=str(place),
        base_url=session.base_url,
        intent=intent,
        confirm=settings.confirm_archive,
        delete_record=settings.delete_record,
        wait=float(wait),
        list_lag=list_lag(),
    )
    return unwanted, session


def _plan_as_text(plan: RetirePlan) -> list[str]:
    lines = ["This is a plan; nothing was changed."]
    if plan.refusal:
        lines += [
            f"As asked for, it would be refused: {plan.refusal.message}",
            f"  {plan.refusal.remedy}",
        ]
        if plan.steps:
            lines.append("With that word given, it would:")
    for number, step in enumerate(plan.steps, 1):
        lines.append(f"  {number}. {step.what}")
        if step.irreversible:
            lines.append(f"     Irreversible: {step.irreversible}")
        if step.needs:
            lines.append(f"     Needs: {step.needs}")
    if not plan.steps and not plan.refusal:
        lines.append("There is nothing to retire.")
    lines.append(
        "The KMS key, its policy and the role are not part of it: keep them until nobody needs "
        "what was encrypted. A deleted KMS key takes all of that with it; docs/teardown.md."
    )
    return lines


def _as_text(result: Retired, place: str) -> list[str]:
    said = {
        "deleted": f"Deleted the registration {result.external_key_id} at OpenAI.",
        "gone": f"The registration {result.external_key_id} was gone already.",
        "nothing": "Nothing was registered.",
    }[result.how]
    lines = [said]
    lines += [f"  archived  {project}" for project in result.archived]
    lines.append(
        {
            "deleted": f"  record    {place} (deleted)",
            "retired": f"  record    {place} (says retired)",
        }.get(result.record, f"  record    {place} (none)")
    )
    lines.append(
        "Next: what was encrypted stays readable while the KMS key is usable; wait an hour for "
        "OpenAI's caches before you touch the key, and delete it last."
    )
    return lines
