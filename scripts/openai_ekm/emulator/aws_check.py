"""OpenAI's check of a key: judge the live documents, then make the calls.

LocalStack enforces no IAM, so its answer proves nothing. The check first judges the documents as
AWS would. It makes the calls that they allow, and no call after one that they do not: AssumeRole
from OpenAI's account, Encrypt, Decrypt. A trail takes what CloudTrail would record of them.

Sources: docs/reference/openai-api.md#calls-in-aws, docs/reference/openai-api.md#denials
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from openai_ekm.arns import region_of
from openai_ekm.diagnosis import AwsError, Outcome, judge_assume_role, judge_use
from openai_ekm.emulator.errors import ApiError, server_error
from openai_ekm.emulator.trail import Assumption, KeyUse, Origin, RoleSession, Trail, new_id
from openai_ekm.errors import NotReachable
from openai_ekm.openai import OPENAI_ACCOUNT
from openai_ekm.openai_calls.requests import role_session_arn
from openai_ekm.snapshot import Calls, Snapshot
from openai_ekm.snapshot.aws import SessionFactory, collect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from openai_ekm.emulator.accounts import Accounts
    from openai_ekm.emulator.iam_propagation import IamPropagation
    from openai_ekm.emulator.settings import Settings
    from openai_ekm.emulator.store import ExternalKeyRow
    from openai_ekm.snapshot import Registration

__all__ = ["AwsCheck"]

DEK_BYTES: Final = 32
# The probe that must be refused, as OpenAI makes it for a bucket. Source:
# docs/reference/openai-api.md#chatgpt-workspaces-and-other-objects
PROBE_EXTERNAL_ID: Final = "proj_smoketest-verifier"
# Where OpenAI's calls come from is not public. AWS's examples have this address.
UNKNOWN_SOURCE_IP: Final = "192.0.2.0"
# A value that is no ARN reaches no endpoint, and AWS saves no malformed policy.
_NEVER_CALLED: Final = frozenset({Outcome.INVALID_ARN, Outcome.POLICY_MALFORMED})


@dataclass(slots=True)
class _Session:
    """A session in the customer's role that is kept for a while."""

    credentials: dict[str, Any]
    until: float
    session: RoleSession


