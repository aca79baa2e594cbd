"""AWS clients for the registrar, and botocore's errors in our words."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from ekm.errors import AwsRefused, BadInput, NotReachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import boto3

    from ekm.errors import EkmError

__all__ = ["check_account", "client", "new_session", "translated"]

CONNECT_TIMEOUT: Final = 5  # seconds; AWS's endpoints answer at once or are not reachable
READ_TIMEOUT: Final = 20  # seconds; small requests
ATTEMPTS: Final = 4  # with botocore's standard back-off

_CREDENTIALS = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "MetadataRetrievalError",
        "TokenRetrievalError",
        "SSOTokenLoadError",
        "UnauthorizedSSOTokenError",
        "LoginError",
    }
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_INVALID = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}
)


def new_session() -> boto3.Session:
    """A session from AWS's usual environment and files."""
    import boto3  # noqa: PLC0415 - imported only where AWS is called

    with translated("reading the AWS configuration"):
        # AWS_REGION is what AWS's other SDKs and Terraform read; boto3 does not.
        return boto3.Session(region_name=os.environ.get("AWS_REGION") or None)


def client(session: boto3.Session, service: str, region: str | None = None) -> Any:
    """A client with time-outs; `region` overrides the environment's."""
    from botocore.config import Config  # noqa: PLC0415 - see above

    config = Config(
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    )
    with translated(f"making a client for {service}"):
        return session.client(service, region_name=region, config=config)  # type: ignore[call-overload]


def check_account(session: boto3.Session, account: str) -> None:
    """Stop before a record is read or written in somebody else's account.

    Args:
        session: The credentials that will be used.
        account: The 12 digits of the role's account.

    Raises:
        BadInput: The credentials are of another account.
    """
    with translated("sts:GetCallerIdentity"):
        found = client(session, "sts").get_caller_identity()["Account"]
    if found != account:
        raise BadInput(
            "wrong_account",
            f"The AWS credentials are of account {found}; role_arn is in account {account}.",
            at_fault="AWS credentials",
            remedy=f"Use credentials of account {account} (AWS_PROFILE, AWS_ACCESS_KEY_ID), or a "
            "file record, which needs no AWS.",
        )


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever botocore raises into an error of ours.

    Args:
        doing: The AWS action, or what was going on, for the message.
    """
    from botocore import exceptions as botocore  # noqa: PLC0415 - see above

    try:
        yield
    except botocore.ClientError as failure:
        raise _refused(doing, failure) from None
    except (botocore.BotoCoreError, botocore.HTTPClientError) as failure:
        raise _failed(doing, failure) from None
    except (OSError, ValueError) as failure:  # a credential_process, a CA bundle, an endpoint
        raise BadInput(
            "aws_configuration",
            f"Something that the AWS configuration names cannot be used at {doing}: {failure}.",
            at_fault="AWS configuration",
            remedy="Correct credential_process, ca_bundle or AWS_ENDPOINT_URL.",
        ) from None


def _refused(doing: str, failure: Any) -> EkmError:
    error = failure.response.get("Error", {})
    metadata = failure.response.get("ResponseMetadata", {})
    code, words = error.get("Code", "Unknown"), error.get("Message") or "(no message)"
    request_id = metadata.get("RequestId")
    if metadata.get("HTTPStatusCode", 0) >= 500:  # noqa: PLR2004 - HTTP's own number
        return NotReachable(
            "aws_not_reachable",
            f"AWS failed at {doing} ({code}): {words}",
            remedy="Try again; the command resumes where it was.",
            request_id=request_id,
        )
    if code in _EXPIRED or code in _INVALID:
        return AwsRefused(
            "aws_credentials_refused",
            f"AWS does not accept the credentials at {doing} ({code}): {words}",
            at_fault="AWS credentials",
            remedy="Log in again (aws sso login), or set the AWS_* variables anew.",
            request_id=request_id,
        )
    return AwsRefused(
        "aws_refused",
        f"AWS refused {doing} ({code}): {words}",
        remedy="docs/permissions.md lists what each identity needs.",
        request_id=request_id,
    )


def _failed(doing: str, failure: Exception) -> EkmError:
    name, words = type(failure).__name__, str(failure).rstrip(".")
    if name in _CREDENTIALS:
        return BadInput(
            "aws_credentials_missing",
            f"There are no usable AWS credentials for {doing}: {words}.",
            at_fault="AWS credentials",
            remedy="Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a "
            "file record, which needs no AWS.",
        )
    if name in {"NoRegionError", "InvalidRegionError"}:
        return BadInput(
            "aws_region_missing",
            f"No usable AWS Region is set for {doing}: {words}.",
            at_fault="AWS_REGION",
            remedy="Set AWS_REGION to the Region that the record is in.",
        )
    if name in {"ProfileNotFound", "ConfigParseError", "ConfigNotFound", "ParamValidationError"}:
        return BadInput(
            "aws_configuration",
            f"The AWS configuration or a value is not accepted at {doing}: {words}.",
            remedy="Correct AWS_PROFILE, the AWS configuration file or the value named.",
        )
    return NotReachable(
        "aws_not_reachable",
        f"AWS could not be reached for {doing}: {words}.",
        remedy="Check the network, AWS_ENDPOINT_URL and AWS_REGION.",
    )
