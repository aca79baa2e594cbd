"""AWS's own words for each refusal, with the right account, session, key and tail.

Sources: docs/reference/openai-api.md#denials, https://help.openai.com/en/articles/20000955,
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (the tails).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from openai_ekm.diagnosis.result import AwsError, Outcome
from openai_ekm.openai import OPENAI_SESSION_ARN
from openai_ekm.openai_calls.requests import ENCRYPTION_ALGORITHM
from openai_ekm.snapshot import UNSEEN, Key

if TYPE_CHECKING:
    from openai_ekm.evaluation import Decision

__all__ = [
    "assume_role_denied",
    "explicit_deny",
    "key_not_found",
    "malformed",
    "not_symmetric",
    "nothing_allows",
    "unusable_state",
    "use_denied",
]

_RESOURCE_TAIL: Final = (
    "on this resource because the resource does not exist in this Region, no resource-based "
    "policies allow access, or a resource-based policy explicitly denies access"
)
# Prefix of a document's name in a decision -> AWS's name for its kind.
_KINDS: Final = {
    "identity": "identity-based policy",
    "resource": "resource-based policy",
    "permissions_boundary": "permissions boundary",
    "session": "session policy",
    "scps": "service control policy",
    "rcps": "resource control policy",
}
_STATES: Final = {
    "PendingDeletion": (Outcome.KEY_PENDING_DELETION, "is pending deletion."),
    "PendingReplicaDeletion": (Outcome.KEY_PENDING_DELETION, "is pending replica deletion."),
    "PendingImport": (Outcome.KEY_PENDING_IMPORT, "is pending import."),
    "Creating": (Outcome.KEY_UNAVAILABLE, "is creating."),
    "Unavailable": (Outcome.KEY_UNAVAILABLE, "is unavailable."),
}


def assume_role_denied(role_arn: str) -> AwsError:
    """Word a refusal across accounts: AWS gives no reason, whatever the reason."""
    return AwsError(
        "AssumeRole",
        "AccessDenied",
        f"User: {OPENAI_SESSION_ARN} is not authorized to perform: sts:AssumeRole "
        f"on resource: {role_arn}",
    )


def use_denied(operation: str, session_arn: str, key_arn: str, *, tail: str) -> AwsError:
    """Word a refusal by KMS.

    Args:
        operation: `Encrypt` or `Decrypt`.
        session_arn: The caller.
        key_arn: The key's ARN.
        tail: `explicit_deny` or `nothing_allows`.
    """
    head = f"User: {session_arn} is not authorized to perform: kms:{operation}"
    return AwsError(operation, "AccessDeniedException", f"{head} {tail.format(key_arn=key_arn)}")


def explicit_deny(decision: Decision, *, same_account: bool) -> str:
    """Return the tail of a refusal by a Deny.

    Across accounts AWS does not say what the key policy holds.
    """
    kinds = [reference.document.split("[", 1)[0] for reference in decision.decided_by]
    kind = next((kind for kind in kinds if kind in _KINDS), "identity")
    if kind == "resource" and not same_account:
        return _RESOURCE_TAIL
    article = "an" if kind == "identity" else "a"
    return f"on resource: {{key_arn}} with an explicit deny in {article} {_KINDS[kind]}"


def nothing_allows(operation: str, kind: str) -> str:
    """Return the tail of a refusal because a kind of policy does not allow."""
    if kind == "resource":
        return _RESOURCE_TAIL
    return f"on resource: {{key_arn}} because no {_KINDS[kind]} allows the kms:{operation} action"


def key_not_found(kms_arn: str) -> AwsError:
    """Word the answer to a key or alias that is not there (in that Region)."""
    is_alias = ":alias/" in kms_arn
    message = f"Alias {kms_arn} is not found." if is_alias else f"Key '{kms_arn}' does not exist"
    return AwsError("Encrypt", "NotFoundException", message)


def unusable_state(key: Key) -> tuple[Outcome, AwsError] | None:
    """Return what a key state refuses, or `None` for one that can be used.

    A key in state `Updating` can encrypt and decrypt.

    Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    if key.state is UNSEEN or key.state in {"Enabled", "Updating"}:
        return None
    if key.state == "Disabled":
        error = AwsError("Encrypt", "DisabledException", f"{key.arn} is disabled.")
        return Outcome.KEY_DISABLED, error
    outcome, words = _STATES.get(key.state, (Outcome.KEY_UNAVAILABLE, f"is {key.state}."))
    return outcome, AwsError("Encrypt", "KMSInvalidStateException", f"{key.arn} {words}")


def not_symmetric(key: Key) -> AwsError | None:
    """Return what KMS says to a key of another type, or `None` for a symmetric encryption key."""
    if key.usage is not UNSEEN and key.usage != "ENCRYPT_DECRYPT":
        message = f"{key.arn} key usage is {key.usage} which is not valid for Encrypt."
        return AwsError("Encrypt", "InvalidKeyUsageException", message)
    if key.spec is not UNSEEN and key.spec != ENCRYPTION_ALGORITHM:
        message = f"Algorithm {ENCRYPTION_ALGORITHM} is incompatible with key spec {key.spec}."
        return AwsError("Encrypt", "InvalidKeyUsageException", message)
    return None


def malformed(operation: str, place: str) -> AwsError:
    """Word the answer to a document that AWS would not have saved.

    Args:
        operation: The call that meets it.
        place: What is wrong, and where.
    """
    exception = "" if operation == "AssumeRole" else "Exception"
    return AwsError(operation, f"MalformedPolicyDocument{exception}", place)
