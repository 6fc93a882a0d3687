"""The head of a snapshot or of a delta: everything a node signs about it (rule 13.2)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sayso_protocol.encoding.packing import fields, pack, unpack
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.nodes import NODE_KEY_BYTES
from sayso_protocol.snapshots.fuse_filter import SALT_BYTES, Shape

HEAD_BYTES = 1_024
_KINDS = (list, bytes, bytes, list, int, int, int, list, bytes, int, bytes, list)


@dataclass(frozen=True)
class SnapshotMoment:
    """What the node knew.

    Attributes:
        state: Digest of the revocation state (rule 9.3).
        block: Up to where the chain was read.
        time: When the node began to read what it knows, seconds since the epoch, by its clock.
        as_of: What it speaks for: until then it had read the chain and asked its peers (rule 8.9).
        expires_at: From then on it says nothing.
    """

    state: bytes
    block: ChainPoint
    time: int
    as_of: int
    expires_at: int


@dataclass(frozen=True)
class Counts:
    """What is in the body.

    Attributes:
        keys: All of them.
        addresses: Different addresses with a bit.
        doubted: Addresses of which a revocation may be lost.
    """

    keys: int
    addresses: int
    doubted: int


@dataclass(frozen=True)
class Link:
    """Where a delta belongs.

    Attributes:
        snapshot: The id of the snapshot that it extends, 32 bytes.
        number: Which of its deltas it is, from 1.
        previous: The id of the file before it: delta `number - 1`, or the snapshot.
    """

    snapshot: bytes
    number: int
    previous: bytes


@dataclass(frozen=True)
class SnapshotHead:
    """What a node signs.

    Attributes:
        network: The network the node serves.
        node_key: The node's Ed25519 key.
        moment: What it knew, and when.
        counts: What is in the body.
        salt: 16 bytes, drawn after the keys were fixed.
        body_bytes: How long the body is.
        body: SHA-256 of the body.
        form: How the filter of a snapshot lies, or where a delta belongs.
    """

    network: Network
    node_key: bytes
    moment: SnapshotMoment
    counts: Counts
    salt: bytes
    body_bytes: int
    body: bytes
    form: Shape | Link

    def content(self) -> bytes:
        """The canonical bytes that are signed (rule 13.2)."""
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
                [counts.keys, counts.addresses, counts.doubted],
                self.salt,
                self.body_bytes,
                self.body,
                [form.segment, form.starts]
                if isinstance(form, Shape)
                else [form.snapshot, form.number, form.previous],
            ]
        )

    @cached_property
    def id(self) -> bytes:
        """Its name: the SHA-256 of what is signed."""
        return sha256(self.content())


def read_head(data: bytes) -> SnapshotHead:
    """Read the signed bytes; raises TooLarge, Malformed, NotCanonical."""
    value = fields(unpack(data, max_bytes=HEAD_BYTES, max_array=LIMITS.items), _KINDS)
    place, node_key, state, block, time, as_of, expires_at, counts, salt, size, body, form = value
    chain_id, registry = fields(place, (int, bytes))
    return SnapshotHead(
        Network(chain_id, registry),
        _sized(node_key, NODE_KEY_BYTES),
        SnapshotMoment(_sized(state), _block(block), time, as_of, expires_at),
        Counts(*fields(counts, (int, int, int))),
        _sized(salt, SALT_BYTES),
        size,
        _sized(body),
        _shape(form) if len(form) == 2 else _link(form),
    )


def _sized(value: bytes, size: int = HASH_BYTES) -> bytes:
    if len(value) != size:
        raise Malformed(f"expected {size} bytes, not {len(value)}")
    return value


def _block(value: Any) -> ChainPoint:
    number, block_hash = fields(value, (int, bytes))
    return ChainPoint(number, _sized(block_hash))


def _shape(value: Any) -> Shape:
    """Rule 13.6: a segment is a power of two, and 32 bits name a first cell."""
    shape = Shape(*fields(value, (int, int)))
    if shape.segment.bit_count() != 1 or shape.starts * shape.segment >= 1 << 32:
        raise Malformed("there is no filter of this shape")
    return shape


def _link(value: Any) -> Link:
    snapshot, number, previous = fields(value, (bytes, int, bytes))
    if number < 1:
        raise Malformed("deltas are numbered from 1")
    return Link(_sized(snapshot), number, _sized(previous))
