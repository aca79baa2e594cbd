"""Keep secrets out of lines: whatever an error quotes, no secret of this run is shown."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from openai_ekm.openai_api.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    import boto3

    from openai_ekm.doctor.checks import Line

__all__ = ["hide_secrets", "secrets_of"]

_HIDDEN: Final = "[hidden]"
_SHORTEST: Final = 4  # characters; a shorter text stands in many words
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def secrets_of(session: boto3.Session | None) -> set[str]:
    """Return the secrets that this run knows: of AWS, and passwords of proxies.

    Args:
        session: Whose credentials were read already; None where there are none.
    """
    found: set[str] = set()
    credentials = session.get_credentials() if session is not None else None
    if credentials is not None:
        frozen = credentials.get_frozen_credentials()
        found |= {str(each) for each in (frozen.secret_key, frozen.token) if each}
    for name in _PROXIES:
        for value in (os.environ.get(name), os.environ.get(name.lower())):
            user, at, _ = (value or "").rpartition("@")
            if at:
                password = user.rpartition("//")[2].partition(":")[2]
                found |= {password, unquote(password)}
    return {each for each in found if len(each) >= _SHORTEST}


def hide_secrets(lines: Iterable[Line], secrets: Iterable[str]) -> tuple[Line, ...]:
    """Return lines that show no secret.

    Args:
        lines: As judged.
        secrets: Texts that must not be shown; admin keys are hidden in any case.
    """
    longest_first = sorted(secrets, key=len, reverse=True)

    def hidden(text: str) -> str:
        for secret in longest_first:
            text = text.replace(secret, _HIDDEN)
        return redact(text)

    return tuple(
        replace(
            line,
            found=hidden(line.found),
            remedy=None if line.remedy is None else hidden(line.remedy),
        )
        for line in lines
    )
