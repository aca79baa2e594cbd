"""The texts that generated cases are made of."""

from __future__ import annotations

from typing import Any

OURS, THEIRS = "111122223333", "444455556666"
KEYS = [f"arn:aws:kms:eu-west-1:{OURS}:key/{name}" for name in ("a", "ab", "b")]
ALIAS = f"arn:aws:kms:eu-west-1:{OURS}:alias/a"
RESERVED = f"arn:aws:kms:eu-west-1:{OURS}:alias/aws/s3"
ROLES = [f"arn:aws:iam::{account}:role/{name}" for account in (OURS, THEIRS) for name in ("r", "q")]
PATHED = f"arn:aws:iam::{OURS}:role/p/r"
LINKED = f"arn:aws:iam::{OURS}:role/aws-service-role/ec2.amazonaws.com/L"
SESSIONS = [
    f"arn:aws:sts::{account}:assumed-role/{name}/s"
    for account in (OURS, THEIRS)
    for name in ("r", "q")
]
USERS = [f"arn:aws:iam::{account}:user/u" for account in (OURS, THEIRS)]
FEDERATED = [f"arn:aws:sts::{account}:federated-user/f" for account in (OURS, THEIRS)]
ROOTS = [f"arn:aws:iam::{account}:root" for account in (OURS, THEIRS)]
ELSEWHERE = [f"arn:aws-cn:iam::{OURS}:user/u", f"arn:aws-cn:sts::{OURS}:assumed-role/r/s"]
SERVICES = ["ec2.amazonaws.com", "s3.amazonaws.com"]
PROVIDER = f"arn:aws:iam::{OURS}:saml-provider/idp"
ROLE_ID = "AROAABCDEFGHIJKLMNOPQ"
CALLERS = [*SESSIONS, *SESSIONS, *ROLES, PATHED, LINKED, *USERS, *USERS, *FEDERATED, *ROOTS]
CALLERS += [*ELSEWHERE, *SERVICES, PROVIDER]
PRINCIPALS = [*ROLES, PATHED, *SESSIONS, *USERS, *FEDERATED, *ROOTS, OURS, THEIRS, "*", ROLE_ID]
PRINCIPALS += [ROLES[0], f"arn:aws-cn:iam::{OURS}:root"]

