"""The requests of sync (docs/protocol.md, section 11).

Rule 11.1: a request over `/sayso/sync/1` is one canonical array, and the response is one canonical
value. The responder remembers nothing between requests. Rules 11.4 to 11.9, 11.13 and 11.14 define the
eight requests. Sync transfers signed messages, which the receiver verifies as in section 7.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sayso_protocol.encoding.packing import Reader, Uint, array_of, fields_of, pack
from sayso_protocol.errors import Malformed, TooLarge
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.sync.fingerprints import (
    CELL_LEVEL,
    PLACE_BITS,
    SALT_BYTES,
    SHORT_BYTES,
    level_of,
    pack_nodes,
    unpack_nodes,
)
from sayso_protocol.sync.sets import set_of

MAX_STEP = 4  # levels below the nodes of a request
WANTED = 1_024  # messages in a request
REQUEST_BYTES = 1_048_576

_FINGERPRINTS, _LIST, _GET, _RANGE, _CHECK, _OFFER, _CELLS, _HEED = range(1, 9)


@dataclass(frozen=True)
class FingerprintsRequest:
    """FingerprintsRequest asks for fingerprints `step` levels below some nodes (rule 11.4)."""

    kind: int
    salt: bytes
    step: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class ListRequest:
    """ListRequest asks for the short ids of all entries in some nodes (rule 11.5)."""

    kind: int
    salt: bytes
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class GetRequest:
    """GetRequest asks for messages by node and joined short ids; without ids for all of them (11.7)."""

    kind: int
    salt: bytes
    nodes: tuple[int, ...]
    ids: tuple[bytes, ...]


@dataclass(frozen=True)
class RangeRequest:
    """RangeRequest asks for the messages of a node in ascending order, after a digest (rule 11.8)."""

    kind: int
    node: int
    after: bytes


@dataclass(frozen=True)
class CheckRequest:
    """CheckRequest asks for a hash over the ids of all entries in a node (rule 11.6)."""

    kind: int
    salt: bytes
    node: int


@dataclass(frozen=True)
class OfferRequest:
    """OfferRequest offers messages that the peer lacks (rule 11.9)."""

    envelopes: tuple[bytes, ...]


@dataclass(frozen=True)
class CellsRequest:
    """CellsRequest asks for the cells of some nodes, which show single differences (rule 11.13)."""

    kind: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class HeedRequest:
    """HeedRequest asks whose disputes a peer keeps (rule 11.14)."""


Request = (
    FingerprintsRequest
    | ListRequest
    | GetRequest
    | RangeRequest
    | CheckRequest
    | OfferRequest
    | CellsRequest
    | HeedRequest
)


def encode_request(request: Request) -> bytes:
    """Encode a request (rule 11.1)."""
    value: list[Any]
    match request:
        case FingerprintsRequest(kind, salt, step, nodes):
            value = [_FINGERPRINTS, kind, salt, step, pack_nodes(nodes)]
        case ListRequest(kind, salt, nodes):
            value = [_LIST, kind, salt, pack_nodes(nodes)]
        case GetRequest(kind, salt, nodes, ids):
            value = [_GET, kind, salt, pack_nodes(nodes), ids]
        case RangeRequest(kind, node, after):
            value = [_RANGE, kind, node, after]
        case CheckRequest(kind, salt, node):
            value = [_CHECK, kind, salt, node]
        case OfferRequest(envelopes):
            value = [_OFFER, envelopes]
        case CellsRequest(kind, nodes):
            value = [_CELLS, kind, pack_nodes(nodes)]
        case HeedRequest():
            value = [_HEED]
    return pack(value)


def decode_request(data: bytes) -> Request:
    """Decode a request (rule 11.1); raises Malformed, NotCanonical or TooLarge."""
    if len(data) > REQUEST_BYTES:
        raise TooLarge(f"{len(data)} bytes, the limit is {REQUEST_BYTES}")
    verb = data[1] if len(data) > 1 else None  # every request is an array of at most 15 fields
    if verb not in _READERS:
        raise Malformed(f"there is no sync request {verb}")
    form, read = _READERS[verb]
    stated, *arguments = form.read(data)
    if stated != verb:
        raise Malformed("not a sync request")
    return read(*arguments)


def _read_fingerprints(kind: int, salt: bytes, step: int, packed: bytes) -> Request:
    _check_head(kind, salt)
    nodes = unpack_nodes(packed)
    if not 1 <= step <= MAX_STEP or level_of(nodes[-1]) + step > PLACE_BITS - 1:
        raise Malformed(f"a request goes down 1 to {MAX_STEP} levels, to 63 at most")
    return FingerprintsRequest(kind, salt, step, tuple(nodes))


def _read_list(kind: int, salt: bytes, packed: bytes) -> Request:
    _check_head(kind, salt)
    return ListRequest(kind, salt, tuple(unpack_nodes(packed)))


def _read_get(kind: int, salt: bytes, packed: bytes, ids: tuple[bytes, ...]) -> Request:
    _check_head(kind, salt)
    nodes = unpack_nodes(packed)
    lengths = {len(one) % SHORT_BYTES for one in ids if one}
    if ids and (len(nodes) != len(ids) or lengths != {0} or not all(ids)):
        raise Malformed("expected short ids for each node")
    if sum(map(len, ids)) > WANTED * SHORT_BYTES:
        raise Malformed(f"a request names at most {WANTED} messages")
    return GetRequest(kind, salt, tuple(nodes), ids)


def _read_range(kind: int, node: int, after: bytes) -> Request:
    if not set_of(kind).is_ranged:
        raise Malformed(f"kind {kind} has no ranges in sync")
    _check_node(node)
    if len(after) not in (0, HASH_BYTES):
        raise Malformed("a digest has 32 bytes")
    return RangeRequest(kind, node, after)


def _read_check(kind: int, salt: bytes, node: int) -> Request:
    _check_head(kind, salt)
    _check_node(node)
    return CheckRequest(kind, salt, node)


def _read_offer(envelopes: tuple[bytes, ...]) -> Request:
    if not envelopes:
        raise Malformed("an offer holds at least one message")
    return OfferRequest(envelopes)


def _read_cells(kind: int, packed: bytes) -> Request:
    nodes = unpack_nodes(packed)
    if set_of(kind).has_carriers or level_of(nodes[-1]) > CELL_LEVEL:
        raise Malformed(f"cells are of consents and statements, in nodes down to level {CELL_LEVEL}")
    return CellsRequest(kind, tuple(nodes))


def _form(*kinds: Any) -> Reader[tuple[Any, ...]]:
    return Reader(fields_of(Uint, *kinds), REQUEST_BYTES)


_READERS: Final[dict[int, tuple[Reader[tuple[Any, ...]], Callable[..., Request]]]] = {
    _FINGERPRINTS: (_form(Uint, bytes, Uint, bytes), _read_fingerprints),
    _LIST: (_form(Uint, bytes, bytes), _read_list),
    _GET: (_form(Uint, bytes, bytes, array_of(bytes)), _read_get),
    _RANGE: (_form(Uint, Uint, bytes), _read_range),
    _CHECK: (_form(Uint, bytes, Uint), _read_check),
    _OFFER: (_form(array_of(bytes)), _read_offer),
    _CELLS: (_form(Uint, bytes), _read_cells),
    _HEED: (_form(), HeedRequest),
}


def _check_head(kind: int, salt: bytes) -> None:
    set_of(kind)
    if len(salt) != SALT_BYTES:
        raise Malformed(f"a salt has {SALT_BYTES} bytes")


def _check_node(node: int) -> None:
    if node < 1:
        raise Malformed("nodes are numbered from 1")
