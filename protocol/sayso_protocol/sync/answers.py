"""The answers of sync: each is one canonical value, and says nothing but what was asked.

Rules 11.4 to 11.9, as in reconcile.py. Who asked knows how long an answer has to be, so that a liar
costs no more than he was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sayso_protocol.encoding.packing import all_of, pack, unpack
from sayso_protocol.errors import Malformed
from sayso_protocol.sync.fingerprints import CHECK_BYTES, SHORT_BYTES
from sayso_protocol.sync.sets import set_of

LISTED = 256  # entries of a node that is listed; with more it has to be split
LISTED_IN_ALL = 16_384  # entries in an answer
CHECKED_AT_MOST = 65_536  # entries of a node whose ids are hashed
CARRIERS = 256  # messages of an entry: each brought one of its bits first
BUNDLE_BYTES = 4_194_304
ANSWER_BYTES = 8_388_608
TAKEN, DECLINED = 0, 1  # what became of an offered message


@dataclass(frozen=True)
class Listed:
    """An entry in a list, by short ids: its own, and those of the messages that carry it."""

    entry: bytes
    carriers: tuple[bytes, ...]


def encode_fingerprints(fingerprints: Sequence[bytes]) -> bytes:
    """The answer to a FingerprintsRequest."""
    return pack(b"".join(fingerprints))


def decode_fingerprints(data: bytes, count: int) -> list[bytes]:
    """As many fingerprints as were asked for; raises Malformed."""
    joined = unpack(data, max_bytes=ANSWER_BYTES)
    if not isinstance(joined, bytes) or len(joined) != count * SHORT_BYTES:
        raise Malformed(f"not {count} fingerprints")
    return split_ids(joined)


def encode_lists(kind: int, lists: Sequence[Sequence[Listed] | None]) -> bytes:
    """The answer to a ListRequest: None for a node with more than LISTED entries."""
    return pack([None if one is None else _join(kind, one) for one in lists])


def _join(kind: int, listed: Sequence[Listed]) -> bytes:
    if not set_of(kind).has_carriers:
        return b"".join([one.entry for one in listed])
    rows = (one.entry + bytes([len(one.carriers) - 1]) + b"".join(one.carriers) for one in listed)
    return b"".join(rows)


def decode_lists(data: bytes, kind: int, asked: int) -> list[list[Listed] | None]:
    """The lists of the first nodes that were asked for, at least one; raises Malformed."""
    value = unpack(data, max_bytes=ANSWER_BYTES)
    if not isinstance(value, list) or not 1 <= len(value) <= asked:
        raise Malformed("lists of some of the nodes that were asked for")
    return [None if one is None else _listed(one, kind) for one in value]


def _listed(joined: Any, kind: int) -> list[Listed]:
    if not isinstance(joined, bytes):
        raise Malformed("a list of short ids is bytes")
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
    """Fingerprints or short ids that were joined; raises Malformed."""
    if len(joined) % SHORT_BYTES:
        raise Malformed(f"short ids have {SHORT_BYTES} bytes")
    return [joined[at : at + SHORT_BYTES] for at in range(0, len(joined), SHORT_BYTES)]


def encode_messages(envelopes: Sequence[bytes]) -> bytes:
    """The answer to a GetRequest or RangeRequest."""
    return pack(list(envelopes))


def decode_messages(data: bytes) -> list[bytes]:
    """Envelopes' bytes, maybe none; raises Malformed, NotCanonical or TooLarge."""
    value = unpack(data, max_bytes=BUNDLE_BYTES)
    if not isinstance(value, list):
        raise Malformed("not an array of messages")
    return list(all_of(value, bytes))


def encode_check(check: bytes | None) -> bytes:
    """The answer to a CheckRequest: None for a node with more than CHECKED_AT_MOST entries."""
    return pack(check)


def decode_check(data: bytes) -> bytes | None:
    """A hash, or None; raises Malformed."""
    value = unpack(data, max_bytes=ANSWER_BYTES)
    if value is None:
        return None
    if not isinstance(value, bytes) or len(value) != CHECK_BYTES:
        raise Malformed(f"a check has {CHECK_BYTES} bytes")
    return value


def encode_taken(statuses: Sequence[int]) -> bytes:
    """The answer to an OfferRequest: TAKEN or DECLINED for each message."""
    return pack(bytes(statuses))


def decode_taken(data: bytes, count: int) -> bytes:
    """A byte for each message that was offered; raises Malformed."""
    value = unpack(data, max_bytes=ANSWER_BYTES)
    if not isinstance(value, bytes) or len(value) != count or not {TAKEN, DECLINED} >= set(value):
        raise Malformed("for each offered message a byte, 0 or 1")
    return value
