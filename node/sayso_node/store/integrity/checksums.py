"""Checksums against damage: bad memory, a bad disk, a lost write, a careless hand.

They are CRC-32 (zlib), as file systems and databases use: no key, so they are no protection against
whoever may write the store and means to. A sum covers the key of its row, so that no row passes for
another, and is kept in another row or table than what it covers.
"""

import struct
from zlib import crc32

from sayso_node.errors import StoreDamaged

SUM_BYTES = 4
_DATED = struct.Struct(">qd").pack


def sum_of(*parts: bytes) -> int:
    """Return the checksum of joined parts, of which all but the last have fixed lengths."""
    return crc32(b"".join(parts))


def packed_sum(*parts: bytes) -> bytes:
    """Return the same as 4 bytes."""
    return sum_of(*parts).to_bytes(SUM_BYTES)


def of_message(digest: bytes, kind: int, body: bytes, arrived_at: float) -> int:
    """Return the checksum of a message; its arrival counts as an eight-byte float."""
    return crc32(body, crc32(_DATED(kind, arrived_at), crc32(digest)))


def check_message(digest: bytes, kind: int, body: bytes, arrived_at: float, kept: int | None) -> None:
    """Compare a message with its checksum; raises StoreDamaged."""
    if kept != crc32(body, crc32(_DATED(kind, arrived_at), crc32(digest))):
        raise StoreDamaged(f"the message {digest.hex()} is not what was stored")