@dataclass(slots=True)
class _Calls:
    """The calls of one check.

    Args:
        snapshot: What was collected.
        settings: How the calls look.
        made: The calls that AWS would record, in their order.
    """

    snapshot: Snapshot
    settings: Settings
    made: list[Assumption | KeyUse] = field(default_factory=list)

    @property
    def row(self) -> Registration:
        """Return the registration."""
        return self.snapshot.registration

    @property
    def region(self) -> str:
        """Return the Region of the key."""
        return region_of(self.row.kms_arn)

    def origin(self, region: str, answer: Mapping[str, Any]) -> Origin:
        """Return where a call came from, that AWS answered just now.

        Args:
            region: Of the endpoint.
            answer: AWS's, or nothing where it was judged.
        """
        request_id = answer.get("ResponseMetadata", {}).get("RequestId")
        return Origin(
            at=time.time(),
            region=region,
            request_id=request_id or new_id(),
            source_ip=self.settings.source_ip or UNKNOWN_SOURCE_IP,
            user_agent=self.settings.user_agent,
        )

    def use(
        self,
        operation: str,
        session: _Session,
        denied: AwsError | None,
        call: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:
        """Use the key, unless the judgement is that AWS refuses it.

        Args:
            operation: `Encrypt` or `Decrypt`.
            session: Who calls.
            denied: What AWS answers to one of the two, as judged.
            call: Makes the call.

        Returns:
            AWS's answer.

        Raises:
            _Refused: AWS refuses, or our judgement in its place.
        """
        error, answer = denied, {}
        if denied is None or denied.operation != operation:
            try:
                error, answer = None, call()
            except ClientError as failure:
                error, answer = _error(operation, failure), dict(failure.response)
        key = self.snapshot.registered_key
        self.made.append(
            KeyUse(
                origin=self.origin(self.region, answer),
                session=session.session,
                operation=operation,
                kms_arn=self.row.kms_arn,
                key_arn=None if key is None else key.arn,
                encryption_context=self.settings.encryption_context,
                error=error,
                denial_names_key=self.settings.trail_denial_names_key,
            )
        )
        _refuse(error)
        return answer


class AwsCheck:
    """The customer's AWS, as OpenAI's service meets it.

    Args:
        accounts: Clients by account.
        settling: What is visible of a change to IAM.
        trail: Takes what AWS would record of the calls; nothing does when absent.
    """

    def __init__(
        self, accounts: Accounts, settling: IamPropagation, *, trail: Trail | None = None
    ) -> None:
        self._accounts = accounts
        self._settling = settling
        self._trail = trail or Trail(time.time)
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
        if kept is None:
            _refuse(judge_assume_role(snapshot, session_name=name).error)
        judged = judge_use(snapshot, session_name=name)
        if judged.outcome in _NEVER_CALLED:
            _refuse(judged.error)
        denied = None if _only_decrypt(judged.outcome, settings) else judged.error
        calls = _Calls(snapshot, settings)
        try:
            if settings.negative_probes and denied is None:
                self._probe(calls)
            session = kept or self._assume_role(calls, row.external_id)
            self._use(calls, session, denied)
        finally:
            self._trail.deliver(calls.made)

    def _calls(self, settings: Settings) -> Calls:
        return Calls(
            source_ip=settings.source_ip or None,
            encryption_context=settings.encryption_context,
            time=datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )

    def _cached_session(self, row: ExternalKeyRow, settings: Settings) -> _Session | None:
        kept = self._sessions.get((row.role_arn, row.external_id))
        if not settings.session_cache_seconds or kept is None or kept.until <= time.monotonic():
            return None
        return kept

    def _probe(self, calls: _Calls) -> None:
        """Expect a refusal without an external id, and with a wrong one."""
        for external_id in (None, PROBE_EXTERNAL_ID):
            found = judge_assume_role(
                calls.snapshot, session_name=calls.settings.session_name, external_id=external_id
            )
            if found.outcome is not Outcome.OK:
                continue
            self._assume_role(calls, external_id)
            sent = "without an external id" if external_id is None else "with a wrong external id"
            _refuse(
                AwsError(
                    "AssumeRole",
                    "ExternalIdNotRequired",
                    f"The role {calls.row.role_arn} can be assumed {sent}. Its trust "
                    "policy must require the registered one.",
                )
            )

    def _assume_role(self, calls: _Calls, external_id: str | None) -> _Session:
        settings, row = calls.settings, calls.row
        region = settings.sts_region or calls.region
        sts = self._accounts.client(OPENAI_ACCOUNT, "sts", region)
        sent = {} if external_id is None else {"ExternalId": external_id}
        try:
            answer = sts.assume_role(
                RoleArn=row.role_arn,
                RoleSessionName=settings.session_name,
                DurationSeconds=settings.session_duration_seconds,
                **sent,
            )
        except ClientError as failure:
            raise _Refused(_error("AssumeRole", failure)) from failure
        made = _Session(
            answer["Credentials"],
            time.monotonic() + settings.session_cache_seconds,
            RoleSession(
                role_arn=row.role_arn,
                arn=role_session_arn(row.role_arn, settings.session_name),
                principal_id=answer["AssumedRoleUser"]["AssumedRoleId"],
                access_key_id=answer["Credentials"]["AccessKeyId"],
                began=time.time(),
            ),
        )
        calls.made.append(
            Assumption(
                origin=calls.origin(region, answer),
                session=made.session,
                external_id=external_id,
                duration_seconds=settings.session_duration_seconds,
                ends=answer["Credentials"]["Expiration"].timestamp(),
            )
        )
        if external_id == row.external_id:
            self._sessions[row.role_arn, row.external_id] = made
        return made

    def _use(self, calls: _Calls, session: _Session, denied: AwsError | None) -> None:
        """Encrypt a fresh data key and decrypt it again.

        Args:
            calls: What is called, and what was.
            session: Who calls.
            denied: What AWS answers to one of the two, as judged.
        """
        kms = self._accounts.client_of(session.credentials, "kms", calls.region)
        sent = {"KeyId": calls.row.kms_arn, "EncryptionContext": calls.settings.encryption_context}
        data_key = os.urandom(DEK_BYTES)
        encrypted = calls.use(
            "Encrypt", session, denied, lambda: kms.encrypt(Plaintext=data_key, **sent)
        )
        if not calls.settings.tries_decrypt:
            return
        blob = encrypted["CiphertextBlob"]
        decrypted = calls.use(
            "Decrypt", session, denied, lambda: kms.decrypt(CiphertextBlob=blob, **sent)
        )
        if decrypted["Plaintext"] != data_key:
            message = "The plaintext that came back is not the one that was encrypted."
            _refuse(AwsError("Decrypt", "InvalidCiphertextException", message))


class _Refused(Exception):
    """AWS, or our judgement in its place, refused."""

    def __init__(self, error: AwsError) -> None:
        super().__init__(error.message)
        self.error = error


def _refuse(error: AwsError | None) -> None:
    """Raise an error, where there is one."""
    if error is not None:
        raise _Refused(error)


def _error(operation: str, failure: ClientError) -> AwsError:
    """Return AWS's own refusal as ours."""
    answer = failure.response.get("Error", {})
    return AwsError(operation, str(answer.get("Code")), str(answer.get("Message")))


def _only_decrypt(outcome: Outcome, settings: Settings) -> bool:
    """Return whether what is refused is Decrypt, and the check does not try it."""
    return outcome is Outcome.DECRYPT_DENIED and not settings.tries_decrypt


def _as_openai(error: AwsError, settings: Settings) -> ApiError:
    """Put AWS's words into OpenAI's envelope."""
    prefix = f"An error occurred ({error.code}) when calling the {error.operation} operation: "
    return ApiError(
        settings.cloud_refusal_status,
        f"{prefix if settings.cloud_refusal_prefix else ''}{error.message}",
        code=settings.cloud_refusal_code,
    )
