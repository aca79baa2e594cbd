"""Turn the exceptions of botocore into errors of this package.

botocore has about a hundred exceptions. Those of its HTTP client mean that AWS was not reached.
All others are raised on this machine before anything is sent: credentials, or configuration.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from botocore import exceptions as botocore

from openai_ekm.errors import AwsRefused, BadInput, NotReachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_ekm.errors import EkmError

__all__ = ["explain_failure", "explain_os_error", "translated"]

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_INVALID = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"}
)
# Classes of botocore, each with all that are derived from it.
_NOT_REACHED = frozenset({"ConnectionError", "HTTPClientError", "IncompleteReadError"})
_SSO = frozenset({"SSOError", "TokenRetrievalError", "NoAuthTokenError"})
_CREDENTIALS = _SSO | {
    "CredentialRetrievalError",
    "LoginError",
    "MetadataRetrievalError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "RefreshWithMFAUnsupportedError",
    "UnknownCredentialError",
}
_PROXIES: Final = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_FILES: Final = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_WEB_IDENTITY_TOKEN_FILE")


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever botocore raises into an error of ours.

    Args:
        doing: The AWS action, or what was going on, for the message.
    """
    try:
        yield
    except botocore.ClientError as failure:
        raise _refusal(doing, failure) from None
    except (botocore.BotoCoreError, botocore.HTTPClientError) as failure:
        raise explain_failure(doing, failure) from None
    except (OSError, ValueError) as failure:
        raise explain_os_error(doing, failure) from None
    except KeyError as missing:
        raise NotReachable(
            "aws_not_reachable",
            f"The answer to {doing} is not of AWS: it has no member {missing}.",
            remedy="Check the network, AWS_ENDPOINT_URL and AWS_REGION.",
        ) from None


def explain_failure(doing: str, failure: Exception) -> EkmError:
    """Return what an error of botocore, other than AWS's refusal, means."""
    names = {each.__name__ for each in type(failure).__mro__}
    words = str(failure).rstrip(".")
    if names & {"NoRegionError", "InvalidRegionError"}:
        return BadInput(
            "aws_region_missing",
            f"No usable AWS Region is set for {doing}: {words}.",
            at_fault="AWS_REGION",
            remedy="Set AWS_REGION to the Region that the record is in.",
        )
    if names & {"ProxyConnectionError", "InvalidProxiesConfigError"}:
        return _proxy(doing, words)
    if "SSLError" in names and _missing_files():
        return explain_os_error(doing, ValueError(words))
    if names & _NOT_REACHED:
        remedy = "Check the network, AWS_ENDPOINT_URL and AWS_REGION."
        if "SSLError" in names:
            remedy = (
                "If a proxy inspects TLS, name the file of its certificate in AWS_CA_BUNDLE. "
                "Else check AWS_ENDPOINT_URL."
            )
        elif any(map(os.environ.get, _PROXIES)):
            remedy = "Check the network, HTTPS_PROXY, NO_PROXY, AWS_ENDPOINT_URL and AWS_REGION."
        return NotReachable(
            "aws_not_reachable", f"AWS could not be reached for {doing}: {words}.", remedy=remedy
        )
    if names & _CREDENTIALS or "MissingDependencyException" in names:
        return BadInput(
            "aws_credentials_missing",
            f"There are no usable AWS credentials for {doing}: {words}.",
            at_fault="AWS credentials" if not _profile() else f"the AWS profile {_profile()}",
            remedy=_remedy(names),
        )
    return BadInput(
        "aws_configuration",
        f"The AWS configuration or a value is not accepted at {doing}: {words}.",
        remedy="Correct --profile or AWS_PROFILE, the AWS configuration file or the value named.",
    )


def explain_os_error(doing: str, failure: OSError | ValueError) -> EkmError:
    """Return what went wrong with a file, program or address that the configuration names."""
    named = getattr(failure, "filename", None)
    found = _settings_naming(named) if named else _missing_files()
    return BadInput(
        "aws_configuration",
        f"Something that the AWS configuration names cannot be used at {doing}: {failure}.",
        at_fault=", ".join(found) or "AWS configuration",
        remedy=f"Correct {' or '.join(found)}."
        if found
        else "Correct credential_process, web_identity_token_file, ca_bundle or AWS_ENDPOINT_URL.",
    )


def _profile() -> str:
    return os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or ""


def _remedy(names: set[str]) -> str:
    """Return how to get credentials of the kind that were looked for."""
    option = f" --profile {shlex.quote(_profile())}" if _profile() else ""
    export = f'eval "$(aws configure export-credentials{option} --format env)"'
    if names & _SSO:
        return f"Log in: aws sso login{option}."
    if "LoginError" in names:
        return f"Log in: aws login{option}."
    if names & {"MissingDependencyException", "RefreshWithMFAUnsupportedError"}:
        return f"Let the AWS CLI get them: {export}"
    return (
        "Give --profile, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. With "
        "a record in a file, registering needs no AWS."
    )


def _proxy(doing: str, words: str) -> EkmError:
    """Return the error for a proxy of the environment that fails before AWS answers."""
    for name in _PROXIES:
        if os.environ.get(name, "").lower().startswith("socks"):
            return BadInput(
                "aws_configuration",
                f"The proxy in {name} speaks SOCKS, and AWS's SDK speaks to HTTP proxies alone "
                f"(at {doing}).",
                at_fault=name,
                remedy="Name an HTTP proxy there, or AWS's hosts in NO_PROXY.",
            )
    return NotReachable(
        "aws_not_reachable",
        f"The proxy could not be reached for {doing}: {words}.",
        at_fault=next((name for name in _PROXIES if os.environ.get(name)), "the proxy"),
        remedy="Correct it, or name AWS's hosts in NO_PROXY.",
    )


def _settings_naming(file: object) -> list[str]:
    """Return the variables and the settings of profiles whose value is a file or begins with it."""
    found = [name for name in _FILES if os.environ.get(name) == file]
    profiles: dict[str, Any] = {}
    with contextlib.suppress(Exception):  # this is for a hint alone
        profiles = _core_session().full_config["profiles"]
    for profile, settings in profiles.items():
        for name, value in settings.items():
            if isinstance(value, str) and (value == file or value.split(" ")[0] == file):
                found.append(f"{name} of the profile {profile}")
    return found


def _core_session() -> Any:
    """Return botocore's own session, to read its configuration."""
    import botocore.session  # noqa: PLC0415 - imported only where AWS is called

    return botocore.session.Session()


def _missing_files() -> list[str]:
    """Return the settings that name a missing file: OpenSSL does not say which one."""
    named = {name: os.environ.get(name) for name in _FILES}
    with contextlib.suppress(Exception):  # this is for a hint alone
        bundle = _core_session().get_config_variable("ca_bundle")
        if bundle not in named.values():
            named["ca_bundle"] = bundle
    return [f"{name}={file}" for name, file in named.items() if file and not Path(file).exists()]


def _refusal(doing: str, failure: Any) -> EkmError:
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
