"""The admin key: from the environment, or by reference from Secrets Manager or SSM."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from openai_ekm import aws_session
from openai_ekm.errors import BadInput
from openai_ekm.openai_api.redaction import AdminKey

if TYPE_CHECKING:
    import boto3

__all__ = ["VARIABLE", "check_reference", "from_environment", "from_reference"]

VARIABLE: Final = "OPENAI_ADMIN_KEY"
_SECRET: Final = re.compile(
    r"secretsmanager:(arn:aws:secretsmanager:([a-z0-9-]+):[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+)"
)
_PARAMETER: Final = re.compile(r"ssm:(/?[A-Za-z0-9_./-]{1,1011})")


def check_reference(reference: str) -> None:
    """Refuse a reference that is not of one of the two forms.

    Raises:
        BadInput: As said; the value is not shown, since it may be a key pasted by mistake.
    """
    if not _SECRET.fullmatch(reference) and not _PARAMETER.fullmatch(reference):
        raise BadInput(
            "admin_key_reference_malformed",
            "--admin-key-from is neither secretsmanager:ARN nor ssm:NAME (the value is not shown, "
            "in case it is a key).",
            at_fault="--admin-key-from",
            remedy="Give secretsmanager:arn:aws:secretsmanager:…:secret:… or ssm:/path/name; "
            f"a key itself goes into {VARIABLE}.",
        )


def from_environment(value: str | None) -> AdminKey:
    """Return the key in `OPENAI_ADMIN_KEY`.

    Raises:
        BadInput: Unset, empty or malformed.
    """
    if not value:
        raise BadInput(
            "admin_key_missing",
            f"No admin key: {VARIABLE} is not set, and --admin-key-from was not given.",
            at_fault=VARIABLE,
            remedy=f"Set {VARIABLE} to an OpenAI admin key (sk-admin-…), or name where it is "
            "kept with --admin-key-from secretsmanager:ARN or ssm:NAME.",
        )
    return AdminKey(value, origin=VARIABLE)


def from_reference(reference: str, session: boto3.Session) -> AdminKey:
    """Return the key that Secrets Manager or SSM keeps (a SecureString is decrypted).

    Args:
        reference: As `check_reference` accepts it.
        session: Credentials that may read it.

    Raises:
        BadInput: The reference, or what is stored, is malformed.
        AwsRefused, NotReachable: As AWS answers.
    """
    check_reference(reference)
    if secret := _SECRET.fullmatch(reference):
        client = aws_session.client(session, "secretsmanager", region=secret[2])
        with aws_session.translated("secretsmanager:GetSecretValue"):
            value = client.get_secret_value(SecretId=secret[1]).get("SecretString") or ""
    else:
        client = aws_session.client(session, "ssm")
        with aws_session.translated("ssm:GetParameter"):
            found = client.get_parameter(Name=reference.removeprefix("ssm:"), WithDecryption=True)
            value = found["Parameter"]["Value"]
    return AdminKey(value, origin=reference)
