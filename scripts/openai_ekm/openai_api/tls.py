"""Which certificates are accepted, and which one is shown: read and checked before any call."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openai_ekm.errors import BadInput

__all__ = [
    "CERTIFICATE_REMEDY",
    "CERTIFICATE_VARIABLE",
    "KEY_VARIABLE",
    "ClientCertificate",
    "client_certificate",
    "tls_context",
]

# The names that OpenAI's own examples use: https://github.com/openai/openai-node (examples/mtls).
CERTIFICATE_VARIABLE: Final = "OPENAI_MTLS_CERT_PATH"
KEY_VARIABLE: Final = "OPENAI_MTLS_KEY_PATH"
CERTIFICATE_REMEDY: Final = (
    "The organization wants a client certificate that it trusts (mutual TLS): set "
    f"{CERTIFICATE_VARIABLE} and {KEY_VARIABLE} to its files, and OPENAI_BASE_URL to "
    "https://mtls.api.openai.com/v1 (Europe: https://mtls-eu.api.openai.com/v1)."
)
# In the order in which requests, and with it boto3's neighbours, read them.
_BUNDLE_VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate and its private key, each a PEM file.

    Args:
        certificate: The leaf first, then what leads to the trust anchor at OpenAI.
        key: Its private key, not encrypted; the same file when it holds both.
    """

    certificate: str
    key: str


def client_certificate(certificate: str | None, key: str | None) -> ClientCertificate | None:
    """Return the certificate to show to OpenAI, None when none is given.

    Args:
        certificate: Of an option or the environment; empty is none.
        key: Likewise; may be left out when the certificate's file holds it.

    Raises:
        BadInput: There is a key, and no certificate.
    """
    if key and not certificate:
        raise BadInput(
            "client_certificate_unusable",
            f"{KEY_VARIABLE} names a private key, and {CERTIFICATE_VARIABLE} no certificate.",
            at_fault=CERTIFICATE_VARIABLE,
            remedy=f"Set {CERTIFICATE_VARIABLE} to the PEM file of the certificate, or unset both.",
        )
    return ClientCertificate(certificate, key or certificate) if certificate else None


def tls_context(shown: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the TLS context that checks OpenAI's certificate and shows the customer's.

    Args:
        shown: The certificate of mutual TLS, or None.

    Returns:
        A context that accepts the authorities of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE alone (a
        file, or a folder as `openssl rehash` makes it), else those of certifi.

    Raises:
        BadInput: A file is not there, cannot be read, or is not what it should be.
    """
    import certifi  # noqa: PLC0415 - `--help` needs none of it
    from urllib3.util.ssl_ import create_urllib3_context  # noqa: PLC0415 - see above

    context = create_urllib3_context()
    variable = next((name for name in _BUNDLE_VARIABLES if os.environ.get(name)), None)
    bundle = Path(os.environ[variable] if variable else certifi.where())
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=str(bundle))
        else:
            context.load_verify_locations(cafile=str(bundle))
    except (OSError, ValueError) as failure:
        raise _bundle_error(variable, bundle, failure) from None
    if shown is not None:
        _show(context, shown)
    return context


def _bundle_error(variable: str | None, bundle: Path, failure: Exception) -> BadInput:
    return BadInput(
        "ca_bundle_unusable",
        f"The list of certificate authorities {str(bundle)!r}, which {variable or 'certifi'} "
        f"names, cannot be used: {_reason(failure)}.",
        at_fault=variable or "certifi",
        remedy=f"Set {variable} to a file of PEM certificates that can be read, or unset it."
        if variable
        else "Install the requirements again.",
    )


def _show(context: ssl.SSLContext, shown: ClientCertificate) -> None:
    def refuse() -> str:
        raise ValueError("the private key is encrypted")  # and OpenSSL would ask at the terminal

    for variable, path in ((CERTIFICATE_VARIABLE, shown.certificate), (KEY_VARIABLE, shown.key)):
        try:
            Path(path).read_bytes()
        except (OSError, ValueError) as failure:
            raise _certificate_error(variable, path, failure) from None
    try:
        context.load_cert_chain(shown.certificate, shown.key, password=refuse)
    except (OSError, ValueError) as failure:
        raise _certificate_error(CERTIFICATE_VARIABLE, shown.certificate, failure) from None


def _certificate_error(variable: str, path: str, failure: Exception) -> BadInput:
    return BadInput(
        "client_certificate_unusable",
        f"The client certificate cannot be used: {variable} names {path!r}, and "
        f"{_reason(failure)}.",
        at_fault=variable,
        remedy=f"{CERTIFICATE_VARIABLE} must name a PEM file with the certificate and what leads "
        f"to its authority, {KEY_VARIABLE} its private key in PEM, not encrypted.",
    )


def _reason(failure: Exception) -> str:
    """Return a cause in words: OpenSSL's own are `[X509: NO_CERTIFICATE_OR_CRL_FOUND] …`."""
    if isinstance(failure, ssl.SSLError):
        reason = failure.reason or ""
        if "MISMATCH" in reason:
            return "certificate and key do not belong together"
        return "it holds no PEM certificate or key that can be read" + (
            f" ({reason.replace('_', ' ').lower()})" if reason else ""
        )
    if isinstance(failure, FileNotFoundError):
        return "there is no such file"
    if isinstance(failure, OSError) and failure.strerror:
        return failure.strerror[:1].lower() + failure.strerror[1:]
    return str(failure)
