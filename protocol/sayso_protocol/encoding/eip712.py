"""EIP-712 hashes of values by type, and the domain of Sayso (rule 4.2)."""

from collections.abc import Callable, Iterable
from operator import methodcaller

from sayso_protocol.primitives import ADDRESS_BYTES, keccak

DOMAIN_NAME = "Sayso"
DOMAIN_VERSION = "1"
ADDRESS_PADDING = bytes(32 - ADDRESS_BYTES)  # before an address in its slot

DOMAIN_FIELDS = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)

encode_number: Callable[[int], bytes] = methodcaller("to_bytes", 32)


def type_string(name: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return the encodeType text of a struct (EIP-712)."""
    return f"{name}({','.join(f'{kind} {field}' for kind, field in fields)})"


def hash_text(text: str) -> bytes:
    """Return the hash of a `string`, 32 bytes (EIP-712)."""
    return keccak(text.encode())


def hash_texts(texts: Iterable[str]) -> bytes:
    """Return the hash of a `string[]`, 32 bytes (EIP-712)."""
    return keccak(b"".join(map(hash_text, texts)))


def hash_addresses(addresses: Iterable[bytes]) -> bytes:
    """Return the hash of a non-empty `address[]`, 32 bytes (EIP-712)."""
    return keccak(ADDRESS_PADDING + ADDRESS_PADDING.join(addresses))


def hash_numbers(numbers: Iterable[int]) -> bytes:
    """Return the hash of an array of integers, 32 bytes (EIP-712)."""
    return keccak(b"".join(map(encode_number, numbers)))


def hash_type(name: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """Return the typeHash of a struct, 32 bytes (EIP-712)."""
    return hash_text(type_string(name, fields))


_DOMAIN = hash_type("EIP712Domain", DOMAIN_FIELDS) + hash_text(DOMAIN_NAME) + hash_text(DOMAIN_VERSION)


def domain_separator(chain_id: int, registry: bytes) -> bytes:
    """Return the domain separator of messages signed under a network, 32 bytes (rule 4.2)."""
    return keccak(_DOMAIN + encode_number(chain_id) + ADDRESS_PADDING + registry)
