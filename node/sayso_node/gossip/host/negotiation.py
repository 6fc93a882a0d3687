"""Bounds the lines by which peers agree on a protocol: py-libp2p 0.8.1 reads as much as one announces.

They come before a peer has an identity, and on each stream.
"""

from typing import Final

from libp2p.exceptions import ParseError
from libp2p.io.abc import Reader
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.utils.varint import read_varint_prefixed_bytes_limited

MAX_LINE_BYTES: Final = 1024  # the name of a protocol of ours has less than 32


async def read_line(reader: Reader) -> bytes:
    """Return the next line without its end; raises ParseError, MessageTooLarge, IncompleteReadError."""
    line = await read_varint_prefixed_bytes_limited(reader, MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise ParseError("a line of multistream-select ends with a line break")
    return line[:-1]


def bound_lines() -> None:
    """Make all negotiations of this process read bounded lines."""
    multiselect_communicator.read_delim = read_line  # type: ignore[attr-defined]
