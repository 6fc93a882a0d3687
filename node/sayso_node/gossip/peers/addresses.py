"""Peer IDs of Ed25519 keys, and the parsing of multiaddresses.

It does not need libp2p, so configuration and commands can use it without libp2p installed.
"""

import ipaddress
from typing import Final

from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig

KEY_BYTES: Final = 32

MAX_PORT: Final = 65535
PORT_DIGITS: Final = 5
ADDRESS_CHARS: Final = 512  # reading a peer ID costs the square of its length
LISTENING: Final = frozenset({"ip4", "ip6"})
DIALLING: Final = LISTENING | {"dns", "dns4", "dns6"}
_ENDS: Final = {LISTENING: ([], ["ws"]), DIALLING: ([], ["ws"], ["wss"])}  # TLS ends at a proxy

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Identity multihash of a protobuf PublicKey{type: Ed25519, data: 32 bytes} (libp2p peer-ids spec).
_PREFIX: Final = bytes.fromhex("002408011220")
_STRIPPED: Final = _PREFIX.lstrip(b"\0")  # without the leading zero bytes that a number cannot have
_HASHED: Final = bytes.fromhex("1220")  # SHA-256 multihash, used for larger key types


def peer_id_of(public_key: bytes) -> str:
    """Return the peer ID of a 32-byte Ed25519 public key in base58; raises InvalidNodeConfig."""
    if len(public_key) != KEY_BYTES:
        raise InvalidNodeConfig(f"an Ed25519 key has {KEY_BYTES} bytes, not {len(public_key)}")
    return _base58(_PREFIX + public_key)


def peer_id_of_seed(seed: bytes) -> str:
    """Return the peer ID of the Ed25519 key with this 32-byte seed."""
    if len(seed) != KEY_BYTES:
        raise InvalidNodeConfig(f"an Ed25519 seed has {KEY_BYTES} bytes, not {len(seed)}")
    return peer_id_of(bytes(SigningKey(seed).verify_key))


def split_multiaddr(address: str) -> tuple[str, str]:
    """Split a multiaddr into the address and the peer ID; raises InvalidNodeConfig."""
    if len(address) > ADDRESS_CHARS:
        raise InvalidNodeConfig(f"{address[:80]!r}... is longer than {ADDRESS_CHARS} characters")
    where, _, peer_id = address.rpartition("/p2p/")
    check_where(where, DIALLING)
    _check_peer_id(peer_id)
    return where, peer_id


def check_where(address: str, kinds: frozenset[str]) -> None:
    """Check that an address is /KIND/HOST/tcp/PORT, optionally with /ws or, for dialling, /wss.

    `kinds` is LISTENING or DIALLING. Raises InvalidNodeConfig.
    """
    match address.split("/"):
        case ["", kind, host, "tcp", port, *end] if (
            kind in kinds and host and _is_port(port) and end in _ENDS[kinds]
        ):
            if not 0 <= int(port) <= MAX_PORT:
                raise InvalidNodeConfig(f"{address!r} has no port below {MAX_PORT + 1}")
            if kind in LISTENING:
                check_ip(host, kind)
        case _:
            raise InvalidNodeConfig(
                f"{address!r} is not /KIND/HOST/tcp/PORT, optionally with /ws; KIND is one of "
                + ", ".join(sorted(kinds))
            )


def _is_port(text: str) -> bool:
    return len(text) <= PORT_DIGITS and text.isascii() and text.isdecimal()


def check_ip(text: str, kind: str = "") -> None:
    """Check that a text is an IP address, of `kind` ip4 or ip6 if given; raises InvalidNodeConfig."""
    try:
        right = f"ip{ipaddress.ip_address(text).version}" in ({kind} if kind else LISTENING)
    except ValueError:
        right = False
    if not right:
        raise InvalidNodeConfig(f"{text!r} is not an {kind or 'IP'} address")


def _check_peer_id(text: str) -> None:
    number = 0
    for character in text:
        if character not in _ALPHABET:
            raise InvalidNodeConfig(f"{text!r} is not a peer ID in base58")
        number = number * 58 + _ALPHABET.index(character)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if not any(data.startswith(p) and len(data) == len(p) + 32 for p in (_STRIPPED, _HASHED)):
        raise InvalidNodeConfig(f"{text!r} is not the peer ID of an Ed25519 or hashed key")


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = _ALPHABET[digit] + text
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + text
