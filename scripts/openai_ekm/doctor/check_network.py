"""Checks of the ways out of this machine: proxies, certificate authorities, hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openai_ekm.doctor.line import Line, State, failed, unseen
from openai_ekm.errors import EkmError

if TYPE_CHECKING:
    from openai_ekm.doctor.facts import Authorities, Network

__all__ = ["check_network"]


def check_network(network: Network, blocked: str | None) -> list[Line]:
    """Judge the network.

    Args:
        network: As read.
        blocked: Why no host of AWS was asked.
    """
    return [
        _proxies(network),
        _authorities(network.authorities),
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


def _authorities(authorities: Authorities) -> Line:
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
