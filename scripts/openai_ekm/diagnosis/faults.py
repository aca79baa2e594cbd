"""Faults of the role, the key, the registration, and documents that are too large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import is_role_arn
from openai_ekm.diagnosis.result import Change, Fault, Outcome
from openai_ekm.openai import EXTERNAL_ID
from openai_ekm.openai_calls.requests import names_key
from openai_ekm.policy import parse_arn
from openai_ekm.snapshot import UNSEEN, Role, Snapshot
from openai_ekm.snapshot.sizes import too_large_documents

if TYPE_CHECKING:
    from openai_ekm.snapshot import Key

__all__ = ["key_faults", "role_faults", "state_faults", "too_large", "unseen_fault"]

_ARN: Final = ("registration", "kms_arn")


def _fault(  # noqa: PLR0917 - in AWS's order
    id: str,
    document: str,
    element: str | None,
    found: Any,
    needed: Any,
    message: str,
    remedy: str,
    *fix: Change,
) -> Fault:
    return Fault(id, document, None, None, element, found, needed, message, remedy, fix)


def unseen_fault(document: str, what: str) -> Fault:
    """Return the fault for a refusal that rests on a document that nobody looked at."""
    return _fault(
        "not_seen",
        document,
        None,
        "not collected",
        what,
        f"{what.capitalize()} was not collected, and what was does not allow the call.",
        "Collect a snapshot that holds it: ekm snapshot with --role-arn, --kms-arn and "
        "--external-id, with credentials that may read it.",
    )


def role_faults(snapshot: Snapshot) -> tuple[Fault, ...]:  # noqa: PLR0911 - in AWS's order
    """Return what is wrong with the registered role or external id, before any policy is read."""
    registration, role = snapshot.registration, snapshot.role
    arn = registration.role_arn
    put = (
        Change("replace", ("registration", "role_arn"), role.arn)
        if isinstance(role, Role) and is_role_arn(role.arn)
        else None
    )
    fix = () if put is None else (put,)
    if not is_role_arn(arn):
        parsed = parse_arn(arn.strip())
        other = parsed is not None and parsed.partition != "aws"
        stripped = arn.strip()
        if put is None and is_role_arn(stripped):
            fix = (Change("replace", ("registration", "role_arn"), stripped),)
        return (
            _fault(
                "role_arn_partition" if other else "role_arn_form",
                "registration",
                "role_arn",
                repr(arn)[1:-1],
                "arn:aws:iam::<12 digits>:role/<path and name>",
                f"{arn!r} is not the ARN of a role that OpenAI can reach.",
                "OpenAI's principal lives in the partition aws: use an account of that partition."
                if other
                else "Register the role's full ARN.",
                *fix,
            ),
        )
    if role is UNSEEN:
        return (unseen_fault("role", "the role"),)
    if role is None:
        return (
            _fault(
                "role_missing",
                "role",
                None,
                "no such role",
                arn,
                f"The role {arn} was not found; STS answers as it does to a role that does not "
                "trust.",
                "Create the role, or register the ARN of the one that there is.",
            ),
        )
    if isinstance(role, Role) and role.arn != arn:
        same_name = role.arn.rpartition("/")[2] == arn.rpartition("/")[2]
        same_account = role.arn.split(":")[4:5] == arn.split(":")[4:5]
        kind_of_fault = "role_path_left_out" if same_name and same_account else "role_arn_mistyped"
        return (
            _fault(
                kind_of_fault,
                "registration",
                "role_arn",
                arn,
                role.arn,
                f"The role that is there is {role.arn}; its path is part of its ARN."
                if kind_of_fault == "role_path_left_out"
                else f"The role that is there is {role.arn}, not {arn}.",
                f"Register {role.arn}.",
                *fix,
            ),
        )
    external_id = registration.external_id
    if not EXTERNAL_ID.fullmatch(external_id):
        stripped = "".join(external_id.split())
        right = (
            (Change("replace", ("registration", "external_id"), stripped),)
            if EXTERNAL_ID.fullmatch(stripped)
            else ()
        )
        return (
            _fault(
                "external_id_form",
                "registration",
                "external_id",
                repr(external_id)[1:-1],
                r"2 to 1224 characters of A-Z a-z 0-9 _+=,.@:/-",
                f"STS takes no external id like {external_id!r}: white space and some other "
                "characters are refused whatever the policy says.",
                "Register the id alone, without white space.",
                *right,
            ),
        )
    if isinstance(role, Role) and role.trust_policy is UNSEEN:
        return (unseen_fault("trust_policy", "the trust policy"),)
    return ()


def key_faults(snapshot: Snapshot, outcome: Outcome) -> tuple[Fault, ...]:
    """Return what is wrong with the registered key's ARN."""
    arn = snapshot.registration.kms_arn
    keys = () if snapshot.keys is UNSEEN else snapshot.keys
    near = [key.arn for key in keys if names_key(key.arn)]
    fix: tuple[Change, ...] = ()
    if near:
        last = arn.strip().rpartition("/")[2].lower()
        best = next((each for each in near if each.endswith(last)), near[0])
        fix = (Change("replace", _ARN, best),)
    elif arn != arn.strip() and names_key(arn.strip()):
        fix = (Change("replace", _ARN, arn.strip()),)
    needed = fix[0].value if fix else None
    if outcome is Outcome.INVALID_ARN:
        parsed = parse_arn(arn.strip())
        other = parsed is not None and parsed.partition != "aws"
        return (
            _fault(
                "kms_arn_partition" if other else "kms_arn_form",
                "registration",
                "kms_arn",
                repr(arn)[1:-1],
                needed or "arn:aws:kms:<region>:<12 digits>:key/<id>, or …:alias/<name>",
                f"{arn!r} is not the ARN of a KMS key or alias.",
                "OpenAI's role cannot leave the partition aws: use a key of that partition."
                if other
                else "Register the key's full ARN, not its id or name.",
                *fix,
            ),
        )
    if snapshot.keys is UNSEEN:
        return (unseen_fault("keys", "the key"),)
    if outcome is Outcome.WRONG_REGION:
        return (
            _fault(
                "key_wrong_region",
                "registration",
                "kms_arn",
                arn,
                needed,
                f"The key is not in the Region of {arn}; it was found in another.",
                f"Register {needed}.",
                *fix,
            ),
        )
    return (_not_found(arn, needed, fix),)


