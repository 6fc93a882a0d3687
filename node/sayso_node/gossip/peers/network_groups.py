"""Where an address is, as far as it can be seen: which network it is in, and whether all can reach it.

Addresses are free for whoever owns a network, and networks are not: limits of discovery are per group
(docs/protocol.md, 14.6).
"""

import ipaddress
from typing import Final

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.addresses import LISTENING, check_where, split_multiaddr

MAX_ADDRESS_CHARS: Final = 160
_PREFIXES: Final = {4: 16, 6: 32}  # bits of an address that are a group

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_told(address: str) -> tuple[str, str]:
    """(address without the peer, peer id) of what a peer told; raises InvalidNodeConfig.

    14.2: numbers only, so no TLS. A name could mean another machine for everybody who resolves it.
    """
    if len(address) > MAX_ADDRESS_CHARS:
        raise InvalidNodeConfig(
            f"an address of {len(address)} characters, of at most {MAX_ADDRESS_CHARS}"
        )
    where, peer_id = split_multiaddr(address)
    check_where(where, LISTENING)
    return where, peer_id


def can_be_told(where: str) -> bool:
    """Whether an address, without the peer, is one that peers tell each other."""
    try:
        check_where(where, LISTENING)
    except InvalidNodeConfig:
        return False
    return True


def ip_of(where: str) -> IP:
    """The IP of /ip4/... or /ip6/...; an IPv4 address in IPv6 clothes is the IPv4 address."""
    ip = ipaddress.ip_address(where.split("/")[2])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def group_of(where: str) -> str:
    """The network that an address is in: a /16 of IPv4, a /32 of IPv6."""
    ip = ip_of(where)
    return str(ipaddress.ip_network((ip, _PREFIXES[ip.version]), strict=False))


def can_be_dialled(where: str, *, private: bool) -> bool:
    """Whether to dial an address on somebody's word; `private`: we live in such a network ourselves."""
    ip = ip_of(where)
    if ip.is_unspecified or ip.is_multicast or int(where.split("/")[4]) == 0:
        return False
    return ip.is_global or private


def is_private(where: str) -> bool:
    """Whether it says a machine of a network of its own (10/8, loopback and so on); names do not."""
    if where.split("/")[1] not in LISTENING:
        return False
    ip = ip_of(where)
    return not ip.is_global and not ip.is_unspecified
