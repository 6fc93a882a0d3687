"""Snapshots: a node's signed, expiring file of everything revoked, for checks offline (section 13).

A snapshot is a filter over the keys of the whole state. A delta is a list of the keys that are new since
the part before it. A file holds a snapshot followed by its deltas, so a new delta is appended.

    made = make_snapshot(key, network, moment, content, salts)     # a node
    open(path, "wb").write(made.data + make_delta(...).data)

    snapshot = read_snapshot(open(path, "rb").read(), trusted)     # a gate
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
    """Content is the content of a snapshot or delta before signing.

    Attributes:
        keys: Each key once, uint8, shape (n, 32) (see keys.py).
        addresses: The number of addresses with a bit.
        doubted: The number of addresses in doubt (rule 7.15).
    """

    keys: Keys
    addresses: int
    doubted: int

    @property
    def counts(self) -> Counts:
        """Return the counts of the head (rule 13.2)."""
        return Counts(len(self.keys), self.addresses, self.doubted)


@dataclass(frozen=True)
class Part:
    """Part is a snapshot or delta in a file (rule 13.1).

    Attributes:
        head: The signed head.
        signature: The node's signature under `sayso snapshot 1`, 64 bytes.
        body: The filter or the list.
    """

    head: SnapshotHead
    signature: bytes
    body: bytes

    @property
    def data(self) -> bytes:
        """Return the bytes of the part (rule 13.1)."""
        content = self.head.content()
        return MAGIC + len(content).to_bytes(_LENGTH_BYTES) + content + self.signature + self.body

    def check(self, trusted: NetworkFile) -> Operator:
        """Return the operator that signed, by the network file (rule 9.5).

        Raises:
            WrongNetwork: The part is for another network.
            UnknownSigner: The key is not in the network file.
            BadSignature: The signature does not match.
        """
        return check_signed(self.head, SNAPSHOT, self.signature, trusted)


def make_snapshot(
    key: SigningKey, network: Network, moment: SnapshotMoment, content: Content, salts: Iterable[bytes]
) -> Part:
    """Make a snapshot of the whole state with the first salt that succeeds; raises StopIteration."""
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
    """Make the delta that follows the part `after`; `content` has the new keys only (rule 13.8)."""
    body = list_of(salt, content.keys).packed()
    return signed_part(key, network, moment, content.counts, salt, body, link_after(after))


def link_after(head: SnapshotHead) -> Link:
    """Return the link of the delta that follows this part (rule 13.8.1)."""
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
    """Sign a given body (rule 13.2)."""
    node_key = bytes(key.verify_key)
    head = SnapshotHead(network, node_key, moment, counts, salt, len(body), sha256(body), form)
    return Part(head, sign_by_node(key, SNAPSHOT, head.content()), body)


def read_parts(data: bytes) -> Iterator[Part]:
    """Yield the snapshot and deltas of a file without checking signatures (rule 13.1).

    Raises:
        Malformed, NotCanonical, TooLarge: The file is not a snapshot, or ends early.
        SnapshotTampered: A body does not match its head (rule 13.1.2).
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
        raise SnapshotTampered("the body is not what the head states: it was changed or cut short")
    return Part(head, data[signed:begin], body), begin + head.body_bytes


class Snapshot:
    """Snapshot is a verified snapshot with its deltas (rule 13.5).

    Attributes:
        operator: The operator that signed all parts, by the network file.
        heads: The heads of the snapshot and its deltas; the last is valid for the whole file.
    """

    def __init__(self, parts: Sequence[Part], trusted: NetworkFile) -> None:
        """Check and join a snapshot and its deltas, in order (rules 13.5 and 13.8).

        Raises:
            MissingDelta: A part does not follow the part before it.
            Malformed: A body does not match its head.
            UnknownSigner: Another operator signed a delta; see Part.check for other errors.
        """
        if not parts or not isinstance(parts[0].head.form, Shape):
            raise MissingDelta("the snapshot to which the first delta belongs is missing")
        self.operator = parts[0].check(trusted)
        for before, part in pairwise(parts):
            if part.check(trusted) != self.operator:
                raise UnknownSigner("a delta is signed by another operator than the snapshot")
            if part.head.form != link_after(before.head):
                raise MissingDelta("a delta does not follow the part before it")
        self.heads = tuple(part.head for part in parts)
        self._sets = [_key_set(part) for part in parts]

    @property
    def head(self) -> SnapshotHead:
        """Return the last head, which is valid for the whole file (rule 13.8.2)."""
        return self.heads[-1]

    @property
    def keys(self) -> int:
        """Return the number of keys, including those of deltas."""
        return sum(head.counts.keys for head in self.heads)

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether any part knows it (rule 13.5.4)."""
        return reduce(or_, [one.holds(keys) for one in self._sets])

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Return whether the file is valid for this moment (rule 13.9); False if `now` is NaN."""
        moment = self.head.moment
        return (
            now < moment.expires_at
            and now - moment.as_of <= max_age_s
            and moment.as_of - now <= LIMITS.clock_skew_s
        )

    def check_fresh(self, now: float, max_age_s: float) -> None:
        """Raise SnapshotExpired unless the file is valid for this moment (rule 13.9)."""
        if not self.is_fresh(now, max_age_s):
            moment = self.head.moment
            raise SnapshotExpired(
                f"the snapshot of {self.operator.name} is valid for {moment.as_of} and expires at"
                f" {moment.expires_at}; it is {now:.0f}, and it may be {max_age_s:.0f} s old"
            )


def read_snapshot(data: bytes, trusted: NetworkFile) -> Snapshot:
    """Read and verify a file; raises the errors of read_parts and Snapshot."""
    return Snapshot(list(read_parts(data)), trusted)


class Snapshots:
    """Snapshots joins files of several operators; a key is known if any file knows it (13.10)."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self.all = tuple(snapshots)
        if not self.all:
            raise MissingDelta("no snapshot was given")

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether any file knows it (rule 13.10)."""
        return reduce(or_, [one.holds(keys) for one in self.all])

    def is_fresh(self, now: float, max_age_s: float) -> bool:
        """Return whether every file is valid for this moment (rule 13.9.2)."""
        return all(one.is_fresh(now, max_age_s) for one in self.all)

    @property
    def as_of(self) -> int:
        """Return the oldest `as_of` of all files, seconds since the epoch."""
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
