"""AWS's sentences inside OpenAI's answer: what each means, what is at fault, what to do.

OpenAI passes AWS's sentence on, with or without an SDK's prefix before it. So each row is looked
for anywhere in the text, by the exception's name or by AWS's own wording. The registrar asks for
the kind and the remedy, `ekm diagnose --error` for the causes.

Sources:
https://help.openai.com/en/articles/20000955
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from openai_ekm.arns import ARN_OF_KEY_IN_TEXT, ARN_OF_ROLE_IN_TEXT
from openai_ekm.openai import OPENAI_ROLE_ARN, OPENAI_ROLE_NAME
from openai_ekm.openai_api.refusal_kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["AwsErrorText", "Cause", "find_error_text"]


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible cause, and how to check it.

    Args:
        document: Snapshot path that it would show in; empty for what no snapshot holds.
        message: One sentence.
        check: How to check or mend it.
    """

    document: str
    message: str
    check: str


@dataclass(frozen=True, slots=True)
class AwsErrorText:
    """The meaning of a text of AWS's.

    Args:
        pattern: What the text has in it, whatever its case.
        kind: Decides whether waiting can help; None for a text of OpenAI's own about an ARN.
        at_fault: Document, value or resource that is to blame; None where AWS itself failed.
        remedy: One sentence that says what to do.
        outcome: The outcome of a diagnosis that such a text belongs to.
        meaning: One sentence.
        causes: The likeliest first.
        documents: Beginnings of the snapshot paths that the text blames; empty when it blames
            no kind of policy. A fault elsewhere is not what the text is about.
        policy_arn: The policy that the text names, if it does.
    """

    pattern: str
    kind: Kind | None
    at_fault: str | None
    remedy: str
    outcome: str
    meaning: str
    causes: tuple[Cause, ...]
    documents: tuple[str, ...] = ()
    policy_arn: str | None = None


_DENIED, _UNUSABLE, _TRANSIENT = Kind.AWS_DENIED, Kind.AWS_KEY_UNUSABLE, Kind.AWS_TRANSIENT
_SETTLING: Final = "a policy saved minutes ago may still be settling"
_KEY: Final = "the KMS key"
_OPENAIS: Final = (
    "Nothing in your account changes it: tell OpenAI, with the request id of the answer."
)

