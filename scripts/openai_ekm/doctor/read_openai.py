"""Ask OpenAI what a registration needs, by calls that only read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from openai_ekm.doctor.facts import OpenAI
from openai_ekm.errors import EkmError
from openai_ekm.openai import OPENAI_ID, PROJECT_PREFIX
from openai_ekm.openai_api import transport
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.pacing import WindowPacer
from openai_ekm.registration import admin_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import boto3

    from openai_ekm.doctor.facts import Given
    from openai_ekm.openai_api.redaction import AdminKey

__all__ = ["find_admin_key", "make_api", "read_openai"]

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
