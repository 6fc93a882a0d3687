"""The responses of sync, each one canonical value (rules 11.4 to 11.9, 11.13 and 11.14).

The requester knows the allowed length of a response, which limits the cost of a dishonest peer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sayso_protocol.encoding.packing import Reader, array_of, pack
from sayso_protocol.errors import Malformed
from sayso_protocol.sync.fingerprints import CELL_BYTES, CHECK_BYTES, SHORT_BYTES
from sayso_protocol.sync.sets import set_of
from sayso_protocol.verdicts.query import Heed, check_heed

LISTED = 256  # entries of a listed node; a larger node must be split
LISTED_IN_ALL = 16_384  # entries in a response
CHECKED_AT_MOST = 65_536  # entries of a node in a check
BUNDLE_BYTES = 4_194_304
ANSWER_BYTES = 8_388_608
TAKEN, DECLINED = 0, 1  # results of an offered message

_BYTES: Final[Reader[bytes]] = Reader(bytes, ANSWER_BYTES)
_LISTS: Final[Reader[tuple[bytes | None, ...]]] = Reader(array_of(bytes | None), ANSWER_BYTES)
_MESSAGES: Final[Reader[tuple[bytes, ...]]] = Reader(array_of(bytes), BUNDLE_BYTES)
_HEED: Final[Reader[tuple[bytes, ...]]] = Reader(array_of(bytes), 1_024)
_CHECK: Final[Reader[bytes | None]] = Reader(bytes | None, ANSWER_BYTES)


@dataclass(frozen=True)
class Listed:
    """Listed is an entry in a list: its short id, and those of the messages that carry it (11.5)."""

    entry: bytes
    carriers: tuple[bytes, ...]


def encode_fingerprints(fingerprints: Sequence[bytes]) -> bytes:
    """Encode the response to a FingerprintsRequest (rule 11.4)."""
    return pack(b"".join(fingerprints))


def decode_fingerprints(data: bytes, count: int) -> list[bytes]:
    """Read `count` fingerprints, 5 bytes each (11.4); raises Malformed, NotCanonical or TooLarge."""
    joined = _BYTES.read(data)
    if len(joined) != count * SHORT_BYTES:
        raise Malformed(f"expected {count} fingerprints")
    return split_ids(joined)


def encode_cells(cells: Sequence[bytes]) -> bytes:
    """Encode the response to a CellsRequest (rule 11.13)."""
    return pack(b"".join(cells))


def decode_cells(data: bytes, count: int) -> list[bytes]:
    """Read `count` cells, 6 bytes each (11.13); raises Malformed, NotCanonical or TooLarge."""
    joined = _BYTES.read(data)
    if len(joined) != count * CELL_BYTES:
        raise Malformed(f"expected {count} cells")
    return [joined[at : at + CELL_BYTES] for at in range(0, len(joined), CELL_BYTES)]


def encode_lists(kind: int, lists: Sequence[Sequence[Listed] | None]) -> bytes:
    """Encode the response to a ListRequest; None for a node with over LISTED entries (rule 11.5)."""
    return pack([None if one is None else _join(kind, one) for one in lists])


def _join(kind: int, listed: Sequence[Listed]) -> bytes:
    if not set_of(kind).has_carriers:
        return b"".join([one.entry for one in listed])
    rows = (one.entry + bytes([len(one.carriers) - 1]) + b"".join(one.carriers) for one in listed)
    return b"".join(rows)


def decode_lists(data: bytes, kind: int, asked: int) -> list[list[Listed] | None]:
    """Read the lists of at least the first requested node (rule 11.5).

    Raises:
        Malformed, NotCanonical, TooLarge: The bytes are not such a response.
    """
    value = _LISTS.read(data)
    if not 1 <= len(value) <= asked:
        raise Malformed(f"expected lists of 1 to {asked} nodes")
    return [None if one is None else _listed(one, kind) for one in value]


def _listed(joined: bytes, kind: int) -> list[Listed]:
    plain = not set_of(kind).has_carriers
    rows = [Listed(e, (e,)) for e in split_ids(joined)] if plain else _with_carriers(joined)
    if len(rows) > LISTED:
        raise Malformed(f"more than {LISTED} entries in a list")
    return rows


def _with_carriers(joined: bytes) -> list[Listed]:
    rows, at = [], 0
    while at < len(joined):
        start = at + SHORT_BYTES + 1
        end = start + (joined[start - 1] + 1) * SHORT_BYTES if start <= len(joined) else start
        if end > len(joined):
            raise Malformed("a list of short ids ends within an entry")
        rows.append(Listed(joined[at : start - 1], tuple(split_ids(joined[start:end]))))
        at = end
    return rows


def split_ids(joined: bytes) -> list[bytes]:
    """Split joined fingerprints or short ids, 5 bytes each; raises Malformed."""
    if len(joined) % SHORT_BYTES:
        raise Malformed(f"short ids have {SHORT_BYTES} bytes")
    return [joined[at : at + SHORT_BYTES] for at in range(0, len(joined), SHORT_BYTES)]


def encode_messages(envelopes: Sequence[bytes]) -> bytes:
    """Encode the response to a GetRequest or RangeRequest (rules 11.7 and 11.8)."""
    return pack(list(envelopes))


def decode_messages(data: bytes) -> list[bytes]:
    """Read encoded envelopes, possibly none (11.7, 11.8); raises Malformed, NotCanonical or TooLarge."""
    return list(_MESSAGES.read(data))


def encode_check(check: bytes | None) -> bytes:
    """Encode the response to a CheckRequest; None with over CHECKED_AT_MOST entries (rule 11.6)."""
    return pack(check)


def decode_check(data: bytes) -> bytes | None:
    """Read a check, 16 bytes, or None (rule 11.6); raises Malformed, NotCanonical or TooLarge."""
    value = _CHECK.read(data)
    if value is not None and len(value) != CHECK_BYTES:
        raise Malformed(f"a check has {CHECK_BYTES} bytes")
    return value


def encode_taken(statuses: Sequence[int]) -> bytes:
    """Encode the response to an OfferRequest: TAKEN or DECLINED for each message (rule 11.9)."""
    return pack(bytes(statuses))


def decode_taken(data: bytes, count: int) -> bytes:
    """Read one byte for each offered message (11.9); raises Malformed, NotCanonical or TooLarge."""
    value = _BYTES.read(data)
    if len(value) != count or not {TAKEN, DECLINED} >= set(value):
        raise Malformed("expected one byte, 0 or 1, for each offered message")
    return value


def encode_heed(heed: Heed) -> bytes:
    """Encode the response to a HeedRequest: addresses, ascending (rule 11.14)."""
    return pack(heed)


def decode_heed(data: bytes) -> Heed:
    """Read the addresses that a peer heeds (11.14); raises Malformed, NotCanonical or TooLarge."""
    heed = _HEED.read(data)
    check_heed(heed)
    return heed
