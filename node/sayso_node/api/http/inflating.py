"""Inflates compressed bodies piece by piece, so that few bytes never become many at once.

Deflate reaches a thousandfold. Messages and rows of hashes shrink to a third at best, so a body that
grows more than RATIO times is neither, and it is refused at the first byte beyond that.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from sayso_node.errors import BadRequest
from sayso_protocol.errors import TooLarge

RATIO: Final = 32  # inflated bytes for each byte received
FREE_BYTES: Final = 65_536  # inflated whatever the ratio is
PIECE_BYTES: Final = 65_536  # inflated at once
_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
_ENDED_EARLY: Final = "the body ended early, or is not valid in its encoding"


class Inflater:
    """Inflater decodes one body: `identity`, `gzip` (RFC 1952) or `deflate` (RFC 1950)."""

    def __init__(self, encoding: str) -> None:
        window = _WINDOWS.get(encoding)
        self._inflating = zlib.decompressobj(window) if window else None
        self._received = self._given = 0

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes of a part in pieces; raises BadRequest, TooLarge."""
        if self._inflating is None:
            yield part
            return
        self._received += len(part)
        try:
            while part and not self._inflating.eof:
                piece = self._inflating.decompress(part, PIECE_BYTES)
                part = self._inflating.unconsumed_tail
                self._check(len(piece))
                yield piece
        except zlib.error as error:
            raise BadRequest(_ENDED_EARLY) from error
        if part or self._inflating.unused_data:
            raise BadRequest("bytes follow the end of the compressed body")

    def finish(self) -> None:
        """Raise BadRequest if the body is not complete."""
        if self._inflating and not self._inflating.eof:
            raise BadRequest(_ENDED_EARLY)

    def _check(self, size: int) -> None:
        self._given += size
        if self._given > FREE_BYTES + RATIO * self._received:
            raise TooLarge(f"the body grows to more than {RATIO} times its compressed size")
