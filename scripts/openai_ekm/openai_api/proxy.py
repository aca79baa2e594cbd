"""Which proxy a call goes through: what the environment says, checked before any call."""

from __future__ import annotations

import importlib.util
import os
from typing import Final

from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from openai_ekm.errors import BadInput
from openai_ekm.openai_api.base_url import host_of, is_loopback

__all__ = ["proxies_for"]

_SCHEMES: Final = frozenset({"http", "https"})
_SOCKS: Final = frozenset({"socks4", "socks4a", "socks5", "socks5h"})

_FORMS: Final = "address with a host that begins http, https, socks4, socks4a, socks5 or socks5h"


def proxies_for(base_url: str) -> dict[str, str]:
    """Return the proxies for a base URL, as requests takes them; none for this machine itself.

    Args:
        base_url: As `parse_base_url` returns it.

    Raises:
        BadInput: The variable that counts here names no proxy that can be used. Its value is not
            shown: it may hold a password.
    """
    if is_loopback(host_of(base_url)):
        return {}

    found = get_environ_proxies(base_url)
    proxy = select_proxy(base_url, found)
    if not proxy:
        return {}
    variable = next(
        (name for name in _names(base_url) if os.environ.get(name) == proxy), "the proxy"
    )

    full = proxy if "://" in proxy else f"http://{proxy}"
    try:
        url = parse_url(full)
    except LocationParseError:
        raise _bad(variable, "cannot be read as a URL") from None
    if not url.host or url.scheme not in _SCHEMES | _SOCKS:
        raise _bad(
            variable,
            "is no address with a host that begins http, https, socks4, socks4a, socks5 or socks5h",
        )
    if url.scheme in _SOCKS and importlib.util.find_spec("socks") is None:
        raise BadInput(
            "socks_proxy_unsupported",
            f"{variable} names a SOCKS proxy ({url.scheme}), and PySocks, which speaks SOCKS, is "
            "not installed beside this program.",
            at_fault=variable,
            remedy="Name an http proxy instead; or, where OpenAI can be reached directly, add its "
            f"host to NO_PROXY ({host_of(base_url)}); or install PySocks where you installed "
            "openai-ekm-aws yourself, and let the module run that (registrar_command).",
        )
    return {"https": full, "http": full}


def _names(base_url: str) -> list[str]:
    scheme = base_url.partition(":")[0]
    return [f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY"]


def _bad(variable: str, wrong: str) -> BadInput:
    return BadInput(
        "proxy_malformed",
        f"{variable} {wrong} (the value is not shown, since it may hold a password).",
        at_fault=variable,
        remedy=f"Write {variable} as http://HOST:PORT or socks5h://HOST:PORT, or unset it.",
    )
