"""Snapshots: a node's signed, expiring file of every revocation it knows, for checks offline.

Section 13 of docs/protocol.md. A snapshot is a filter over the keys of the whole state, a delta a list
of the keys that are new since the file before it. A file holds a snapshot and, one after another, its
deltas, so that a new delta is simply appended.

    made = make_snapshot(key, network, moment, content, salts)     # a node
    open(path, "wb").write(made.data + make_delta(...).data)

    snapshot = read_snapshot(open(path, "rb").read(), trusted)     # a gate; raises what is wrong
    Snapshots([snapshot, another]).holds(keys)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_

import numpy as np
from nacl.signing import SigningKey

from sayso_protocol.errors import (
    Malformed,
    MissingDelta,
    SnapshotExpired,
    SnapshotTampered,
    UnknownSigner,
)
from sayso_protocol.limits import LIMITS
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import check_signed
from sayso_protocol.signatures.nodes import NODE_SIGNATURE_BYTES, SNAPSHOT, sign_by_node
from sayso_protocol.snapshots.fuse_filter import CELL, Flags, Fuse, Keys, Shape, built
from sayso_protocol.snapshots.head import (
    HEAD_BYTES,
    Counts,
    Link,
    SnapshotHead,
    SnapshotMoment,
    read_head,
)
from sayso_protocol.snapshots.key_list import KeyList, list_of, unpacked_list

MAGIC = b"sayso-snapshot-1"
_LENGTH_BYTES = 4
_PREFIX_BYTES = len(MAGIC) + _LENGTH_BYTES


@dataclass(frozen=True)
class Content:
    """What goes into a snapshot or a delta.

    Attributes:
        keys: Each once, as snapshot_keys.py makes them.
        addresses: How many different addresses have a bit in the state.
        doubted: How many are in doubt.
    """

    keys: Keys
    addresses: int
    doubted: int

    @property
    def counts(self) -> Counts:
        """As the head states them."""
        return Counts(len(self.keys), self.addresses, self.doubted)


@dataclass(frozen=True)
class Part:
    """A snapshot or a delta as it stands in a file.

    Attributes:
        head: What was signed.
        signature: The node's, under `sayso snapshot 1`.
        body: The filter or the list.
    """

    head: SnapshotHead
    signature: bytes
    body: bytes

    @property
    def data(self) -> bytes:
        """Its bytes (rule 13.1)."""
        content = self.head.content()
        return MAGIC + len(content).to_bytes(_LENGTH_BYTES) + content + self.signature + self.body

    def check(self, trusted: NetworkFile) -> Operator:
        """Who signed it, according to the network file.

        Raises:
            WrongNetwork: It speaks of another network.
            UnknownSigner: The key is not in the network file.
            BadSignature: The signature does not match.
        """
        return check_signed(self.head, SNAPSHOT, self.signature, trusted)


def make_snapshot(
    key: SigningKey, network: Network, moment: SnapshotMoment, content: Content, salts: Iterable[bytes]
) -> Part:
    """A snapshot of the whole state, with the first of the salts that serves."""
    made = built(content.keys, salts)
    body = made.cells.astype(CELL).tobytes()
    return signed_part(key, network, moment, content.counts, made.salt, body, made.shape)


def make_delta(
    key: SigningKey,
    network: Network,
    moment: SnapshotMoment,
    content: Content,
    salt: bytes,
    after: SnapshotHead,
) -> Part:
    """The delta that follows a snapshot or another delta: `content` has the new keys only."""
    body = list_of(salt, content.keys).packed()
    return signed_part(key, network, moment, content.counts, salt, body, link_after(after))


def link_after(head: SnapshotHead) -> Link:
    """Where the delta after this file belongs."""
    if isinstance(head.form, Link):
        return Link(head.form.snapshot, head.form.number + 1, head.id)
    return Link(head.id, 1, head.id)


def signed_part(
    key: SigningKey,
    network: Network,
    moment: SnapshotMoment,
    counts: Counts,
    salt: bytes,
    body: bytes,
    form: Shape | Link,
) -> Part:
    """Sign a body that was made elsewhere."""
    node_key = bytes(key.verify_key)
    head = SnapshotHead(network, node_key, moment, counts, salt, len(body), sha256(body), form)
    return Part(head, sign_by_node(key, SNAPSHOT, head.content()), body)


def read_parts(data: bytes) -> Iterator[Part]:
    """The snapshot and the deltas in a file; still to be checked (rule 13.1).

    Raises:
        Malformed: It is no snapshot, or ends early; NotCanonical and TooLarge likewise.
        SnapshotTampered: A body is not the one that was signed.
    """
    if not data:
        raise Malformed("an empty file is no snapshot")
    start = 0
    while start < len(data):
        part, start = _read_part(data, start)
        yield part


def _read_part(data: bytes, start: int) -> tuple[Part, int]:
    prefix = data[start : start + _PREFIX_BYTES]
    length = int.from_bytes(prefix[len(MAGIC) :])
    if not prefix.startswith(MAGIC) or len(prefix) < _PREFIX_BYTES or length > HEAD_BYTES:
        raise Malformed(f"no snapshot or delta of this version begins at byte {start}")
    signed = start + _PREFIX_BYTES + length
    head = read_head(data[start + _PREFIX_BYTES : signed])
    begin = signed + NODE_SIGNATURE_BYTES
    body = data[begin : begin + head.body_bytes]
    if len(body) != head.body_bytes or sha256(body) != head.body:
        raise SnapshotTampered("the content is not what the head says: it was changed or cut short")
    return Part(head, data[signed:begin], body), begin + head.body_bytes


class Snapshot:
    """A snapshot with its deltas, checked: what one operator knew.

    Attributes:
        operator: Who signed all of it, according to the network file.
        heads: Of the snapshot, then of each delta. The last one speaks for all.
    """

    def __init__(self, parts: Sequence[Part], trusted: NetworkFile) -> None:
        """Check and join a snapshot and its deltas, in order (rules 13.5 and 13.8).

        Raises:
            MissingDelta: A part does not follow the one before it.
            Malformed: A body is not what its head says. See Part.check for the others.
        """
        if not parts or not isinstance(parts[0].head.form, Shape):
            raise MissingDelta("the snapshot to which the first delta belongs is missing")
        self.operator = parts[0].check(trusted)
        for before, part in pairwise(parts):
            if part.check(trusted) != self.operator:
                raise UnknownSigner("a delta is signed by another operator than the snapshot")
            if part.head.form != link_after(before.head):
                raise MissingDelta("a delta does not follow the file before it")
        self.heads = tuple(part.head for part in parts)
        self._sets = [_key_set(part) for part in parts]

    @property
    def head(self) -> SnapshotHead:
        """The newest: its moment is that of all."""
        return self.heads[-1]

    @property
    def keys(self) -> int:
        """How many keys there are, deltas included."""
        return sum(head.counts.keys for head in self.heads)

    def holds(self, keys: Keys) -> Flags:
        """For each key whether the operator knew it, or one that looks like it."""
        return reduce(or_, [one.holds(keys) for one in self._sets])

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Whether it may speak for this moment (rule 13.9); a clock that is no number: no."""
        moment = self.head.moment
        return (
            now < moment.expires_at
            and now - moment.as_of <= max_age_s
            and moment.as_of - now <= LIMITS.clock_skew_s
        )

    def check_fresh(self, now: float, max_age_s: float) -> None:
        """Raises SnapshotExpired unless it is fresh."""
        if not self.is_fresh(now, max_age_s):
            moment = self.head.moment
            raise SnapshotExpired(
                f"the snapshot of {self.operator.name} speaks for {moment.as_of} and expires at"
                f" {moment.expires_at}; it is {now:.0f}, and it may be {max_age_s:.0f} s old"
            )