_TRUST: Final = (
    Cause(
        "trust_policy",
        "The trust policy holds another external id, often of a personal organization.",
        "Compare sts:ExternalId with the id in OpenAI's organization settings, letter by letter.",
    ),
    Cause(
        "trust_policy",
        "The trust policy does not name OpenAI's role.",
        f"Principal must be {OPENAI_ROLE_ARN}.",
    ),
    Cause(
        "registration",
        "The role does not exist, or its path is left out: AWS answers the same.",
        "aws iam get-role --role-name {role_name}, and compare its Arn with role_arn.",
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
        f"Ask for an exception for the role {OPENAI_ROLE_ARN}.",
    ),
)
_LACKS_ACTION: Final = Cause(
    "permission_policies[0]",
    "The role's policy lacks the action, or names an alias or another key as Resource.",
    "It must allow kms:Encrypt and kms:Decrypt on {key}, the key's own ARN.",
)
_LETS_NOT_IN: Final = Cause(
    "keys[0].policy",
    "The key policy has been customised and does not let the role in.",
    "Delegate use to the account, narrowed by aws:PrincipalArn, or name the role.",
)
_NOT_THERE: Final = Cause(
    "registration",
    "The key is not there: mistyped, another Region or another account.",
    "aws kms describe-key --key-id {key} --region {region}",
)
_KEY_POLICY: Final = (
    Cause(
        "keys[0].policy",
        "The key policy does not let the role use the key: it names neither the role nor its "
        "account, or does so under a condition that the call does not meet.",
        "aws kms get-key-policy --key-id {key} --policy-name default --region {region}",
    ),
    Cause(
        "keys[0].policy",
        "The key policy names the unique id of a role that was deleted and made anew.",
        "Look for AROA… under Principal, and put the role's ARN there.",
    ),
)
_KEY_POLICY_DENIES: Final = Cause(
    "keys[0].policy",
    "A Deny of the key policy applies.",
    "aws kms get-key-policy --key-id {key} --policy-name default --region {region}",
)
_IN_MANAGEMENT: Final = (
    "In the management account: aws organizations list-policies-for-target --filter {kind} "
    "--target-id {{account}}, then its organizational units and the root."
)
# AWS's name for a kind of policy -> paths in a snapshot, whose it is, where to look.
_KINDS: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "identity-based policy": (
        ("permission_policies",),
        "the role's identity policy",
        "aws iam list-attached-role-policies and list-role-policies --role-name {role_name}",
    ),
    "resource-based policy": (
        ("keys",),
        "the key policy",
        "aws kms get-key-policy --key-id {key} --policy-name default --region {region}",
    ),
    "permissions boundary": (
        ("permissions_boundary",),
        "the role's permissions boundary",
        "aws iam get-role --role-name {role_name}: PermissionsBoundary",
    ),
    "service control policy": (
        ("scps",),
        "a service control policy of your organization",
        _IN_MANAGEMENT.format(kind="SERVICE_CONTROL_POLICY"),
    ),
    "resource control policy": (
        ("rcps",),
        "a resource control policy of the key's organization",
        _IN_MANAGEMENT.format(kind="RESOURCE_CONTROL_POLICY"),
    ),
    "session policy": (
        ("",),
        "the session policy that OpenAI passes when it assumes the role",
        _OPENAIS,
    ),
    "vpc endpoint policy": (
        ("",),
        "the policy of OpenAI's own VPC endpoint",
        _OPENAIS,
    ),
}


def _one(document: str, message: str, check: str) -> tuple[Cause, ...]:
    return (Cause(document, message, check),)


