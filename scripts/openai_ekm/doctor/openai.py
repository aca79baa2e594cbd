"""OpenAI's side: admin key, client certificate, address, organization, feature, scopes.

OpenAI refuses for one reason at a time. The check of that reason fails, and the checks of what
OpenAI looks at later are not seen.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from openai_ekm.doctor.checks import Line, State, failed, unseen
from openai_ekm.doctor.facts import OpenAI
from openai_ekm.errors import EkmError
from openai_ekm.openai import OPENAI_ID, ORGANIZATION_PREFIX, PROJECT_PREFIX
from openai_ekm.openai_api import Kind, kind_of, transport
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.pacing import WindowPacer
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY
from openai_ekm.registration import admin_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.doctor.facts import Given
    from openai_ekm.openai_api.redaction import AdminKey

__all__ = ["check_openai", "find_admin_key", "make_api", "read_openai"]

T = TypeVar("T")


def find_admin_key(
    given: Given, session: boto3.Session | EkmError | None
) -> AdminKey | EkmError | None:
    """Return the admin key, or why there is none; None when none was given.

    Args:
        given: Where it is.
        session: To read it in AWS; None where AWS cannot be asked.
    """
    if given.admin_key_from is None or session is None:
        return given.admin_key
    if isinstance(session, EkmError):
        return session
    return _attempt(lambda: admin_key.from_reference(given.admin_key_from or "", session))


def make_api(given: Given, key: AdminKey, progress: Callable[[str], None]) -> AdminApi:
    """Return OpenAI's Admin API, at the pace that all processes of the user share.

    Args:
        given: Where it is, and the certificate that is shown to it.
        key: The admin key.
        progress: Takes a line when a call is repeated.
    """
    certificate = None if isinstance(given.certificate, EkmError) else given.certificate
    sender = transport.RequestsTransport(given.base_url, key, certificate=certificate)
    if not given.calls_per_minute:
        return AdminApi(sender, progress=progress)
    pacer = WindowPacer(given.calls_per_minute, given.base_url, sleep=time.sleep, progress=progress)
    return AdminApi(sender, pacer=pacer, progress=progress)


def read_openai(api: AdminApi, external_id: str | None) -> OpenAI:
    """Ask for one registration, one project, and the project that is the external id.

    Args:
        api: OpenAI's Admin API.
        external_id: What is named.
    """
    keys = _attempt(api.try_external_keys)
    projects = _attempt(api.try_projects)
    project: bool | EkmError | None = None
    if external_id is not None and external_id.startswith(PROJECT_PREFIX) and projects is None:
        is_id = OPENAI_ID.fullmatch(external_id) is not None
        project = _attempt(lambda: api.has_project(external_id)) if is_id else False
    return OpenAI(keys, projects, api.organization, project)


def _attempt(ask: Callable[[], T]) -> T | EkmError:
    try:
        return ask()
    except EkmError as error:
        return error


# The check whose failure a refusal is; every other kind is one of the admin key's.
_OWNERS: Final = {
    Kind.CERTIFICATE_NEEDED: "openai_certificate",
    Kind.IP_NOT_ALLOWED: "openai_address",
    Kind.FEATURE_OFF: "openai_feature",
    Kind.SCOPE_MISSING: "openai_read_scopes",
}
# In the order in which OpenAI looks.
_CHECKS: Final = (
    "openai_admin_key",
    "openai_certificate",
    "openai_address",
    "openai_organization",
    "openai_feature",
    "openai_read_scopes",
    "openai_write_scopes",
)
_WRITE: Final = "api.external_keys.write and api.management.write"


def check_openai(
    answer: OpenAI | None, key: EkmError | None, blocked: str | None, given: Given
) -> list[Line]:
    """Judge what OpenAI answered.

    Args:
        answer: What it said; None when it was not asked.
        key: Why there is no admin key; None when there is one, or none was given.
        blocked: Why OpenAI was not asked.
        given: What is named.
    """
    if answer is None:
        return _not_asked(key, blocked or "OpenAI was not asked.", given)
    failing = {
        _owner(error): error for error in (answer.projects, answer.keys) if error is not None
    }
    passed = {
        "openai_admin_key": "OpenAI accepts the admin key.",
        "openai_certificate": _shown(given),
        "openai_address": "OpenAI takes calls from this address.",
    }
    lines: list[Line] = []
    for check, words in passed.items():
        if check in failing:
            stop = f"OpenAI refuses the call before it looks at this ({check})."
            later = _CHECKS[len(lines) + 1 :]
            return [*lines, failed(check, failing[check]), *(unseen(each, stop) for each in later)]
        lines.append(Line(check, State.OK, words))
    return [
        *lines,
        _organization(answer, given),
        _feature(answer),
        _read_scopes(answer),
        _write_scopes(),
    ]


def _owner(error: EkmError) -> str:
    if error.remedy == CERTIFICATE_REMEDY:  # a TLS alert: there is no HTTP answer to read
        return "openai_certificate"
    kind = kind_of(error)
    return _OWNERS.get(kind, "openai_admin_key") if kind is not None else "openai_admin_key"


def _not_asked(key: EkmError | None, blocked: str, given: Given) -> list[Line]:
    lines = []
    if key is not None:
        lines.append(failed("openai_admin_key", key))
    elif given.admin_key is None and given.admin_key_from is None:
        blocked = "There is no admin key (openai_admin_key)."
        lines.append(
            Line(
                "openai_admin_key",
                State.WARNING,
                "No admin key is set, so nothing was asked of OpenAI.",
                "Set OPENAI_ADMIN_KEY, or name it with --admin-key-from. A ChatGPT Enterprise "
                "workspace needs none.",
            )
        )
    else:
        lines.append(unseen("openai_admin_key", blocked))
    if key is not None:
        blocked = "There is no usable admin key (openai_admin_key)."
    certificate = given.certificate
    if isinstance(certificate, EkmError):
        lines.append(failed("openai_certificate", certificate))
    else:
        lines.append(unseen("openai_certificate", blocked))
    return [*lines, *(unseen(each, blocked) for each in _CHECKS[2:])]


def _shown(given: Given) -> str:
    if given.certificate is None:
        return "OpenAI asks for no client certificate."
    return "OpenAI takes the call that shows the client certificate."


def _organization(answer: OpenAI, given: Given) -> Line:
    check, wanted, found = "openai_organization", given.external_id, answer.organization
    of_key = f"The admin key is of {found}" if found else "OpenAI does not name the organization"
    if wanted is None:
        why = f"{of_key}; no external id is named to compare with."
        return unseen(check, why, "Give --external-id, or --from-terraform DIR.")
    if wanted.startswith(PROJECT_PREFIX):
        return _project(answer, wanted, of_key)
    if found is None:
        return unseen(check, f"{of_key} in its answers.")
    if found != wanted and not (
        found.startswith(ORGANIZATION_PREFIX) and wanted.startswith(ORGANIZATION_PREFIX)
    ):
        return unseen(
            check,
            f"OpenAI calls the organization {found}, and the external id is {wanted}: both may "
            "mean the same, since OpenAI may answer with a name in place of the id.",
            "Compare with the id in the organization settings at OpenAI.",
        )
    if found != wanted:
        return Line(
            check,
            State.FAILURE,
            f"{of_key}, and the external id is {wanted}: it must be the id of that "
            "organization, or of a project of it.",
            f'Use an admin key of {wanted}, or apply with external_ids = ["{found}"].',
        )
    return Line(check, State.OK, f"{of_key}, and that is the external id.")


def _project(answer: OpenAI, wanted: str, of_key: str) -> Line:
    check = "openai_organization"
    if answer.project is True:
        return Line(check, State.OK, f"{of_key}, and the external id is its project {wanted}.")
    if answer.project is False:
        return Line(
            check,
            State.FAILURE,
            f"{of_key}, and it has no project {wanted}, which is the external id.",
            "Use an admin key of the organization that has the project, or another external id.",
        )
    return unseen(check, f"{of_key}; whether it has the project {wanted} was not seen.")


def _feature(answer: OpenAI) -> Line:
    check = "openai_feature"
    if answer.keys is None:
        return Line(check, State.OK, "OpenAI answers for external keys: the feature is enabled.")
    if kind_of(answer.keys) is Kind.FEATURE_OFF:
        return failed(check, answer.keys)
    return unseen(check, "The admin key may not list external keys (openai_read_scopes).")


def _read_scopes(answer: OpenAI) -> Line:
    check = "openai_read_scopes"
    lacking = next(
        (
            each
            for each in (answer.keys, answer.projects)
            if each is not None and kind_of(each) is Kind.SCOPE_MISSING
        ),
        None,
    )
    if lacking is not None:
        return failed(check, lacking)
    if answer.keys is not None:
        return unseen(
            check,
            "The admin key may list projects; external keys were not answered (openai_feature).",
        )
    return Line(check, State.OK, "The admin key may list external keys and projects.")


def _write_scopes() -> Line:
    return unseen(
        "openai_write_scopes",
        f"No call that changes nothing shows whether the admin key has {_WRITE}.",
        "Choose all four scopes when you make the admin key: scopes that are added later have "
        "been seen not to take effect.",
    )