def _not_found(arn: str, needed: str | None, fix: tuple[Change, ...]) -> Fault:
    accounts = (arn.split(":")[4:5], needed.split(":")[4:5] if needed else None)
    wrong_account = needed is not None and accounts[0] != accounts[1]
    if ":alias/" in arn:
        kind_of_fault = "alias_missing"
        message = f"There is no alias {arn}, or the key that it points to was not found."
    elif wrong_account:
        kind_of_fault = "key_wrong_account"
        message = f"The key {arn} was not found; the one that is there is of another account."
    else:
        kind_of_fault = "key_missing"
        message = f"The key {arn} was not found."
    return _fault(
        kind_of_fault,
        "registration",
        "kms_arn",
        arn,
        needed or "a key that exists",
        message,
        f"Register {needed}." if needed else "Create the key, or register the ARN of another.",
        *fix,
    )


_STATES: Final = {
    Outcome.KEY_DISABLED: (
        "key_disabled",
        "is disabled",
        "Enable it: aws kms enable-key --key-id {arn}",
    ),
    Outcome.KEY_PENDING_DELETION: (
        "key_pending_deletion",
        "is scheduled for deletion",
        (
            "Cancel the deletion, then enable it: aws kms cancel-key-deletion --key-id {arn}; "
            "aws kms enable-key --key-id {arn}"
        ),
    ),
    Outcome.KEY_PENDING_IMPORT: (
        "key_pending_import",
        "has no key material",
        "Import its key material: aws kms import-key-material --key-id {arn} …",
    ),
    Outcome.KEY_UNAVAILABLE: (
        "key_unavailable",
        "cannot be used in this state",
        "Wait while it is being made; else connect its custom key store again.",
    ),
}


def state_faults(snapshot: Snapshot, outcome: Outcome) -> tuple[Fault, ...]:
    """Return the faults of a key that may be used and cannot: its state, its type."""
    key = snapshot.registered_key
    assert key is not None  # nosec B101 # narrows the type
    assert snapshot.keys is not UNSEEN  # nosec B101 # narrows the type
    document = f"keys[{snapshot.keys.index(key)}]"
    if outcome in _STATES:
        kind_of_fault, words, remedy = _STATES[outcome]
        fix = Change("replace", ("keys", snapshot.keys.index(key), "state"), "Enabled")
        return (
            _fault(
                kind_of_fault,
                document,
                "state",
                key.state,
                "Enabled",
                f"The key {key.arn} {words}.",
                remedy.format(arn=key.arn),
                fix,
            ),
        )
    return (_mistyped_fault(snapshot, key, document),)


def _mistyped_fault(snapshot: Snapshot, key: Key, document: str) -> Fault:
    usage = key.usage is not UNSEEN and key.usage != "ENCRYPT_DECRYPT"
    assert snapshot.keys is not UNSEEN  # nosec B101 # narrows the type
    other = next(
        (
            each.arn
            for each in snapshot.keys
            if (each.spec, each.usage) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        ),
        None,
    )
    return _fault(
        "key_wrong_usage" if usage else "key_wrong_spec",
        document,
        "usage" if usage else "spec",
        key.usage if usage else key.spec,
        "ENCRYPT_DECRYPT" if usage else "SYMMETRIC_DEFAULT",
        f"The key {key.arn} is not a symmetric encryption key, and a key's type never changes.",
        f"Register {other}." if other else "Create a symmetric encryption key and register it.",
        *((Change("replace", _ARN, other),) if other else ()),
    )


def _count(quota: str) -> str:
    together = quota == "PolicySizePerRole"
    return "The role's inline policies have together" if together else "The document has"


def too_large(snapshot: Snapshot) -> tuple[Fault, ...]:
    """Return a fault for each document that no quota lets be saved."""
    return tuple(
        _fault(
            "policy_too_large",
            found.document,
            None,
            str(found.found),
            f"at most {found.most}",
            f"{_count(found.quota)} {found.found} characters and AWS saves at most "
            f"{found.most} ({found.quota}).",
            "Take out statements, or split the policy.",
        )
        for operation in ("AssumeRole", "Encrypt")
        for found in too_large_documents(snapshot, operation)
    )