# The first row that matches counts: names before sentences that several causes share.
_ROWS: Final = (
    AwsErrorText(
        (
            r"\bThrottling(?:Exception)?\b|\bRequestLimitExceeded\b|\bRate exceeded\b|"
            r"exceeded the rate at which you may call KMS"
        ),
        _TRANSIENT,
        None,
        "Try again later; if it happens again, raise the account's quota of cryptographic "
        "requests to KMS in that Region (Service Quotas).",
        "key_unavailable",
        "AWS limits the rate of calls, and there were too many.",
        (
            Cause(
                "",
                "The account's calls to KMS in that Region, yours and OpenAI's together, go "
                "beyond the quota.",
                "CloudWatch: the usage of AWS/Usage CryptographicOperationsSymmetric in "
                "{region}; Service Quotas raises it.",
            ),
            Cause("", "Another workload of the account uses KMS heavily.", "Look in CloudTrail."),
        ),
    ),
    AwsErrorText(
        r"\bXksProxy\w+Exception\b|external key store proxy",
        _UNUSABLE,
        "the external key store behind the key",
        "Mend the external key store's proxy: it refuses, or does not answer, AWS KMS.",
        "key_unavailable",
        "The proxy of the external key store behind the key refused, or did not answer.",
        _one(
            "",
            "The proxy denies the request, its credential was changed, or it is not reachable.",
            "aws kms describe-custom-key-stores, then the proxy's own log.",
        ),
    ),
    AwsErrorText(
        r"\b(?:KeyUnavailable|DependencyTimeout|KMSInternal)Exception\b|:kms:\S+ is creating",
        _TRANSIENT,
        None,
        "Try again later; an external key store behind the key may be down.",
        "key_unavailable",
        "The key cannot be used at the moment.",
        _one(
            "keys[0]",
            "AWS or the key's custom store is not ready.",
            "Try again; check the store.",
        ),
    ),
    AwsErrorText(
        r"arn:aws:kms:\S+ is pending (?:replica )?deletion",
        _UNUSABLE,
        _KEY,
        "Cancel the key's deletion (aws kms cancel-key-deletion), then enable it "
        "(aws kms enable-key): once the waiting period ends, the data is lost.",
        "key_pending_deletion",
        "The key is scheduled for deletion.",
        _one(
            "keys[0]",
            "The deletion was scheduled.",
            "aws kms cancel-key-deletion --key-id {key}, then aws kms enable-key.",
        ),
    ),
    AwsErrorText(
        r"arn:aws:kms:\S+ is pending import",
        _UNUSABLE,
        _KEY,
        "Import the key's material, or register another key.",
        "key_pending_import",
        "The key has no material.",
        _one("keys[0]", "Its material was never imported, or expired.", "Import it."),
    ),
    AwsErrorText(
        r"arn:aws:kms:\S+ is disabled|(?<!Region)\bDisabledException\b",
        _UNUSABLE,
        _KEY,
        "Enable the KMS key (aws kms enable-key).",
        "key_disabled",
        "The key is disabled.",
        _one("keys[0]", "Somebody disabled the key.", "aws kms enable-key --key-id {key}"),
    ),
    AwsErrorText(
        r"\bInvalidKeyUsageException\b|key usage is \S+ which|is incompatible with key spec",
        _UNUSABLE,
        _KEY,
        "Register a symmetric key for ENCRYPT_DECRYPT: a key's type cannot be changed.",
        "not_symmetric",
        "The key is not a symmetric encryption key.",
        _one("keys[0]", "It was made for signing or MACs.", "Register a symmetric key."),
    ),
    AwsErrorText(
        r"\bIncorrectKeyException\b|does not identify a CMK that can perform this operation",
        _UNUSABLE,
        "the alias that kms_arn names",
        "Point the alias back to the key that it named before: moving it cuts off what was "
        "encrypted.",
        "decrypt_denied",
        "The data was encrypted under another key.",
        _one("aliases", "The registered alias was moved.", "Point the alias back."),
    ),
    AwsErrorText(
        r"ciphertext refers to an? (?:customer master|AWS KMS|KMS) key that does not exist",
        _DENIED,
        "the key that the data was encrypted under, or its policies",
        "Find the key that the data was encrypted under: it must exist in that Region, and its "
        "key policy and the role's policy must both allow kms:Decrypt on it.",
        "decrypt_denied",
        "The key that the data was encrypted under is not there, or the role may not use it.",
        (
            Cause(
                "aliases",
                "The registered alias was moved: new data is encrypted under the new key, and "
                "the role may not use the old one.",
                "aws kms list-aliases; point the alias back, or allow kms:Decrypt on the old "
                "key as well.",
            ),
            Cause(
                "permission_policies[0]",
                "The role's policy, or the key policy, allows kms:Encrypt and not kms:Decrypt.",
                "Allow both on the key's own ARN.",
            ),
            Cause(
                "registration",
                "The key was deleted, or the call goes to another Region than the key is in.",
                "aws kms describe-key --key-id {key} --region {region}",
            ),
        ),
    ),
    AwsErrorText(
        r"\bRegionDisabledException\b|STS is not activated in this region",
        _UNUSABLE,
        "the account's settings of STS",
        "Activate STS in that Region for the account (IAM console, account settings).",
        "assume_role_denied",
        "STS is not active in that Region for the account.",
        _one(
            "customer",
            "The Region is switched off for account {account}.",
            "Activate STS there in the account settings of the IAM console.",
        ),
    ),
    AwsErrorText(
        r"\bExpiredToken(?:Exception)?\b|security token included in the request is expired",
        _TRANSIENT,
        None,
        "Try again: OpenAI's session in the role has ended, and it makes a new one.",
        "encrypt_denied",
        "OpenAI's session in the role has ended.",
        _one("", "A session ends after an hour at the latest.", f"Validate again. {_OPENAIS}"),
    ),
    AwsErrorText(
        (
            r"\bUnrecognizedClientException\b|\bInvalidClientTokenId\b|"
            r"security token included in the request is invalid"
        ),
        _UNUSABLE,
        "the key's Region, or the role",
        "Enable the key's Region for the account, and look whether the role was deleted or "
        "made anew since; then validate again.",
        "encrypt_denied",
        "KMS does not accept the session that OpenAI has in the role.",
        (
            Cause(
                "customer",
                "The key's Region is one that an account has to enable, and yours has not.",
                "aws account get-region-opt-status --region-name {region}",
            ),
            Cause(
                "role",
                "The role was deleted, or deleted and made anew, while OpenAI had a session.",
                "aws iam get-role --role-name {role_name}: CreateDate; then validate again.",
            ),
            Cause("", "OpenAI's own credentials are at fault.", _OPENAIS),
        ),
    ),
    AwsErrorText(
        r"exceeds the 1 hour session limit for roles assumed by role chaining",
        _UNUSABLE,
        "the length of session that OpenAI asks for",
        "A role that assumes another gets one hour at most, whatever the other's maximum is: "
        "tell OpenAI, with the request id.",
        "assume_role_denied",
        "OpenAI's role asked for a session of more than the hour that AWS gives to a role that "
        "assumes another (role chaining).",
        _one(
            "",
            "The call asks for more than 3600 seconds.",
            "The role's maximum session duration does not matter here, and raising it does "
            f"not help. {_OPENAIS}",
        ),
    ),
    AwsErrorText(
        r"DurationSeconds exceeds the MaxSessionDuration",
        _UNUSABLE,
        "the role's maximum session duration",
        "Raise the role's maximum session duration (aws iam update-role "
        "--max-session-duration 3600).",
        "assume_role_denied",
        "OpenAI asked for a longer session than the role allows.",
        _one(
            "role",
            "The role's maximum session duration is below what OpenAI asks for.",
            "aws iam get-role --role-name {role_name}: MaxSessionDuration",
        ),
    ),
    AwsErrorText(
        r"Invalid '?(?:kms_arn|role_arn)",
        None,
        None,
        "Register full ARNs.",
        "invalid_arn",
        "An ARN is not of the form that is accepted.",
        _one("registration", "It is an id, a name, or mistyped.", "Register full ARNs."),
    ),
    AwsErrorText(
        r"\bInvalidArnException\b|arn:aws:kms:\S+ is not valid|\bInvalid arn\b",
        _UNUSABLE,
        "kms_arn",
        "Register the full ARN of the key.",
        "invalid_arn",
        "An ARN is not of the form that is accepted.",
        _one("registration", "It is an id, a name, or mistyped.", "Register full ARNs."),
    ),
    AwsErrorText(
        r"arn:aws:kms:\S+ is unavailable|\bKMSInvalidStateException\b",
        _UNUSABLE,
        _KEY,
        "Bring the key back into use: connect its custom key store, or look at its state with "
        "aws kms describe-key.",
        "key_unavailable",
        "The key's state lets nobody use it.",
        _one(
            "keys[0]",
            "The key's custom store is not connected, or the key is in another unusable state.",
            "aws kms describe-key --key-id {key}: KeyState",
        ),
    ),
    AwsErrorText(
        r"\bMalformedPolicyDocument\w*\b|\bLimitExceeded(?:Exception)?\b|cannot exceed quota",
        _UNUSABLE,
        "a policy document",
        "Correct the document: `ekm diagnose` of a snapshot names the place.",
        "policy_malformed",
        "A policy is not one that AWS saves.",
        _one("trust_policy", "A document is malformed or too large.", "Diagnose a snapshot."),
    ),
    AwsErrorText(
        (
            r"with an explicit deny in (?P<policy>an? (?:[a-z-]+ )*?(?:policy|boundary))\b"
            r"(?:: (?P<arn>arn:aws\S+))?"
        ),
        _DENIED,
        "the explicit deny in {policy}",
        f"Lift the deny for this role and key; `ekm diagnose` names the statement, and "
        f"{_SETTLING}.",
        "encrypt_denied",
        "A Deny in {whose} applies; no further Allow helps.",
        (),
    ),
    AwsErrorText(
        r"is not authorized to perform: sts:(?:AssumeRole|TagSession|SetSourceIdentity)\b",
        _DENIED,
        "the role's trust policy, role_arn or external_id",
        "Check that role_arn is spelt right and that its trust policy names OpenAI's role and "
        "the external id of the organization that is encrypted: `ekm diagnose` tells which; "
        f"{_SETTLING}.",
        "assume_role_denied",
        "OpenAI could not assume the role.",
        _TRUST,
    ),
    AwsErrorText(
        r"because no (?P<policy>identity-based policy) allows",
        _DENIED,
        "the role's identity policy",
        "Allow kms:Encrypt and kms:Decrypt on the key's ARN there (an alias's ARN never "
        f"matches); {_SETTLING}.",
        "encrypt_denied",
        "The key policy delegates to IAM, and the role's policy does not allow the action.",
        (_LACKS_ACTION,),
    ),
    AwsErrorText(
        r"because no (?P<policy>resource-based policy) allows",
        _DENIED,
        "the key policy",
        "Let the key policy delegate use to the role's account, narrowed by aws:PrincipalArn, "
        f"or name the role; {_SETTLING}.",
        "encrypt_denied",
        "The key is there, and its policy does not let the role use it.",
        _KEY_POLICY,
    ),
    AwsErrorText(
        (
            r"because no (?P<policy>(?:[a-z-]+ )*?(?:policy|boundary)) allows"
            r"(?:[^:]*(?::[^: ]+)? action: (?P<arn>arn:aws\S+))?"
        ),
        _DENIED,
        "the {policy}",
        f"Let it allow kms:Encrypt and kms:Decrypt on the key's ARN; {_SETTLING}.",
        "encrypt_denied",
        "Every policy that AWS asks first allows the use of the key; {whose} does not.",
        (),
    ),
    AwsErrorText(
        r"because the resource does not exist in this Region|no resource-based policies allow",
        _DENIED,
        "kms_arn, or the key policy",
        "Check that kms_arn names the key, its account and its Region; then that the key "
        f"policy lets the role use it and denies nothing; {_SETTLING}.",
        "encrypt_denied",
        "The key is not there, or its policy does not let the role use it.",
        (_NOT_THERE, *_KEY_POLICY, _KEY_POLICY_DENIES),
        ("keys", "registration", "grants", "aliases"),
    ),
    AwsErrorText(
        r"\bKey '[^']*' does not exist|\bAlias \S+ is not found|\bNotFoundException\b",
        _DENIED,
        "kms_arn",
        "Correct kms_arn: in that account and Region there is no such key or alias.",
        "key_not_found",
        "The key or alias is not there.",
        (_NOT_THERE,),
    ),
    AwsErrorText(
        r"\bAccessDenied(?:Exception)?\b.*\bAssumeRole\b",
        _DENIED,
        "the role's trust policy, role_arn or external_id",
        "Check role_arn, and the principal and external id of the role's trust policy; "
        f"{_SETTLING}.",
        "assume_role_denied",
        "OpenAI could not assume the role.",
        _TRUST,
    ),
    AwsErrorText(
        r"is not authorized to perform: (?:sts|kms):|\bAccessDenied(?:Exception)?\b",
        _DENIED,
        "the role's identity policy, or the key policy",
        "Allow kms:Encrypt and kms:Decrypt on the key's ARN in the role's policy, and in the "
        f"key policy if that does not leave it to the account; {_SETTLING}.",
        "encrypt_denied",
        "The role was assumed, and may not use the key.",
        (_LACKS_ACTION, _LETS_NOT_IN),
    ),
)
_COMPILED: Final = tuple((re.compile(row.pattern, re.IGNORECASE), row) for row in _ROWS)
_ACCOUNT: Final = re.compile(r"for account: ?(\d{12})")
_DECRYPT: Final = re.compile(r"kms:Decrypt|the Decrypt operation", re.IGNORECASE)


