"""Connects to OpenAI's Admin API: transport, pace and the lists that processes share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from openai_ekm.openai_api import transport
from openai_ekm.openai_api.client import AdminApi
from openai_ekm.openai_api.pacing import WindowPacer, state_folder
from openai_ekm.openai_api.shared_lists import SharedLists, SharingApi

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.openai_api.redaction import AdminKey
    from openai_ekm.openai_api.tls import ClientCertificate

__all__ = ["connect"]


def connect(
    base_url: str,
    key: AdminKey,
    *,
    certificate: ClientCertificate | None,
    calls_per_minute: int,
    progress: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> AdminApi:
    """Return OpenAI's Admin API, paced, which shares its lists with other processes.

    Args:
        base_url: Where the API is.
        key: The admin key.
        certificate: The client certificate of an organization with mutual TLS.
        calls_per_minute: The pace of each endpoint; with 0 nothing is paced and nothing shared,
            as with an emulator, whose calls cost nothing.
        progress: Told of a wait.
        sleep: Waits for seconds.
    """
    sender = transport.RequestsTransport(base_url, key, certificate=certificate)
    if not calls_per_minute:
        return AdminApi(sender, sleep=sleep, progress=progress)
    pacer = WindowPacer(calls_per_minute, base_url, sleep=sleep, progress=progress)
    lists = SharedLists(base_url, key, state_folder(), sleep=sleep)
    return SharingApi(lists, sender, pacer=pacer, sleep=sleep, progress=progress)