ACTION_PATTERNS = ["kms:Encrypt", "kms:Decrypt", "kms:Sign", "kms:*", "*", "kms:*crypt"]
ACTION_PATTERNS += ["KMS:En?rypt", "s3:*", "kms:*Grant", "sts:*"]
RESOURCE_PATTERNS = [
    *KEYS,
    "*",
    ALIAS,
    f"arn:aws:kms:*:{OURS}:key/*",
    f"arn:aws:kms:eu-west-1:{OURS}:key/a?",
    f"arn:aws:kms:*:{THEIRS}:key/*",
    f"arn:aws:kms:*:{OURS}:*",
    f"arn:aws:kms:eu-west-1:{OURS}:*",
    "arn:aws:s3:::b/*",
    f"arn:aws:kms:*:{OURS}:",
    "arn:aws:kms:*:${aws:PrincipalAccount}:key/*",
    f"arn:aws:kms:${{aws:x}}:{OURS}:key/*",
    "arn:aws:kms:eu-west-1:${aws:PrincipalAccount}:",
    f"arn:aws:kms:*:{OURS}:key/${{aws:PrincipalTag/t}}",
    f"arn:aws:kms:*:{OURS}:key/${{aws:PrincipalTag/t, 'ab'}}",
    f"arn:aws:kms:*:{OURS}:key/${{aws:PrincipalTag/t, '*'}}",
]
TEXTS = ["a", "A", "ab", "b", "*", "é"]
TEXT_PATTERNS = [*TEXTS, "É", "a*", "?", "*b", "${aws:PrincipalTag/t}", "${*}", "a${?}"]
TEXT_PATTERNS += ["${aws:PrincipalTag/t, 'a'}*", "${aws:PrincipalTag/t, 'a?'}"]
TEXT_PATTERNS += ["${aws:PrincipalTag/\u212a}", "${aw\u017f:x}"]
TEXT_OPERATORS = ["StringEquals", "StringEqualsIgnoreCase", "StringLike"]
TEXT_OPERATORS += ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"]
ARN_OPERATORS = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"]
ARN_PATTERNS = [
    *ROLES,
    PATHED,
    *USERS,
    f"arn:aws:iam::{OURS}:role/*",
    f"arn:aws:iam::{OURS}:role/p/*",
    "arn:aws:iam::*:*/r",
    "arn:aws:iam::${aws:PrincipalAccount}:role/r",
    f"arn:aws:iam::{OURS}:${{aws:PrincipalTag/t}}/*",
    "arn:aws:iam",
]
ORDERS = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
NUMBERS = ["1", "2", "2.0", "-1", "+2", "10", "x", "1e1", "2."]
DATES = [
    "2020-01-01T00:00:00Z",
    "2020-01-01T02:00:00+02:00",
    "2020-01-01T00:00:00.5Z",
    "2020-01-01",
    "2020-01",
    "2020",
    "1577836800",
    "1577836800.5",
    "2021-06-01T12:30Z",
    "2021-06-01T12:30:00",
    "2021-02-30",
    "x",
]
ADDRESSES = ["10.0.0.1", "10.1.0.1", "2001:db8::1", "2001:db9::1", "::ffff:10.0.0.1", "x"]
RANGES = ["10.0.0.0/16", "10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "2001:db8::1", "2001:db8::2"]
RANGES += ["0.0.0.0/00", "10.0.0.0/08", "::/0", "0.0.0.0/0"]
RANGES += ["::ffff:10.0.0.0/104", "10.0.0.0/255.0.0.0", "x"]
BINARIES = ["YQ==", "Yg==", "!"]
FLAGS = ["true", "false", "False", "${aws:x}"]
# Operators, keys, values.
CONDITIONS: list[tuple[list[str], list[str], list[Any]]] = [
    *[(TEXT_OPERATORS, ["aws:x", "AWS:X", "aws:TagKeys", "kms:EncryptionContext:k"], TEXT_PATTERNS)]
    * 3,
    (ARN_OPERATORS, ["aws:PrincipalArn"], ARN_PATTERNS),
    (ARN_OPERATORS, ["aws:SourceArn"], ARN_PATTERNS),
    # KELVIN SIGN in a key's name, and in what follows it.
    (TEXT_OPERATORS, ["\u212ams:EncryptionContext:k", "kms:EncryptionContext:\u212a"], TEXTS),
    (["Null"], ["kms:EncryptionContext:\u212a", "aws:PrincipalTag/T\u00c4"], ["true", "false"]),
    ([f"Numeric{order}" for order in ORDERS], ["aws:n"], NUMBERS),
    ([f"Date{order}" for order in ORDERS], ["aws:d"], DATES),
    (["IpAddress", "NotIpAddress"], ["aws:SourceIp"], RANGES),
    (["BinaryEquals"], ["aws:bytes"], BINARIES),
    (["Bool"], ["aws:SecureTransport", "aws:PrincipalIsAWSService"], FLAGS),
    (["Null"], ["aws:x", "aws:TagKeys", "aws:PrincipalArn"], ["true", "false", "no", True, []]),
    # Keys that follow from principal and resource.
    (
        ["StringEquals", "StringNotEquals", "StringLike"],
        ["aws:PrincipalAccount", "kms:CallerAccount", "aws:ResourceAccount"],
        [OURS, THEIRS],
    ),
    (
        ["StringEquals", "StringNotEquals", "StringLike"],
        ["aws:PrincipalType", "aws:username", "aws:userid", "aws:PrincipalServiceName"],
        ["AssumedRole", "User", "Account", "u", "*", OURS, f"{ROLE_ID}:*", *SERVICES],
    ),
    (["StringEquals", "StringLike"], ["aws:RequestedRegion"], ["eu-west-1", "us-*"]),
]
# What a context may hold, and how often.
CONTEXT: list[tuple[str, list[Any], float]] = [
    *((key, TEXTS, 0.6) for key in ("aws:x", "aws:PrincipalTag/t", "kms:EncryptionContext:k")),
    ("aws:n", NUMBERS, 0.4),
    ("aws:d", DATES, 0.4),
    ("aws:SourceIp", ADDRESSES, 0.4),
    ("aws:bytes", BINARIES, 0.4),
    ("aws:SourceArn", [ROLES[0], f"arn:aws:iam::{OURS}:", "arn:aws:iam", "x", ""], 0.2),
    ("kms:EncryptionContext:\u212a", TEXTS, 0.05),
    ("aws:PrincipalTag/t\u00e4", TEXTS, 0.05),
    ("\u212ams:EncryptionContext:k", TEXTS, 0.02),
    ("aws:SecureTransport", ["true", "false", True], 0.4),
    ("aws:userid", [f"{ROLE_ID}:s", ROLE_ID, "AROAOTHEROTHEROTHER00:s"], 0.1),
]
ODD: list[tuple[str, list[Any]]] = [
    *(
        (key, [1, "", ["a"], ["a", "b"]])
        for key in ("aws:x", "aws:PrincipalTag/t", "kms:EncryptionContext:k")
    ),
    ("aws:TagKeys", ["", [""], ["", "a"], "a"]),
    ("kms:GrantOperations", ["Encrypt"]),
    ("aws:PrincipalAccount", [OURS, OURS, THEIRS]),
    ("aws:ResourceAccount", [THEIRS, OURS, [OURS]]),
]
GRANT_OPERATIONS = ["Encrypt", "Decrypt", "Sign", "CreateGrant", "DescribeKey", "RetireGrant"]


def names_of(who: str) -> list[str]:
    """What names a caller under AWS: itself, its role, its account."""
    if not who.startswith("arn:") or "-provider/" in who:
        return []
    account = who.split(":")[4]
    names = [who, account, f"arn:aws:iam::{account}:root"]
    if ":assumed-role/" in who:
        names.append(f"arn:aws:iam::{account}:role/{who.split('/')[1]}")
    return names