def find_error_text(text: str) -> AwsErrorText | None:
    """Return what a text of AWS's means, with the names that it holds put in.

    Args:
        text: What OpenAI answered; it may hold anything else besides.

    Returns:
        The meaning; None for a text that is none of AWS's.
    """
    flat = " ".join(text.split())
    for pattern, row in _COMPILED:
        match = pattern.search(flat)
        if match is not None:
            return _fill(row, match.groupdict(), flat)
    return None


def find_customer_role(text: str) -> re.Match[str] | None:
    """Find the first role, or session of a role, in a text that is not OpenAI's own."""
    roles = ARN_OF_ROLE_IN_TEXT.finditer(text)
    return next((role for role in roles if OPENAI_ROLE_NAME not in role[0]), None)


def _fill(row: AwsErrorText, groups: Mapping[str, Any], text: str) -> AwsErrorText:
    policy = groups.get("policy")
    if policy:
        row = _about_policy(row, str(policy), groups.get("arn"))
    outcome = row.outcome
    if outcome == "encrypt_denied" and _DECRYPT.search(text):
        outcome = "decrypt_denied"
    names = _names(text)
    causes = tuple(
        replace(each, message=_put(each.message, names), check=_put(each.check, names))
        for each in row.causes
    )
    return replace(row, outcome=outcome, causes=causes)


