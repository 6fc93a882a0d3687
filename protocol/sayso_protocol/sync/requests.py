"""Sync: the questions and answers by which two nodes find out what one lacks (protocol.md, section 11).

Rule 11.1: over `/sayso/sync/1` a node asks with one canonical array, and the other answers with one; it
remembers nothing between two of them. Rules 11.4 to 11.9 are the six questions. What moves are signed
messages; whoever gets one verifies it like any other.
"""

from dataclasses import dataclass
from typing import Any

from sayso_protocol.encoding.packing import all_of, fields, pack, unpack
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.sync.fingerprints import (
    PLACE_BITS,
    SALT_BYTES,
    SHORT_BYTES,
    level_of,
    pack_nodes,
    unpack_nodes,
)
from sayso_protocol.sync.sets import set_of

MAX_STEP = 4  # levels that one question goes down
WANTED = 1_024  # messages in a request
REQUEST_BYTES = 1_048_576

_FINGERPRINTS, _LIST, _GET, _RANGE, _CHECK, _OFFER = range(1, 7)


@dataclass(frozen=True)
class FingerprintsRequest:
    """Rule 11.4: the fingerprints of all nodes `step` levels below some."""

    kind: int
    salt: bytes
    step: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class ListRequest:
    """Rule 11.5: the short ids of all entries in some nodes."""

    kind: int
    salt: bytes
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class GetRequest:
    """Rule 11.7: messages by the nodes they are listed in and their short ids, joined."""

    kind: int
    salt: bytes
    nodes: tuple[int, ...]
    ids: tuple[bytes, ...]


@dataclass(frozen=True)
class RangeRequest:
    """Rule 11.8: all consents of a node, in ascending order, after one, or from the first."""

    node: int
    after: bytes


@dataclass(frozen=True)
class CheckRequest:
    """Rule 11.6: a hash over the ids of all entries in a node."""

    kind: int
    salt: bytes
    node: int


@dataclass(frozen=True)
class OfferRequest:
    """Rule 11.9: messages that the other lacks."""

    envelopes: tuple[bytes, ...]


Request = FingerprintsRequest | ListRequest | GetRequest | RangeRequest | CheckRequest | OfferRequest


def encode_request(request: Request) -> bytes:
    """The bytes of a request."""
    match request:
        case FingerprintsRequest(kind, salt, step, nodes):
            return pack([_FINGERPRINTS, kind, salt, step, pack_nodes(nodes)])
        case ListRequest(kind, salt, nodes):
            return pack([_LIST, kind, salt, pack_nodes(nodes)])
        case GetRequest(kind, salt, nodes, ids):
            return pack([_GET, kind, salt, pack_nodes(nodes), ids])
        case RangeRequest(node, after):
            return pack([_RANGE, node, after])
        case CheckRequest(kind, salt, node):
            return pack([_CHECK, kind, salt, node])
        case OfferRequest(envelopes):
            return pack([_OFFER, envelopes])


def decode_request(data: bytes) -> Request:
    """Read a request; raises Malformed, NotCanonical or TooLarge."""
    value = unpack(data, max_bytes=REQUEST_BYTES)
    if not isinstance(value, list) or not value or type(value[0]) is not int:
        raise Malformed("not a sync request")
    verb, *arguments = value
    reader = _READERS.get(verb)
    if reader is None:
        raise Malformed(f"there is no sync request {verb}")
    return reader(arguments)


def _read_fingerprints(value: Any) -> Request:
    kind, salt, step, packed = fields(value, (int, bytes, int, bytes))
    _check_head(kind, salt)
    nodes = unpack_nodes(packed)
    if not 1 <= step <= MAX_STEP or level_of(nodes[-1]) + step > PLACE_BITS - 1:
        raise Malformed(f"a question goes down 1 to {MAX_STEP} levels, to 63 at most")
    return FingerprintsRequest(kind, salt, step, tuple(nodes))


def _read_list(value: Any) -> Request:
    kind, salt, packed = fields(value, (int, bytes, bytes))
    _check_head(kind, salt)
    return ListRequest(kind, salt, tuple(unpack_nodes(packed)))


def _read_get(value: Any) -> Request:
    kind, salt, packed, ids = fields(value, (int, bytes, bytes, list))
    _check_head(kind, salt)
    nodes, ids = unpack_nodes(packed), all_of(ids, bytes)
    lengths = {len(one) % SHORT_BYTES for one in ids if one}
    if len(nodes) != len(ids) or lengths != {0} or not all(ids):
        raise Malformed("for each node some short ids")
    if sum(map(len, ids)) > WANTED * SHORT_BYTES:
        raise Malformed(f"at most {WANTED} messages are asked for at once")
    return GetRequest(kind, salt, tuple(nodes), ids)


def _read_range(value: Any) -> Request:
    node, after = fields(value, (int, bytes))
    _check_node(node)
    if len(after) not in (0, HASH_BYTES):
        raise Malformed("a digest has 32 bytes")
    return RangeRequest(node, after)


def _read_check(value: Any) -> Request:
    kind, salt, node = fields(value, (int, bytes, int))
    _check_head(kind, salt)
    _check_node(node)
    return CheckRequest(kind, salt, node)


def _read_offer(value: Any) -> Request:
    (envelopes,) = fields(value, (list,))
    if not envelopes:
        raise Malformed("an offer is not empty")
    return OfferRequest(all_of(envelopes, bytes))


_READERS = {
    _FINGERPRINTS: _read_fingerprints,
    _LIST: _read_list,
    _GET: _read_get,
    _RANGE: _read_range,
    _CHECK: _read_check,
    _OFFER: _read_offer,
}


def _check_head(kind: int, salt: bytes) -> None:
    set_of(kind)
    if len(salt) != SALT_BYTES:
        raise Malformed(f"a salt has {SALT_BYTES} bytes")


def _check_node(node: int) -> None:
    if node < 1:
        raise Malformed("nodes are numbered from 1")
