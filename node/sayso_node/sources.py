"""Decides who a connection or request is from; shares of everything bounded are counted by this source.

A source is an IPv4 address or an IPv6 /64, because one customer has a whole /64. What a request says
about itself is believed only from a proxy that the operator has named, and then only up to the first
address that is no such proxy, read from the right: what stands further left, the client may have made
up. If a named proxy says nothing readable, or `Forwarded` and `X-Forwarded-For` differ, the source is
the proxy.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import Final

from sayso_node.errors import InvalidNodeConfig

MOST_PROXIES: Final = 64
MOST_HOPS: Final = 16  # entries of a header that are read
UNKNOWN: Final = ""  # the one source of all whose address is not known
_IPV6_SITE_BITS: Final = 64
_PAIR: Final = re.compile(  # RFC 7239, section 4: a token, and a token or a quoted string
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z:-]+)|\"((?:[^\"\\]|\\.)*)\")", re.ASCII
)
_NEXT: Final = re.compile(r"[ \t]*(?:([;,])[ \t]*|\Z)", re.ASCII)
_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?", re.ASCII)
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The reverse proxies that the operator has named, as addresses or networks.

    Raises InvalidNodeConfig for what is neither, and for a network that holds everybody.
    """

    def __init__(self, named: Sequence[str] = ()) -> None:
        if len(named) > MOST_PROXIES:
            raise InvalidNodeConfig(f"trusted_proxies may name {MOST_PROXIES} proxies at most")
        self._networks = [_network(one) for one in named]

    def __contains__(self, address: str | None) -> bool:
        """Return whether this address is that of a named proxy."""
        ip = _ip(address or "")
        return ip is not None and self._has(ip)

    def source(
        self, peer: str | None, x_forwarded_for: Iterable[str] = (), forwarded: Iterable[str] = ()
    ) -> str:
        """Return the source of a request.

        Args:
            peer: The address that the connection comes from, None if it is gone.
            x_forwarded_for: The values of all headers `X-Forwarded-For`, in order.
            forwarded: The values of all headers `Forwarded` (RFC 7239), in order.
        """
        ip = _ip(peer or "")
        if ip is None:
            return UNKNOWN
        if not self._has(ip):
            return _unit(ip)
        said = {
            self._client(read(", ".join(values)))
            for read, values in ((_list, list(x_forwarded_for)), (_elements, list(forwarded)))
            if values
        }
        found = said.pop() if len(said) == 1 else None
        return _unit(found or ip)

    def _has(self, ip: IP) -> bool:
        return any(ip in network for network in self._networks)

    def _client(self, hops: Sequence[str]) -> IP | None:
        """Return the last hop that is no named proxy; None if one is not readable before that."""
        for hop in hops[: -MOST_HOPS - 1 : -1]:
            ip = _ip(_without_port(hop))
            if ip is None or not self._has(ip):
                return ip
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        found = ipaddress.ip_network(text)
    except ValueError:
        raise InvalidNodeConfig(f"trusted_proxies: {text!r} is not an IP address or network") from None
    if not found.prefixlen:
        raise InvalidNodeConfig(f"trusted_proxies: {text!r} holds everybody; name your proxies only")
    return found


def _ip(text: str) -> IP | None:
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if isinstance(ip, ipaddress.IPv6Address) else ip


def _unit(ip: IP) -> str:
    if ip.version == 6:
        return str(ipaddress.ip_network((ip, _IPV6_SITE_BITS), strict=False))
    return str(ip)


def _without_port(text: str) -> str:
    """Return the address of `IP`, `IP:PORT`, `[IP]` or `[IP]:PORT`; other texts as they are."""
    match = _PORT.fullmatch(text)
    return match[1] or match[2] if match else text


def _list(text: str) -> list[str]:
    return [one.strip(" \t") for one in text.split(",")]


def _elements(text: str) -> list[str]:
    """Return the `for` of each element of a `Forwarded`; nothing if the whole is not as in RFC 7239."""
    found, fields, at = list[str](), dict[str, str](), 0
    while pair := _PAIR.match(text, at):
        name = pair[1].lower()
        if name in fields:
            return []
        fields[name] = pair[2] if pair[3] is None else re.sub(r"\\(.)", r"\1", pair[3])
        then = _NEXT.match(text, pair.end())
        if then is None:
            return []
        at = then.end()
        if then[1] != ";":
            found.append(fields.get("for", ""))
            fields = {}
        if then[1] is None:
            return found
    return []
