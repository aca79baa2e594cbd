"""Loopback never goes through a proxy: what is on this machine is not the proxy's to reach.

Go programs such as Terraform know this by themselves; boto3 and curl do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["keep_from_proxies"]

_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy"})
_NAMES: Final = ("localhost", "127.0.0.1", "::1", "[::1]")  # the last one as boto3 compares it


def keep_from_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that keep loopback from the proxies of an environment.

    Args:
        environment: Variables of a process; one without a proxy needs nothing.
    """
    if not any(value and name.lower() in _PROXIES for name, value in environment.items()):
        return {}
    # Both spellings are read, by some programs the one and by some the other first.
    named = ",".join(filter(None, map(environment.get, ("no_proxy", "NO_PROXY"))))
    given = [each.strip() for each in named.split(",") if each.strip()]
    if "*" in given:
        return {"NO_PROXY": "*", "no_proxy": "*"}
    names = ",".join(dict.fromkeys([*given, *_NAMES]))
    return {"NO_PROXY": names, "no_proxy": names}
