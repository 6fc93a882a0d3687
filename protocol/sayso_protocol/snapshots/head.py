"""The head of a snapshot or delta, which the node signs (rule 13.2)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sayso_protocol.encoding.packing import Reader, Uint, array_of, fields_of, pack
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.network import Network
from sayso_protocol.primitives import ADDRESS_BYTES, HASH_BYTES, NOBODY, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.nodes import NODE_KEY_BYTES
from sayso_protocol.snapshots.fuse_filter import SALT_BYTES, Shape

HEAD_BYTES = 1_024
_HEAD: Final[Reader[tuple[Any, ...]]] = Reader(
    fields_of(
        *(fields_of(Uint, bytes), bytes, bytes, fields_of(Uint, bytes), Uint, Uint, Uint),
        *(fields_of(Uint, Uint, Uint), bytes, Uint, bytes),
        *(array_of(bytes, LIMITS.heeded), array_of(Uint | bytes, 3)),
    ),
    HEAD_BYTES,
)
_SHAPE, _LINK = (int, int), (bytes, int, bytes)


@dataclass(frozen=True)
class SnapshotMoment:
    """SnapshotMoment is the time and state of a node's knowledge (rule 13.2).

    Attributes:
        state: State digest, 32 bytes (rule 9.3).
        block: The block up to which the chain was read.
        time: When the node began to read its state, seconds since the epoch, by its clock.
        as_of: The moment for which the file is valid, seconds since the epoch (rule 13.2.1).
        expires_at: The end of the file's validity, seconds since the epoch.
    """

    state: bytes
    block: ChainPoint
    time: int
    as_of: int
    expires_at: int


@dataclass(frozen=True)
class Counts:
    """Counts states the size of a body (rule 13.2).

    Attributes:
        keys: The number of keys in the body.
        named: The number of people, licenses and sublicenses that the body names (rule 13.3.4).
        withdrawn: The number of those that a delta names no longer (rule 13.8.4).
    """

    keys: int
    named: int
    withdrawn: int


@dataclass(frozen=True)
class Link:
    """Link is the place of a delta in its chain (rule 13.8).

    Attributes:
        snapshot: The id of the snapshot that the delta extends, 32 bytes.
        number: The number of the delta, from 1.
        previous: The id of the part before it, 32 bytes: delta `number - 1`, or the snapshot.
    """

    snapshot: bytes
    number: int
    previous: bytes


@dataclass(frozen=True)
class SnapshotHead:
    """SnapshotHead is the signed head of a snapshot or delta (rule 13.2).

    Attributes:
        network: The network that the node serves.
        node_key: The node's Ed25519 key, 32 bytes.
        moment: Time and state of the node's knowledge.
        counts: The size of the body.
        salt: 16 bytes, drawn after the keys were fixed.
        body_bytes: The length of the body.
        body: SHA-256 of the body, 32 bytes.
        heeded: Whose disputes the file has, ascending, at most 16 addresses (rule 13.2.4).
        form: The shape of a snapshot's filter, or the link of a delta.
    """

    network: Network
    node_key: bytes
    moment: SnapshotMoment
    counts: Counts
    salt: bytes
    body_bytes: int
    body: bytes
    heeded: tuple[bytes, ...]
    form: Shape | Link

    def content(self) -> bytes:
        """Return the signed bytes, in canonical msgpack (rule 13.2)."""
        moment, counts, form = self.moment, self.counts, self.form
        return pack(
            [
                [self.network.chain_id, self.network.registry],
                self.node_key,
                moment.state,
                [moment.block.number, moment.block.hash],
                moment.time,
                moment.as_of,
                moment.expires_at,
                [counts.keys, counts.named, counts.withdrawn],
                self.salt,
                self.body_bytes,
                self.body,
                list(self.heeded),
                [form.segment, form.starts]
                if isinstance(form, Shape)
                else [form.snapshot, form.number, form.previous],
            ]
        )

    @cached_property
    def id(self) -> bytes:
        """Return the id: the SHA-256 of the head, 32 bytes (rule 13.2.3)."""
        return sha256(self.content())


def read_head(data: bytes) -> SnapshotHead:
    """Read a head (rule 13.2); raises TooLarge, Malformed, NotCanonical."""
    value = _HEAD.read(data)
    place, node_key, state, block, time, as_of, expires_at, counts, salt, size, body, *rest = value
    return SnapshotHead(
        Network(*place),
        _sized(node_key, NODE_KEY_BYTES),
        SnapshotMoment(_sized(state), _block(block), time, as_of, expires_at),
        Counts(*counts),
        _sized(salt, SALT_BYTES),
        size,
        _sized(body),
        _heeded(rest[0]),
        _form(rest[1]),
    )


def _sized(value: bytes, size: int = HASH_BYTES) -> bytes:
    if len(value) != size:
        raise Malformed(f"expected {size} bytes, not {len(value)}")
    return value


def _block(value: Any) -> ChainPoint:
    number, block_hash = value
    return ChainPoint(number, _sized(block_hash))


def _heeded(value: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Read whom a node heeds (rule 13.2.4)."""
    before = NOBODY
    for address in value:
        if _sized(address, ADDRESS_BYTES) <= before:
            raise Malformed("the heeded addresses are not ascending, or one is zero")
        before = address
    return tuple(value)


def _form(value: tuple[Any, ...]) -> Shape | Link:
    match tuple(map(type, value)):
        case kinds if kinds == _SHAPE:
            return _shape(*value)
        case kinds if kinds == _LINK:
            return _link(*value)
    raise Malformed("the last field is neither a shape nor a link")


def _shape(segment: int, starts: int) -> Shape:
    """Read a shape; rules 13.6.1 and 13.6.2 limit it."""
    shape = Shape(segment, starts)
    if shape.segment.bit_count() != 1 or shape.starts * shape.segment >= 1 << 32:
        raise Malformed("a filter cannot have this shape")
    return shape


def _link(snapshot: bytes, number: int, previous: bytes) -> Link:
    if number < 1:
        raise Malformed("deltas are numbered from 1")
    return Link(_sized(snapshot), number, _sized(previous))