def read_snapshot(data: bytes, trusted: NetworkFile) -> Snapshot:
    """Read and check a file; raises what read_parts and Snapshot raise."""
    return Snapshot(list(read_parts(data)), trusted)


class Snapshots:
    """What several operators knew, together: a key that any of them has counts."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.all = tuple(snapshots)
        if not self.all:
            raise MissingDelta("no snapshot was given")

    def holds(self, keys: Keys) -> Flags:
        """For each key whether any of them has it."""
        return reduce(or_, [one.holds(keys) for one in self.all])

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Whether every one of them is: who is content with fewer gives fewer."""
        return all(one.is_fresh(now, max_age_s) for one in self.all)

    @property
    def as_of(self) -> int:
        """What they all speak for, seconds since the epoch."""
        return min(one.head.moment.as_of for one in self.all)


def _key_set(part: Part) -> Fuse | KeyList:
    head = part.head
    if isinstance(head.form, Link):
        return unpacked_list(head.salt, head.counts.keys, part.body)
    if head.form.cells * CELL.itemsize != len(part.body):
        raise Malformed("the filter has another number of cells than its shape")
    if bool(head.counts.keys) != bool(head.form.cells):
        raise Malformed("there are keys without cells, or cells without keys")
    return Fuse(head.salt, head.form, np.frombuffer(part.body, CELL))
