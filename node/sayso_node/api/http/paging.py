"""Paging of lists. A cursor is opaque: the last row's number, authenticated for one list of one node.

Rows are ordered by a number that only grows and is never reused. So new rows never make a page repeat or
skip one.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, NamedTuple, TypeVar

from aiohttp import web
from nacl.signing import SigningKey

from sayso_node.errors import BadCursor, BadRequest

SEAL_BYTES: Final = 12
_PLACE_BYTES: Final = 8
_CURSOR: Final = re.compile(r"[A-Za-z0-9_-]{27}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,6}", re.ASCII)
T = TypeVar("T")


class Wanted(NamedTuple):
    """A page request: the row after which it begins, and its size."""

    after: int
    limit: int


class Pages:
    """Issues and reads cursors."""

    def __init__(self, identity: SigningKey) -> None:
        self._key = blake2b(bytes(identity), digest_size=32, person=b"sayso cursor 1").digest()

    def wanted(self, request: web.BaseRequest, largest: int) -> Wanted:
        """Read `limit` and `cursor`; raises BadRequest and BadCursor."""
        query = request.query
        limit = query.get("limit", str(largest))
        if not _COUNT.fullmatch(limit) or not 1 <= int(limit) <= largest:
            raise BadRequest(f"limit must be a number from 1 to {largest:,}")
        cursor = query.get("cursor")
        return Wanted(self._read(request.path, cursor) if cursor is not None else 0, int(limit))

    def page(
        self, request: web.BaseRequest, found: Sequence[T], places: Sequence[int], limit: int
    ) -> tuple[Sequence[T], str | None]:
        """Return the rows of a page and the next cursor; `places` has one more if there is one."""
        if len(places) <= limit:
            return found, None
        return found[:limit], self._give(request.path, places[limit - 1])

    def _give(self, path: str, place: int) -> str:
        body = place.to_bytes(_PLACE_BYTES)
        return _text(body + self._seal(path, body))

    def _read(self, path: str, cursor: str) -> int:
        if _CURSOR.fullmatch(cursor):
            data = urlsafe_b64decode(cursor + "=")
            body, seal = data[:_PLACE_BYTES], data[_PLACE_BYTES:]
            # Only the spelling that was issued is valid.
            if compare_digest(seal, self._seal(path, body)) and _text(data) == cursor:
                return int.from_bytes(body)
        raise BadCursor("this node did not issue the cursor for this list; start again without a cursor")

    def _seal(self, path: str, body: bytes) -> bytes:
        return blake2b(body + path.lower().encode(), digest_size=SEAL_BYTES, key=self._key).digest()


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
