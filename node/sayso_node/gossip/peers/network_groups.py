"""The network group of an address, and whether an address is public or private.

One owner of a network can use any number of addresses, so discovery limits addresses per group
(docs/protocol.md, 14.6).
"""

import ipaddress
from typing import Final

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.addresses import LISTENING, check_where, split_multiaddr

MAX_ADDRESS_CHARS: Final = 160
_PREFIXES: Final = {4: 16, 6: 32}  # bits of an address that name its group

IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_told(address: str) -> tuple[str, str]:
    """Split an address that a peer named into address and peer ID; raises InvalidNodeConfig.

    Rule 14.2 allows IPs only, so no TLS: a DNS name could resolve to another machine for each node.
    """
    if len(address) > MAX_ADDRESS_CHARS:
        raise InvalidNodeConfig(
            f"the address has {len(address)} characters, more than {MAX_ADDRESS_CHARS}"
        )
    where, peer_id = split_multiaddr(address)
    check_where(where, LISTENING)
    return where, peer_id


def can_be_told(where: str) -> bool:
    """Return whether peers may name an address, given without the peer ID, to each other."""
    try:
        check_where(where, LISTENING)
    except InvalidNodeConfig:
        return False
    return True


def ip_of(where: str) -> IP:
    """Return the IP of /ip4/... or /ip6/...; an IPv4-mapped IPv6 address is returned as IPv4."""
    ip = ipaddress.ip_address(where.split("/")[2])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return mapped or ip


def group_of(where: str) -> str:
    """Return the group of an address: its /16 for IPv4, its /32 for IPv6."""
    ip = ip_of(where)
    return str(ipaddress.ip_network((ip, _PREFIXES[ip.version]), strict=False))


def can_be_dialled(where: str, *, private: bool) -> bool:
    """Return whether to dial an address heard from a peer; `private` if we are in a private network."""
    ip = ip_of(where)
    if ip.is_unspecified or ip.is_multicast or int(where.split("/")[4]) == 0:
        return False
    return ip.is_global or private


def is_private(where: str) -> bool:
    """Return whether an address is private (10/8, loopback and so on); DNS names are not."""
    if where.split("/")[1] not in LISTENING:
        return False
    ip = ip_of(where)
    return not ip.is_global and not ip.is_unspecified