def _about_policy(row: AwsErrorText, policy: str, arn: str | None) -> AwsErrorText:
    """Fill in a row with the kind of policy, and the one policy, that the text names."""
    bare = re.sub(r"^an? ", "", policy.lower())
    documents, whose, check = _KINDS.get(
        bare, ((), f"a policy that AWS calls {bare}", "Find out whose it is.")
    )
    arn = arn.rstrip(".,;)\"'") if arn else None
    at_fault = row.at_fault and row.at_fault.format(policy=policy)
    causes = row.causes or _one(
        documents[0] if documents else "",
        f"A Deny in {whose} applies." if "{policy}" in (row.at_fault or "") and "deny" in (
            row.at_fault or ""
        ) else f"{whose[0].upper()}{whose[1:]} lacks kms:Encrypt or kms:Decrypt on the key.",
        check,
    )  # fmt: skip
    if arn is not None:
        at_fault = f"{at_fault}: {arn}"
        causes = tuple(
            replace(each, message=f"{each.message[:-1]}: it is {arn}.", check=_look_at(arn))
            for each in causes[:1]
        )
    return replace(
        row,
        at_fault=at_fault,
        meaning=row.meaning.replace("{whose}", whose),
        causes=causes,
        documents=documents,
        policy_arn=arn,
    )


def _look_at(arn: str) -> str:
    """Return the command that shows a policy."""
    if ":organizations:" in arn:
        name = arn.rpartition("/")[2]
        return f"In the management account: aws organizations describe-policy --policy-id {name}"
    return f"aws iam get-policy --policy-arn {arn}, then get-policy-version"


def _names(text: str) -> dict[str, str]:
    """Return the names that a text holds, or what stands for them."""
    key, role = ARN_OF_KEY_IN_TEXT.search(text), find_customer_role(text)
    account = _ACCOUNT.search(text)
    name = "NAME"
    if role is not None:
        name = role[3].partition("/")[0] if role[2] else role[3].rpartition("/")[2]
    owner = (
        account[1] if account else (role[1] or role[2]) if role else key[2] if key else "ACCOUNT"
    )
    return {
        "{key}": key[0] if key else "ARN",
        "{region}": key[1] if key else "REGION",
        "{role_name}": name,
        "{account}": owner,
    }


def _put(text: str, names: Mapping[str, str]) -> str:
    for place, name in names.items():
        text = text.replace(place, name)
    return text
