"""The ways out of this machine: proxies, certificate authorities, and whether a host answers.

A host is asked by the same libraries as in every other call, so that what they read of the
environment counts here too. No credentials and no admin key are sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from botocore.utils import get_environ_proxies
from requests.utils import select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from openai_ekm.aws_session import client, translated
from openai_ekm.doctor.checks import Line, State, failed, unseen
from openai_ekm.doctor.facts import Authorities, Network, Proxy
from openai_ekm.errors import BadInput, EkmError, NotReachable
from openai_ekm.openai_api import transport
from openai_ekm.openai_api.base_url import host_of
from openai_ekm.openai_api.tls import CERTIFICATE_REMEDY, ClientCertificate, tls_context
from openai_ekm.openai_api.transport import proxies_for

if TYPE_CHECKING:
    import boto3

    from openai_ekm.doctor.clocks import Clocks
    from openai_ekm.doctor.facts import Given

__all__ = ["check_network", "read_network"]

_OPENAI_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def read_network(
    given: Given, session: boto3.Session | EkmError, region: str | None, clocks: Clocks
) -> Network:
    """Ask one host of AWS and one of OpenAI whether they answer.

    Args:
        given: Where OpenAI's API is, and the certificate that is shown to it.
        session: AWS's configuration, or why it cannot be read.
        region: Of the AWS host; None asks none.
        clocks: Takes the dates of the answers.
    """
    proxies: list[Proxy] = []
    proxy_error = _proxy_to_openai(given.base_url, proxies)
    authorities = _authorities()
    aws: str | EkmError | None = None
    openai: str | EkmError | None = None
    unresolved: list[str] = []
    if not isinstance(session, EkmError) and region is not None:
        aws = _ask_aws(session, region, proxies, unresolved)
    if proxy_error is None and authorities.unusable is None:
        through = any(each.called == "OpenAI" for each in proxies)
        openai = _ask_openai(given, through, clocks, unresolved)
    return Network(tuple(proxies), proxy_error, authorities, aws, openai, tuple(unresolved))


def _proxy_to_openai(base_url: str, proxies: list[Proxy]) -> BadInput | None:
    try:
        found = proxies_for(base_url)
    except BadInput as error:
        return error
    if found:
        proxies.append(Proxy("OpenAI", _address(found["https"])))
    return None


def _address(proxy: str) -> str:
    """Return a proxy without name and password."""
    try:
        url = parse_url(proxy)
    except LocationParseError:
        return "an address that cannot be read"
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme or 'http'}://{url.host}{port}"


def _authorities() -> Authorities:
    variable = next((name for name in _OPENAI_BUNDLES if os.environ.get(name)), None)
    openai = f"{variable}={os.environ[variable]}" if variable else None
    aws = _aws_bundle()
    file = aws.partition("=")[2] if aws is not None else ""
    missing = (aws,) if aws is not None and not Path(file).exists() else ()
    try:
        tls_context()
    except BadInput as error:
        return Authorities(openai, aws, missing, error)
    return Authorities(openai, aws, missing)


def _aws_bundle() -> str | None:
    """Return the list that botocore reads, as it looks for it."""
    import botocore.session  # noqa: PLC0415 - imported only where AWS is called

    if named := os.environ.get("AWS_CA_BUNDLE"):
        return f"AWS_CA_BUNDLE={named}"
    with contextlib.suppress(Exception):  # a broken configuration is told by the credentials
        configured = botocore.session.Session().get_config_variable("ca_bundle")
        if configured:
            return f"ca_bundle={configured}"
    value = os.environ.get("REQUESTS_CA_BUNDLE")
    return f"REQUESTS_CA_BUNDLE={value}" if value else None


def _ask_aws(
    session: boto3.Session, region: str, proxies: list[Proxy], unresolved: list[str]
) -> str | EkmError:
    """Ask STS without credentials: a refusal is an answer, too."""
    host = url = ""
    try:
        sts = client(session, "sts", region, attempts=1, unsigned=True)
        url = str(sts.meta.endpoint_url)
        host = host_of(url)
        proxy = select_proxy(url, get_environ_proxies(url))
        if proxy:
            address = _address(proxy)
            proxies.append(Proxy("AWS", address, usable=not address.startswith("socks")))
        with translated(f"asking {host} for an answer"), contextlib.suppress(ClientError):
            sts.get_caller_identity()
    except EkmError as error:
        if isinstance(error, NotReachable) and not any(each.called == "AWS" for each in proxies):
            _look_up(host, unresolved)
        return error
    return _origin(url)


def _origin(url: str) -> str:
    """Return scheme, host and port of a URL."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _ask_openai(
    given: Given, through: bool, clocks: Clocks, unresolved: list[str]
) -> str | EkmError | None:
    certificate = given.certificate
    if isinstance(certificate, EkmError):
        return None
    host = host_of(given.base_url)
    start = time.time()
    try:
        sender = transport.RequestsTransport(
            given.base_url,
            None,
            certificate=certificate if isinstance(certificate, ClientCertificate) else None,
        )
        answer = sender.send(transport.HttpRequest("HEAD", "", "HEAD"))
    except BadInput as error:
        return error
    except (transport.NeverSent, transport.AnswerLost) as failure:
        remedy = getattr(failure, "remedy", None)
        if remedy == CERTIFICATE_REMEDY:
            return _origin(
                given.base_url
            )  # it answers, and wants a certificate: openai_certificate says so
        if not through:
            _look_up(host, unresolved)
        return NotReachable(
            "openai_not_reachable",
            f"{host} did not answer: {failure}.",
            remedy=remedy or "Check the network, the proxy and OPENAI_BASE_URL.",
        )
    clocks.note(host, answer.headers.get("date"), start, time.time())
    return _origin(given.base_url)


