"""OpenAI's check of a key: judge the live documents, then make the calls.

LocalStack enforces no IAM, so its answer proves nothing. The check first judges the documents as
AWS would. If they allow the calls, it makes them: AssumeRole from OpenAI's account, Encrypt,
Decrypt.

Sources: docs/reference/openai-api.md#calls-in-aws, docs/reference/openai-api.md#denials
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from openai_ekm.arns import region_of
from openai_ekm.aws_answers import check_answer
from openai_ekm.diagnosis import AwsError, Outcome, judge, judge_assume_role, judge_use
from openai_ekm.emulator.errors import ApiError, server_error
from openai_ekm.errors import NotReachable
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.snapshot import Calls, Snapshot
from openai_ekm.snapshot.aws import SessionFactory, collect

if TYPE_CHECKING:
    from collections.abc import Callable

    from openai_ekm.emulator.iam_propagation import IamPropagation
    from openai_ekm.emulator.settings import Settings
    from openai_ekm.emulator.store import ExternalKeyRow

__all__ = ["Accounts", "AwsCheck"]

DEK_BYTES: Final = 32
# The probe that must be refused, as OpenAI makes it for a bucket. Source:
# docs/reference/openai-api.md#chatgpt-workspaces-and-other-objects
PROBE_EXTERNAL_ID: Final = "proj_smoketest-verifier"
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


@dataclass(slots=True)
class _Session:
    """A session in the customer's role that is kept for a while."""

    credentials: dict[str, Any]
    until: float


class AwsCheck:
    """The customer's AWS, as OpenAI's service meets it.

    Args:
        accounts: Clients by account.
        settling: What is visible of a change to IAM.
        clock: Returns Unix seconds.
        monotonic: Returns seconds that never jump, for sessions that are kept.
    """

    def __init__(
        self,
        accounts: Accounts,
        settling: IamPropagation,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._settling = settling
        self._clock = clock
        self._monotonic = monotonic
        self._sessions: dict[tuple[str, str], _Session] = {}

    def check(self, row: ExternalKeyRow, settings: Settings) -> None:
        """Prove that the key can be used.

        Args:
            row: The registration.
            settings: How OpenAI's calls look, and how a refusal is worded.

        Raises:
            ApiError: The cloud's refusal in OpenAI's envelope; 503 when the cloud does not answer.
        """
        try:
            self._check(row, settings)
        except _Refused as refused:
            raise _as_openai(refused.error, settings) from refused
        except (NotReachable, BotoCoreError) as failure:
            raise server_error(503) from failure

    def _check(self, row: ExternalKeyRow, settings: Settings) -> None:
        factory: SessionFactory = self._accounts
        snapshot = self._settling.visible(collect(row, factory))
        snapshot = replace(snapshot, calls=self._calls(settings))
        kept = self._cached_session(row, settings)
        name = settings.session_name
        # A session that is kept needs no trust policy any more.
        diagnosis = (
            judge_use(snapshot, session_name=name) if kept else judge(snapshot, session_name=name)
        )
        if diagnosis.error is not None and not _only_decrypt(diagnosis.outcome, settings):
            raise _Refused(diagnosis.error)
        if settings.negative_probes:
            _probe(snapshot, name)
        region = region_of(row.kms_arn)
        credentials = kept or self._assume_role(row, settings, region)
        self._use(row, settings, self._accounts.client_of(credentials, "kms", region))

    def _calls(self, settings: Settings) -> Calls:
        return Calls(
            source_ip=settings.source_ip or None,
            encryption_context=settings.encryption_context,
            time=datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def _cached_session(self, row: ExternalKeyRow, settings: Settings) -> dict[str, Any] | None:
        kept = self._sessions.get((row.role_arn, row.external_id))
        if not settings.session_cache_seconds or kept is None or kept.until <= self._monotonic():
            return None
        return kept.credentials

    def _assume_role(self, row: ExternalKeyRow, settings: Settings, region: str) -> dict[str, Any]:
        sts = self._accounts.client(OPENAI_ACCOUNT, "sts", settings.sts_region or region)
        with _refusals("AssumeRole"):
            credentials: dict[str, Any] = sts.assume_role(
                RoleArn=row.role_arn,
                RoleSessionName=settings.session_name,
                ExternalId=row.external_id,
                DurationSeconds=settings.session_duration_seconds,
            )["Credentials"]
        until = self._monotonic() + settings.session_cache_seconds
        self._sessions[row.role_arn, row.external_id] = _Session(credentials, until)
        return credentials

    def _use(self, row: ExternalKeyRow, settings: Settings, kms: Any) -> None:
        """Encrypt a fresh data key and decrypt it again."""
        data_key = os.urandom(DEK_BYTES)
        context = {"EncryptionContext": settings.encryption_context}
        with _refusals("Encrypt"):
            encrypted = kms.encrypt(KeyId=row.kms_arn, Plaintext=data_key, **context)
        if not settings.tries_decrypt:
            return
        with _refusals("Decrypt"):
            decrypted = kms.decrypt(
                KeyId=row.kms_arn, CiphertextBlob=encrypted["CiphertextBlob"], **context
            )
        if decrypted["Plaintext"] != data_key:
            message = "The plaintext that came back is not the one that was encrypted."
            raise _Refused(AwsError("Decrypt", "InvalidCiphertextException", message))


class _Refused(Exception):
    """AWS, or our judgement in its place, refused."""

    def __init__(self, error: AwsError) -> None:
        super().__init__(error.message)
        self.error = error


class _refusals:  # noqa: N801 - reads as the block it opens
    """Turn AWS's own refusals into ours."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            answer = error.response.get("Error", {})
            code, message = str(answer.get("Code")), str(answer.get("Message"))
            raise _Refused(AwsError(self._operation, code, message)) from error


def _only_decrypt(outcome: Outcome, settings: Settings) -> bool:
    """Return whether what is refused is Decrypt, and the check does not try it."""
    return outcome is Outcome.DECRYPT_DENIED and not settings.tries_decrypt


def _probe(snapshot: Snapshot, session_name: str) -> None:
    """Expect a refusal without an external id, and with a wrong one."""
    for external_id in (None, PROBE_EXTERNAL_ID):
        found = judge_assume_role(snapshot, session_name=session_name, external_id=external_id)
        if found.outcome is Outcome.OK:
            sent = "without an external id" if external_id is None else "with a wrong external id"
            raise _Refused(
                AwsError(
                    "AssumeRole",
                    "ExternalIdNotRequired",
                    f"The role {snapshot.registration.role_arn} can be assumed {sent}. Its trust "
                    "policy must require the registered one.",
                )
            )


def _as_openai(error: AwsError, settings: Settings) -> ApiError:
    """Put AWS's words into OpenAI's envelope."""
    prefix = f"An error occurred ({error.code}) when calling the {error.operation} operation: "
    return ApiError(
        settings.cloud_refusal_status,
        f"{prefix if settings.cloud_refusal_prefix else ''}{error.message}",
        code=settings.cloud_refusal_code,
    )
