"""Sync: how two nodes find out what one of them lacks (docs/protocol.md, section 11).

Rule 11.1: over `/sayso/sync/1` a node asks for a page of the digests of one kind in ascending order, and
for messages by digest. Rule 11.2: an answer to the first is an array of digests, to the second a bundle
of at most 4 MiB that may hold fewer than were asked for, but never none of what is held. What moves are
signed messages; who asks verifies them like any other.
"""

from dataclasses import dataclass

from sayso_protocol.envelope import CONSENT, REVOCATION
from sayso_protocol.errors import Malformed
from sayso_protocol.packing import all_of, fields, pack, unpack
from sayso_protocol.primitives import HASH_BYTES

PAGE = 16_384  # digests in an answer: half a MiB
WANTED = 1_024  # digests in a request
REQUEST_BYTES = 65_536
PAGE_BYTES = PAGE * (HASH_BYTES + 2) + 8
BUNDLE_BYTES = 4_194_304

_LIST, _GET = 1, 2


@dataclass(frozen=True)
class ListRequest:
    """Ask for the page of digests after one.

    Attributes:
        kind: CONSENT or REVOCATION of the envelope.
        after: The last digest already known, or empty.
    """

    kind: int
    after: bytes


@dataclass(frozen=True)
class GetRequest:
    """Ask for messages by digest."""

    digests: tuple[bytes, ...]


Request = ListRequest | GetRequest


def encode_request(request: Request) -> bytes:
    """The bytes of a request."""
    if isinstance(request, ListRequest):
        return pack([_LIST, request.kind, request.after])
    return pack([_GET, len(request.digests), b"".join(request.digests)])


def decode_request(data: bytes) -> Request:
    """Read a request; raises Malformed, NotCanonical or TooLarge."""
    verb, number, digests = fields(unpack(data, max_bytes=REQUEST_BYTES), (int, int, bytes))
    if verb == _LIST and number in (CONSENT, REVOCATION) and len(digests) in (0, HASH_BYTES):
        return ListRequest(number, digests)
    if verb == _GET and 0 < number <= WANTED and len(digests) == number * HASH_BYTES:
        starts = range(0, len(digests), HASH_BYTES)
        return GetRequest(tuple(digests[start : start + HASH_BYTES] for start in starts))
    raise Malformed("not a sync request")


def encode_page(digests: list[bytes]) -> bytes:
    """The answer to a ListRequest."""
    return pack(digests)


def decode_page(data: bytes, after: bytes) -> list[bytes]:
    """Read a page; it must ascend from `after`, or it could go on for ever. Raises Malformed."""
    value = unpack(data, max_bytes=PAGE_BYTES, max_array=PAGE)
    if not isinstance(value, list) or len(value) > PAGE:
        raise Malformed("not a page of digests")
    page = list(all_of(value, bytes))
    if any(len(digest) != HASH_BYTES for digest in page):
        raise Malformed("a digest has 32 bytes")
    if any(low >= high for low, high in zip([after, *page], page, strict=False)):
        raise Malformed("the digests of a page must ascend")
    return page
