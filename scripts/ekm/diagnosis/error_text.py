"""From an error text that OpenAI returned to its causes, the likeliest first.

Texts are matched by substring: whether something stands before AWS's sentence is not public.

Source: wire contract 2.3 and 2.4; help.openai.com/en/articles/20000955.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ekm.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ekm.diagnosis.value import Diagnosis
    from ekm.snapshot import Snapshot

__all__ = ["NOTHING_SEEN", "Cause", "Read", "read"]

# The diagnosis when there was no snapshot to judge.
NOTHING_SEEN: Final[Mapping[str, Any]] = {
    "outcome": None,
    "decisions": {"sts:AssumeRole": None, "kms:Encrypt": None, "kms:Decrypt": None},
    "message": "",
    "faults": [],
    "warnings": [],
    "unseen": ["role", "keys", "aliases", "grants", "scps", "rcps"],
    "unseen_reasons": {},
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible cause, and how to check it."""

    document: str
    message: str
    check: str


@dataclass(frozen=True, slots=True)
class Read:
    """What an error text means.

    Args:
        outcome: The outcome that such a text belongs to.
        meaning: One sentence.
        causes: The likeliest first; those that a snapshot rules out are left away.
        note: What the snapshot says to it.
    """

    outcome: str
    meaning: str
    causes: tuple[Cause, ...]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as `--json` prints it, under `error`."""
        return {
            "outcome": self.outcome,
            "meaning": self.meaning,
            "causes": [
                {"document": c.document, "message": c.message, "check": c.check}
                for c in self.causes
            ],
            "note": self.note,
        }


_TRUST: Final = (
    Cause(
        "trust_policy",
        "The trust policy holds another external id, often of a personal organization.",
        "Compare sts:ExternalId with the id in OpenAI's organization settings, letter by letter.",
    ),
    Cause(
        "trust_policy",
        "The trust policy does not name OpenAI's role.",
        "Principal must be arn:aws:iam::790389265272:role/EnterpriseKeyManagement.",
    ),
    Cause(
        "registration",
        "The role does not exist, or its path is left out: AWS answers the same.",
        "aws iam get-role --role-name NAME, and compare its Arn with role_arn.",
    ),
    Cause(
        "role",
        "The role or its trust policy was saved a moment ago and has not settled.",
        "Wait two minutes and validate again.",
    ),
    Cause(
        "trust_policy",
        "A condition that OpenAI's call does not meet: organization, address, MFA, tags.",
        "Leave sts:ExternalId alone under Condition.",
    ),
    Cause(
        "rcps",
        "A resource control policy of your organization refuses principals from outside.",
        "Ask for an exception: aws:PrincipalAccount 790389265272.",
    ),
)
_IDENTITY: Final = (
    Cause(
        "permission_policies[0]",
        "The role's policy lacks the action, or names an alias or another key as Resource.",
        "It must allow kms:Encrypt and kms:Decrypt on the key's own ARN.",
    ),
    Cause(
        "keys[0].policy",
        "The key policy has been customised and does not let the role in.",
        "Delegate use to the account, narrowed by aws:PrincipalArn, or name the role.",
    ),
)
_RESOURCE: Final = (
    Cause(
        "registration",
        "The key is not there: mistyped, another Region or another account.",
        "aws kms describe-key --key-id ARN --region REGION",
    ),
    Cause(
        "keys[0].policy",
        "The key policy neither names the role nor delegates to its account, or denies.",
        "aws kms get-key-policy --key-id ARN --policy-name default",
    ),
    Cause(
        "keys[0].policy",
        "The key policy names the unique id of a role that was deleted and made anew.",
        "Look for AROA… under Principal, and put the role's ARN there.",
    ),
)


def _one(document: str, message: str, check: str) -> tuple[Cause, ...]:
    return (Cause(document, message, check),)


# Pattern in lower case -> outcome, meaning, causes. The first that is found counts.
_TEXTS: Final[tuple[tuple[str, str, str, tuple[Cause, ...]], ...]] = (
    (
        "sts:assumerole",
        "assume_role_denied",
        "OpenAI could not assume the role.",
        _TRUST,
    ),
    (
        r"kms:(?:en|de)crypt.*with an explicit deny in an? ([a-z -]+)",
        "encrypt_denied",
        "A policy of the named kind denies the use of the key.",
        _one("", "A Deny in a policy of that kind applies.", "Except the role from that Deny."),
    ),
    (
        r"kms:(?:en|de)crypt.*no permissions boundary",
        "encrypt_denied",
        "The role's permissions boundary does not allow the use of the key.",
        _one(
            "permissions_boundary",
            "The boundary lacks kms:Encrypt or kms:Decrypt on the key.",
            "Add both to the boundary.",
        ),
    ),
    (
        r"kms:(?:en|de)crypt.*no service control policy",
        "encrypt_denied",
        "A service control policy does not allow the use of the key.",
        _one("scps", "An SCP that lists what is allowed leaves KMS out.", "Add the two actions."),
    ),
    (
        r"kms:(?:en|de)crypt.*no identity-based policy",
        "encrypt_denied",
        "The key policy delegates to IAM, and the role's policy does not allow the action.",
        _IDENTITY[:1],
    ),
    (
        r"kms:(?:en|de)crypt.*(?:does not exist in this region|no resource-based polic)",
        "encrypt_denied",
        "The key is not there, or its policy does not let the role use it.",
        _RESOURCE,
    ),
    (
        r"kms:(?:en|de)crypt",
        "encrypt_denied",
        "The role was assumed, and may not use the key.",
        _IDENTITY,
    ),
    (
        r"(?<!region)disabledexception|key/\S+ is disabled",
        "key_disabled",
        "The key is disabled.",
        _one("keys[0]", "Somebody disabled the key.", "aws kms enable-key --key-id ARN"),
    ),
    (
        r"pending (?:replica )?deletion",
        "key_pending_deletion",
        "The key is scheduled for deletion.",
        _one("keys[0]", "The deletion was scheduled.", "aws kms cancel-key-deletion, then enable."),
    ),
    (
        r"pending import",
        "key_pending_import",
        "The key has no material.",
        _one("keys[0]", "Its material was never imported, or expired.", "Import it."),
    ),
    (
        (
            r"kmsinvalidstateexception|is creating|is unavailable|keyunavailable|dependencytimeout|"
            r"kmsinternal"
        ),
        "key_unavailable",
        "The key cannot be used at the moment.",
        _one(
            "keys[0]", "AWS or the key's custom store is not ready.", "Try again; check the store."
        ),
    ),
    (
        r"invalidkeyusage|incompatible with key spec|not valid for encrypt",
        "not_symmetric",
        "The key is not a symmetric encryption key.",
        _one("keys[0]", "It was made for signing or MACs.", "Register a symmetric key."),
    ),
    (
        r"incorrectkeyexception",
        "decrypt_denied",
        "The data was encrypted under another key.",
        _one("aliases", "The registered alias was moved.", "Point the alias back."),
    ),
    (
        r"regiondisabledexception",
        "assume_role_denied",
        "STS is not active in that Region for the account.",
        _one("customer", "The Region is switched off.", "Activate STS there in account settings."),
    ),
    (
        r"invalid arn|invalid '?kms_arn|invalid '?role_arn",
        "invalid_arn",
        "An ARN is not of the form that is accepted.",
        _one("registration", "It is an id, a name, or mistyped.", "Register full ARNs."),
    ),
    (
        r"notfoundexception|key '[^']*' does not exist|alias \S+ is not found",
        "key_not_found",
        "The key or alias is not there.",
        _RESOURCE[:1],
    ),
    (
        r"malformedpolicydocument|limitexceeded|cannot exceed quota",
        "policy_malformed",
        "A policy is not one that AWS saves.",
        _one("trust_policy", "A document is malformed or too large.", "Diagnose a snapshot."),
    ),
)
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")


def read(text: str, found: Diagnosis | None, snapshot: Snapshot | None) -> Read:
    """Say what an error text means.

    Args:
        text: What OpenAI answered, with or without a prefix.
        found: The diagnosis of a snapshot, if there is one.
        snapshot: That snapshot.

    Raises:
        BadInput: The text is none of AWS's that are known.
    """
    lower = " ".join(text.split()).lower()
    for pattern, outcome, meaning, causes in _TEXTS:
        if not re.search(pattern, lower):
            continue
        if "kms:decrypt" in lower and outcome == "encrypt_denied":
            outcome = "decrypt_denied"  # noqa: PLW2901 - the table names Encrypt for both
        if found is None:
            return Read(outcome, meaning, causes)
        return _narrowed(Read(outcome, meaning, causes), text, found, snapshot)
    raise BadInput(
        "error_text_unknown",
        f"The text {text[:80]!r} is none of AWS's refusals that are known.",
        at_fault="--error",
        remedy="Give the whole message that OpenAI returned; or diagnose a snapshot without it.",
    )


def _narrowed(read_: Read, text: str, found: Diagnosis, snapshot: Snapshot | None) -> Read:
    """Leave away what the snapshot rules out."""
    named = _ROLE.search(text)
    registered = snapshot.registration.role_arn if snapshot is not None else None
    if named and registered and named[0] != registered and "EnterpriseKey" not in named[0]:
        note = f"The text is about {named[0]}; the snapshot is about {registered}."
        return Read(read_.outcome, read_.meaning, read_.causes, note)
    if found.outcome == read_.outcome or _related(found.outcome, read_.outcome):
        return Read(
            read_.outcome, read_.meaning, (), "The snapshot shows the cause: see the faults."
        )
    assumed = found.decisions.get("sts:AssumeRole")
    passes = assumed is not None and assumed.allowed and read_.outcome == "assume_role_denied"
    if found.outcome != "ok" and not passes:
        note = f"The snapshot shows another fault, which AWS meets: {found.outcome}."
        return Read(read_.outcome, read_.meaning, read_.causes, note)
    hidden = ("scps", "rcps", "role") if found.unseen else ("role",)
    unseen = tuple(path.split("[")[0].split(".")[0] for path in found.unseen)
    causes = tuple(c for c in read_.causes if c.document in hidden or c.document in unseen)
    further = "" if found.outcome == "ok" else f" Further on there is a fault: {found.outcome}."
    return Read(
        read_.outcome,
        read_.meaning,
        causes,
        "What was collected allows the call: IAM has not settled, what was not seen refuses, or "
        f"the registration at OpenAI is another than the snapshot's.{further}",
    )


def _related(found: str, read_: str) -> bool:
    """AWS words a missing key as a denial, and Encrypt and Decrypt alike."""
    use = {"encrypt_denied", "decrypt_denied", "key_not_found", "wrong_region"}
    return found in use and read_ in use
