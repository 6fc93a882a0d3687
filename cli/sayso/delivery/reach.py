"""Where a delivery may connect to: public addresses only, unless the user says otherwise.

The address is judged when a socket is made for it, after the name was resolved and whatever the URL
looks like (`127.1`, `2130706433`, a name that changes). So what is checked is what is connected to.
Redirects are not followed, and no proxy of the environment is used.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from yarl import URL

from sayso.delivery.errors import BadTarget, PrivateTarget

_GIVEN_OUT: Final = IPv6Network("2000::/3")  # all that IANA gives out for the public internet
# Addresses of these networks hold an IPv4 address, to which a gateway would connect.
_NAT64: Final = IPv6Network("64:ff9b::/96")
_LAST_32: Final = 0xFFFF_FFFF
AddressInfo = tuple[Any, ...]


def is_public(text: str) -> bool:
    """Return whether an IP address can be one of the public internet."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None and not _is_global(inner):
            return False
        if address.ipv4_mapped is not None or address in _NAT64:
            return True
        return address in _GIVEN_OUT and _is_global(address)
    return _is_global(address)


def _inner(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & _LAST_32)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def socket_factory(*, allow_private: bool) -> Callable[[AddressInfo], socket.socket]:
    """Return what makes the sockets of a connector; it raises PrivateTarget instead of connecting."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allow_private and not is_public(address[0]):
            raise PrivateTarget(f"{address[0]} is not a public address; --allow-private permits it")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)  # noqa: FBT003 - the standard library's
        return made

    return make


def _is_name_or_address(host: str) -> bool:
    """Return False for numbers that only some programs take for an address, such as 127.1."""
    if not host.replace(".", "").isdigit():
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def check_url(text: str, *, allow_private: bool) -> URL:
    """Return the URL of a target: https, or http if private addresses are allowed; raises BadTarget."""
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise BadTarget("--post takes a URL such as https://shop.example/hooks/sayso") from error
    schemes = ("https", "http") if allow_private else ("https",)
    if not _is_name_or_address(host or ""):
        raise BadTarget("the host of the URL is neither a name nor an address as usually written")
    if url.scheme not in schemes or not host or not port or url.fragment:
        raise BadTarget(f"--post takes a URL that begins with {schemes[0]}:// and names a host")
    if url.user is not None or url.password is not None:
        raise BadTarget("the URL has a user or a password; the signature says who sends")
    return url
