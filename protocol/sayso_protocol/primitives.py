"""Addresses, hashes and their text forms (rules 1.2 and 1.3).

Inside the program an address is 20 bytes and a hash 32 bytes; only files and interfaces use
hexadecimal text. An address with capital letters must have a correct EIP-55 checksum.
"""

import hashlib
import re
from functools import lru_cache

from sha3 import keccak_256

from sayso_protocol.errors import InvalidAddress, Malformed

ADDRESS_BYTES = 20
HASH_BYTES = 32
ANYONE = bytes(ADDRESS_BYTES)  # as a grantee
NOBODY = bytes(ADDRESS_BYTES)  # as a guardian

HEX_BYTES = 4_194_304  # the longest bytes that a text may hold, unless the reader says otherwise

_DIGITS = re.compile(r"0x[0-9a-f]*+", re.ASCII)  # one class of characters: no memory for each


def keccak(data: bytes) -> bytes:
    """Return the Keccak-256 hash, 32 bytes (Ethereum's, not SHA3-256)."""
    digest: bytes = keccak_256(data).digest()
    return digest


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 hash, 32 bytes (FIPS 180-4)."""
    return hashlib.sha256(data).digest()


def salted_item(salt: bytes, plain: bytes) -> bytes:
    """Return the item hash of private data from the SHA-256 of its bytes, 32 bytes (rule 1.5.1)."""
    return sha256(salt + plain)


def hex_text(data: bytes) -> str:
    """Return `0x` and lower-case hexadecimal digits."""
    return "0x" + data.hex()


def hash_from_text(text: str) -> bytes:
    """Read `0x` and 64 lower-case hexadecimal digits to 32 bytes (rule 1.3); raises Malformed."""
    try:
        value = bytes.fromhex(text[2:]) if len(text) == 2 + 2 * HASH_BYTES else b""
    except ValueError:
        value = b""
    # bytes.fromhex alone would skip white space and accept capitals.
    if not value or text != "0x" + value.hex():
        raise Malformed(f"not a hash (0x and 64 lower-case hexadecimal digits): {text[:80]!r}")
    return value


def bytes_from_text(text: str, most: int = HEX_BYTES) -> bytes:
    """Read `0x` and lower-case hexadecimal digits, two a byte, to `most` bytes; raises Malformed."""
    if not isinstance(text, str) or len(text) > 2 + 2 * most:
        raise Malformed(f"expected a text of at most {most:,} bytes in hexadecimal digits")
    if len(text) % 2 or not _DIGITS.fullmatch(text):
        raise Malformed("bytes are written as 0x and lower-case hexadecimal digits")
    return bytes.fromhex(text[2:])


@lru_cache(4_096)  # many notices name the same grantees and guardians
def address_text(address: bytes) -> str:
    """Return an address of 20 bytes in the mixed case of EIP-55 (rule 1.2)."""
    digits = address.hex()
    checksum = keccak(digits.encode()).hex()
    pairs = zip(digits, checksum, strict=False)
    return "0x" + "".join([digit.upper() if check > "7" else digit for digit, check in pairs])


def address_from_text(text: str) -> bytes:
    """Read an address in lower case or EIP-55 mixed case (rule 1.2); raises InvalidAddress."""
    if len(text) != 2 + 2 * ADDRESS_BYTES or not _DIGITS.fullmatch(text.lower()):
        raise InvalidAddress(f"not an address (0x and 40 hexadecimal digits): {text[:80]!r}")
    address = bytes.fromhex(text[2:])
    if text != text.lower() and text != address_text(address):
        raise InvalidAddress(f"the checksum of {text} is wrong; is there a typing mistake in it?")
    return address
