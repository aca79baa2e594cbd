"""AWS accounts behind one endpoint: the clients that the emulator calls LocalStack with."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config

from openai_ekm.aws_answers import check_answer

__all__ = ["Accounts"]

# LocalStack answers in milliseconds; a cloud that hangs must not hang the rehearsal.
_CONFIG: Final = Config(
    connect_timeout=30,
    read_timeout=60,
    retries={"total_max_attempts": 2, "mode": "standard"},
    proxies={},  # the endpoint is this machine's
)


class Accounts:
    """AWS accounts behind one endpoint: LocalStack takes the account from the access key id.

    Args:
        endpoint_url: The endpoint, always named: credentials that name an account belong
            nowhere else.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        # A profile of the user's has no part in a rehearsal.
        alone = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
        alone.register("before-parse", check_answer)
        self._session = boto3.Session(botocore_session=alone)
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str, str | None], Any] = {}

    def __call__(self, account: str) -> _Account:
        """Return a session for an account."""
        return _Account(self, account)

    def client(self, account: str, service: str, region: str | None) -> Any:
        """Return a client for an account; clients are kept, since making one is slow."""
        key = (account, service, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(service, region, account, "emulated", None)
            return self._clients[key]

    def client_of(self, credentials: dict[str, Any], service: str, region: str) -> Any:
        """Return a client for temporary credentials."""
        with self._lock:
            return self._make(
                service,
                region,
                credentials["AccessKeyId"],
                credentials["SecretAccessKey"],
                credentials["SessionToken"],
            )

    def _make(
        self, service: str, region: str | None, id: str, secret: str, token: str | None
    ) -> Any:
        return self._session.client(
            service,  # type: ignore[call-overload]  # its stubs want each name as a literal
            region_name=region,
            endpoint_url=self._endpoint_url,
            aws_access_key_id=id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=_CONFIG,
        )


@dataclass(frozen=True, slots=True)
class _Account:
    """A session for one account."""

    accounts: Accounts
    account: str

    def client(self, service_name: Any, region_name: str | None = None) -> Any:
        """Return a client."""
        return self.accounts.client(self.account, service_name, region_name)
