"""Names of peers: the libp2p peer id of an Ed25519 key and the address it is dialled at.

Pure, so that configuration and commands can name peers without libp2p installed.
"""

import ipaddress
from typing import Final

from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig

KEY_BYTES: Final = 32

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Identity multihash of a protobuf PublicKey{type: Ed25519, data: 32 bytes} (libp2p peer-ids spec).
_PREFIX: Final = bytes.fromhex("002408011220")


def peer_id_of(public_key: bytes) -> str:
    """The libp2p peer id of a 32-byte Ed25519 public key, in base58; raises InvalidNodeConfig."""
    if len(public_key) != KEY_BYTES:
        raise InvalidNodeConfig(f"an Ed25519 key has {KEY_BYTES} bytes, not {len(public_key)}")
    return _base58(_PREFIX + public_key)


def peer_id_of_seed(seed: bytes) -> str:
    """The libp2p peer id of the Ed25519 key that grows from a 32-byte seed."""
    if len(seed) != KEY_BYTES:
        raise InvalidNodeConfig(f"an Ed25519 seed has {KEY_BYTES} bytes, not {len(seed)}")
    return peer_id_of(bytes(SigningKey(seed).verify_key))


def multiaddr_for(host: str, port: int, peer_id: str = "") -> str:
    """The TCP multiaddr of a host (IPv4, IPv6 or a DNS name), with /p2p/ when an id is given."""
    try:
        kind = f"ip{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "dns"
    return f"/{kind}/{host}/tcp/{port}" + (f"/p2p/{peer_id}" if peer_id else "")


def split_multiaddr(address: str) -> tuple[str, str]:
    """(address without the peer, peer id) of a dialling address; raises InvalidNodeConfig."""
    where, separator, peer_id = address.rpartition("/p2p/")
    if not separator or not where.startswith("/") or "/tcp/" not in where or not peer_id:
        raise InvalidNodeConfig(f"{address!r} is not /ip4/HOST/tcp/PORT/p2p/PEER")
    if not set(peer_id) <= set(_ALPHABET):
        raise InvalidNodeConfig(f"{peer_id!r} is not a peer id in base58")
    return where, peer_id


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text
