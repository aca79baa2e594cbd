"""The sockets of a rehearsal: loopback only, and closed when it ends."""

from __future__ import annotations

import contextlib
import ipaddress
import random
import socket
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence


__all__ = ["beyond_loopback", "ended", "family", "free_port", "listening"]

OWN_PORTS = range(20_000, 32_000)
END_SECONDS = 60.0  # how long a process that was told to stop may take


def free_port() -> int:
    """Return a TCP port that nothing listens on at this moment.

    It is below those that the kernel gives out by itself, of Linux (32768) as of IANA (49152): one
    of these may go to somebody's outgoing connection before a server has begun to listen.
    """
    for port in random.sample(OWN_PORTS, 100):  # nosec B311 # spreads ports; no secret
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def listening(pid: int) -> frozenset[tuple[str, int]]:
    """Return what a process and its descendants listen on, TCP and UDP.

    Args:
        pid: A process of this user.

    Returns:
        Pairs of address and port.
    """
    found: set[tuple[str, int]] = set()
    for process in family(pid):
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


def family(*pids: int) -> list[psutil.Process]:
    """Return processes and all their descendants, those that are there.

    Args:
        pids: Processes of this user.
    """
    found: list[psutil.Process] = []
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found


def ended(processes: Sequence[psutil.Process]) -> bool:
    """Wait for processes to be gone, and tell whether they are.

    Args:
        processes: What `family` returned before they were told to stop.
    """
    _, alive = psutil.wait_procs(processes, timeout=END_SECONDS)
    return not alive
