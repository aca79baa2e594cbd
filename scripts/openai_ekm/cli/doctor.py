"""`ekm doctor`: look at everything that a registration depends on, and change nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from openai_ekm.cli import inputs, render
from openai_ekm.cli.options import IdentifierOptions, PlaceOptions
from openai_ekm.cli.session import calls_per_minute, parse_record_location
from openai_ekm.doctor import CHECKS, Given, Line, State, examine, exit_code
from openai_ekm.errors import BadInput
from openai_ekm.openai_api.base_url import parse_base_url
from openai_ekm.openai_api.constants import DEFAULT_BASE_URL
from openai_ekm.registration import admin_key
from openai_ekm.registration.intent import check_external_id, check_kms_arn, check_role_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.openai_api.redaction import AdminKey
    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = ["run"]

_WORDS: Final = {
    State.OK: ("ok", "green"),
    State.WARNING: ("warning", "yellow"),
    State.FAILURE: ("FAILURE", "red"),
    State.NOT_SEEN: ("not seen", "cyan"),
}
_WIDTH: Final = max(len(each) for each in CHECKS)
# What Terraform says before the first apply, and where it cannot run: a line, and no end.
_UNAPPLIED: Final = "terraform_outputs_missing"
_UNREAD: Final = frozenset({"terraform_missing", "terraform_failed", "terraform_outputs_malformed"})


@dataclass(frozen=True, kw_only=True)
class DoctorOptions(PlaceOptions, IdentifierOptions):
    """Options of `ekm doctor`."""

    admin_key_from: str | None
    tasks: tuple[str, ...]
    as_json: bool


def run(options: DoctorOptions) -> int:
    """Run `ekm doctor`."""
    given = _given(options)
    with render.waiting("Looking at this machine, AWS and OpenAI"):
        lines = examine(given, render.progress)
    code = exit_code(lines)
    if options.as_json:
        checks = [line.as_json(CHECKS[line.id].group, CHECKS[line.id].title) for line in lines]
        render.document({"holds": code == 0, "checks": checks})
    else:
        render.result(*_text(lines))
    return code


def _given(options: DoctorOptions) -> Given:
    """Return what is named.

    Raises:
        BadInput: A value is malformed, or an instance must be chosen.
    """
    # Before anything starts a child: none inherits the admin key.
    secret = inputs.secret_variable(admin_key.VARIABLE)
    unread, members = _members(options)
    if members.role_arn is not None:
        check_role_arn(members.role_arn)
    if members.kms_arn is not None:
        check_kms_arn(members.kms_arn)
    if members.external_id is not None:
        check_external_id(members.external_id)
    if options.admin_key_from is not None:
        admin_key.check_reference(options.admin_key_from)
    place = None if members.record is None else parse_record_location(members.record)
    base_url = parse_base_url(inputs.text_variable("OPENAI_BASE_URL") or DEFAULT_BASE_URL)
    folder = options.from_terraform
    return Given(
        role_arn=members.role_arn,
        kms_arn=members.kms_arn,
        external_id=members.external_id,
        record=None if place is None else (place.kind, place.path),
        unread=None if unread is not None and unread.id == _UNAPPLIED else unread,
        unapplied=unread is not None and unread.id == _UNAPPLIED,
        folder=Path("." if folder in {None, "-"} else str(folder)),
        base_url=base_url,
        admin_key=_admin_key(secret) if options.admin_key_from is None else None,
        admin_key_from=options.admin_key_from,
        certificate=_certificate(),
        calls_per_minute=calls_per_minute(),
        tasks=frozenset(options.tasks),
    )


def _members(options: DoctorOptions) -> tuple[BadInput | None, inputs.Given]:
    """Return what is named; without Terraform's outputs where they cannot be read."""
    try:
        return None, inputs.gather(options)
    except BadInput as error:
        if error.id not in _UNREAD | {_UNAPPLIED}:
            raise
        return error, inputs.gather(replace(options, from_terraform=None, module=None))


def _admin_key(secret: str | None) -> AdminKey | BadInput | None:
    if secret is None:
        return None
    try:
        return admin_key.from_environment(secret)
    except BadInput as error:
        return error


def _certificate() -> ClientCertificate | BadInput | None:
    try:
        return inputs.client_certificate()
    except BadInput as error:
        return error


def _text(lines: tuple[Line, ...]) -> Iterator[render.Line]:
    """Yield the lines for people: the answer, the check, what was found, and the remedy."""
    for line in lines:
        word, colour = _WORDS[line.state]
        blanks = " " * (len("not seen") - len(word))
        yield render.Styled(word, colour), f"{blanks}  {line.id:<{_WIDTH}}  {line.found}"
        if line.remedy is not None and line.state is not State.OK:
            yield f"{'':10}remedy: {line.remedy}"
    counts = Counter(line.state for line in lines)
    yield ""
    yield ", ".join(f"{counts[state]} {_WORDS[state][0]}" for state in State) + "."
