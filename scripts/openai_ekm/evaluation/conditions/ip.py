"""IpAddress: an address inside a range, IPv4 or IPv6.

Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
"""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from openai_ekm.policy.text_cache import cached_by_text

__all__ = ["DEFAULT_PREFIX", "MAPPED", "network", "within"]

# "If you specify an IP address without the associated routing prefix, IAM uses the default
# prefix value of /32": a single address of IPv4, and an unlikely range of IPv6.
DEFAULT_PREFIX = 32
# Addresses of IPv4 written as IPv6: AWS does not say whether they are the same.
MAPPED = IPv6Network("::ffff:0:0/96")


@cached_by_text(maxsize=1024)
def network(text: str) -> IPv4Network | IPv6Network | None:
    """Read an address or a CIDR range; None when the text is neither, or IPv4 written as IPv6.

    AWS does not say whether a prefix with a zero before it (`/00`, `/08`) is one.
    """
    address, slash, prefix = text.partition("/")
    digits = prefix.isascii() and prefix.isdigit() and (prefix == "0" or prefix[0] != "0")
    if "%" in text or (slash and not digits):
        return None
    try:
        read = ip_network(text if slash else address, strict=False)
    except ValueError:
        return None
    return None if isinstance(read, IPv6Network) and read.subnet_of(MAPPED) else read


@cached_by_text(maxsize=1024)
def address(text: str) -> IPv4Address | IPv6Address | None:
    """Read one address; None when the text is none, or an IPv4 one written as IPv6."""
    try:
        read = ip_address(text)
    except ValueError:
        return None
    if isinstance(read, IPv6Address) and (read.scope_id or read.ipv4_mapped):
        return None
    return read


def within(policy_value: str, request_value: str) -> bool | None:
    """Return whether the request's address lies in the policy's range.

    Returns:
        None when either cannot be read, or when the range is an IPv6 address without a prefix
        and the answer depends on what AWS takes it for.
    """
    single, range_ = address(request_value), network(policy_value)
    if single is None or range_ is None:
        return None
    if isinstance(range_, IPv4Network):
        return isinstance(single, IPv4Address) and single in range_
    if isinstance(single, IPv4Address):
        return False
    if single in range_:
        return True
    if "/" not in policy_value and single in range_.supernet(new_prefix=DEFAULT_PREFIX):
        return None
    return False