def _look_up(host: str, unresolved: list[str]) -> None:
    """Note a host whose name has no address here."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        unresolved.append(host)


def check_network(network: Network, blocked: str | None) -> list[Line]:
    """Judge the network.

    Args:
        network: As read.
        blocked: Why no host of AWS was asked.
    """
    return [
        _proxies(network),
        _judge_authorities(network.authorities),
        _host("network_aws", network.aws, network.unresolved, blocked or "AWS was not asked."),
        _host("network_openai", network.openai, network.unresolved, _before_openai(network)),
    ]


def _before_openai(network: Network) -> str:
    """Return what kept OpenAI's host from being asked."""
    if network.proxy_error is not None:
        return "The proxy to OpenAI cannot be used (network_proxies)."
    if network.authorities.unusable is not None:
        return "The certificate authorities cannot be read (network_authorities)."
    return "The client certificate cannot be used (openai_certificate)."


def _proxies(network: Network) -> Line:
    check = "network_proxies"
    if network.proxy_error is not None:
        return failed(check, network.proxy_error)
    wrong = [each for each in network.proxies if not each.usable]
    if wrong:
        return Line(
            check,
            State.FAILURE,
            f"The proxy to {wrong[0].called}, {wrong[0].address}, speaks SOCKS; AWS's SDK speaks "
            "to HTTP proxies alone.",
            "Name an HTTP proxy in HTTPS_PROXY, or AWS's hosts in NO_PROXY.",
        )
    if not network.proxies:
        return Line(check, State.OK, "Neither AWS nor OpenAI is called through a proxy.")
    told = " and ".join(f"{each.called} through {each.address}" for each in network.proxies)
    return Line(check, State.OK, f"Calls go to {told}.")


def _judge_authorities(authorities: Authorities) -> Line:
    check = "network_authorities"
    if authorities.unusable is not None:
        return failed(check, authorities.unusable)
    if authorities.missing:
        return Line(
            check,
            State.FAILURE,
            f"There is no file where {authorities.missing[0]} names certificate authorities.",
            "Name a file of PEM certificates that can be read, or unset the variable.",
        )
    ours, theirs = authorities.openai, authorities.aws
    if ours is None and theirs is None:
        return Line(check, State.OK, "The usual certificate authorities are accepted.")
    if ours is None or theirs is None:
        without, given = ("OpenAI", theirs) if ours is None else ("AWS", ours)
        variable = "REQUESTS_CA_BUNDLE" if ours is None else "AWS_CA_BUNDLE"
        return Line(
            check,
            State.WARNING,
            f"{given} names certificate authorities, and calls to {without} do not use them.",
            f"Set {variable} to the same file if one proxy opens the TLS of both.",
        )
    return Line(check, State.OK, f"OpenAI is checked by {ours}, AWS by {theirs}.")


def _host(
    check: str, answer: str | EkmError | None, unresolved: tuple[str, ...], blocked: str
) -> Line:
    if answer is None:
        return unseen(check, blocked)
    if isinstance(answer, EkmError):
        line = failed(check, answer)
        host = next((each for each in unresolved if each in answer.message), None)
        host = host or (unresolved[0] if unresolved else None)
        if host is None:
            return line
        return Line(
            check,
            State.FAILURE,
            f"{line.found} The name {host} has no address here.",
            "Let this machine's DNS resolve it, or call through a proxy (HTTPS_PROXY).",
            line.family,
        )
    certificate = ", and its certificate is accepted" if answer.startswith("https:") else ""
    return Line(check, State.OK, f"{answer} answers{certificate}.")
