"""Which sockets a rehearsal listens on: loopback only, and a test says so."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["beyond_loopback", "free_port", "listening"]


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def listening(pid: int) -> frozenset[tuple[str, int]]:
    """Return what a process and its descendants listen on, TCP and UDP.

    Args:
        pid: A process of this user.

    Returns:
        Pairs of address and port.
    """
    import psutil  # noqa: PLC0415 - of the rehearsal extra

    found: set[tuple[str, int]] = set()
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return frozenset()
    for process in family:
        try:
            connections = process.net_connections(kind="inet")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        found.update(
            (connection.laddr.ip, connection.laddr.port)
            for connection in connections
            if connection.status == psutil.CONN_LISTEN
            or (connection.type == socket.SOCK_DGRAM and not connection.raddr)
        )
    return frozenset(found)


def beyond_loopback(pid: int) -> frozenset[tuple[str, int]]:
    """Return what a process and its descendants listen on that other machines could reach."""
    return frozenset(
        (address, port)
        for address, port in listening(pid)
        if not ipaddress.ip_address(address.split("%")[0]).is_loopback
    )
