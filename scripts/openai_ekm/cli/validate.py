"""`ekm validate`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openai_ekm.cli import inputs, render
from openai_ekm.cli.instances import Answer, answer_each
from openai_ekm.cli.options import AllOptions, PlaceOptions
from openai_ekm.cli.session import Session, make_denial_explainer, parse_record_location
from openai_ekm.errors import BadInput, OpenAIRefused
from openai_ekm.registration.intent import check_id

__all__ = ["run"]


@dataclass(frozen=True, kw_only=True)
class ValidateOptions(PlaceOptions, AllOptions):
    """Options of `ekm validate`."""

    external_key: str | None
    admin_key_from: str | None
    as_json: bool


def run(options: ValidateOptions) -> int:
    """Run `ekm validate`."""
    if options.external_key is not None:
        check_id(options.external_key, "--external-key")
        if options.every or options.module is not None:
            option = "--all" if options.every else "--module"
            raise inputs.useless_beside(option, "--external-key, which names one registration")
        given = inputs.gather(replace(options, from_terraform=None))
        session = Session(None, admin_key_from=options.admin_key_from)
        alone = _validate(session, options.external_key)
        return answer_each({None: given}, lambda _: alone, as_json=options.as_json)
    instances = inputs.gather_each(options)

    def validate_recorded(given: inputs.Given) -> Answer:
        place = parse_record_location(given.record)
        session = Session(place, admin_key_from=options.admin_key_from, account=given.account())
        return _validate(session, recorded_id(session))

    return answer_each(instances, validate_recorded, as_json=options.as_json)


def _validate(session: Session, found: str) -> Answer:
    render.progress("Asking OpenAI to use the key.")
    try:
        session.api().validate_external_key(found)
    except OpenAIRefused as refusal:
        explain(session, refusal)
        raise
    return Answer(
        {"status": "success", "external_key_id": found},
        [f"OpenAI can use the key now: {found} validates."],
    )


def explain(session: Session, refusal: OpenAIRefused) -> None:
    """End a refusal with the diagnosis, where AWS may be asked and the record says about what."""
    record = session.store.read() if session.store is not None and session.may_ask_aws else None
    if record is None:
        return
    explanation = make_denial_explainer(session.aws_session())(record.intent)
    if explanation is not None:
        if refusal.id != "aws_key_unusable":  # of a key's state AWS's own words say it all
            refusal.message = f"{refusal.message} ({explanation.message})"
        refusal.at_fault = explanation.at_fault or refusal.at_fault
        refusal.remedy = explanation.remedy or refusal.remedy


def recorded_id(session: Session) -> str:
    """Return the external key's id in the record.

    Raises:
        BadInput: No record, or none with a live registration.
    """
    assert session.store is not None  # nosec B101 # narrows the type
    record = session.store.read()
    if record is None or record.live_id is None:
        state = "There is no record" if record is None else f"The record says {record.state.value}"
        raise BadInput(
            "nothing_registered",
            f"{state} at {session.place}: no registration to ask about.",
            at_fault="--record",
            remedy="If it is registered, name the record, the Region (--region) and the account "
            "(--profile) that it is in, or give --external-key extkey_…. Else register first: "
            "`ekm register`.",
        )
    return record.live_id
