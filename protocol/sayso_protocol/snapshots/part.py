"""The parts of a snapshot file: a signed head and a body (rules 13.1 and 13.7).

for part in read_parts(data):      # lengths and SHA-256 of the bodies are checked
    part.check(trusted)            # the signature
    read_body(part)                # keys, and the names that it adds and withdraws
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from nacl.signing import SigningKey

from sayso_protocol.errors import Malformed, SnapshotTampered
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import check_signed
from sayso_protocol.signatures.nodes import NODE_SIGNATURE_BYTES, SNAPSHOT, sign_by_node
from sayso_protocol.snapshots import hash_list
from sayso_protocol.snapshots.fuse_filter import CELL, Fuse, Shape
from sayso_protocol.snapshots.head import (
    HEAD_BYTES,
    Counts,
    Link,
    SnapshotHead,
    SnapshotMoment,
    read_head,
)
from sayso_protocol.snapshots.key_list import KeyList, list_bytes, unpacked_list

MAGIC = b"sayso-snapshot-1"
_LENGTH_BYTES = 4
_PREFIX_BYTES = len(MAGIC) + _LENGTH_BYTES


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


def signed_part(
    key: SigningKey,
    network: Network,
    moment: SnapshotMoment,
    counts: Counts,
    salt: bytes,
    body: bytes,
    form: Shape | Link,
    heeded: tuple[bytes, ...] = (),
) -> Part:
    """Sign a given body (rule 13.2)."""
    node_key = bytes(key.verify_key)
    head = SnapshotHead(network, node_key, moment, counts, salt, len(body), sha256(body), heeded, form)
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


class Body(NamedTuple):
    """Body is the content of a body: keys, and the names that it adds and withdraws."""

    keys: Fuse | KeyList
    named: hash_list.Names
    withdrawn: hash_list.Names


def read_body(part: Part) -> Body:
    """Read a body; its length follows from the head, so no list can take bytes of another (13.7.5)."""
    head, counts = part.head, part.head.counts
    is_delta = isinstance(head.form, Link)
    first = list_bytes(counts.keys) if isinstance(head.form, Link) else _filter_bytes(head.form)
    second = first + hash_list.list_bytes(counts.named)
    if len(part.body) != second + hash_list.list_bytes(counts.withdrawn):
        raise Malformed("the body has another length than its head states")
    if counts.withdrawn and not is_delta:
        raise Malformed("only a delta can withdraw a name")
    if not is_delta and bool(counts.keys) != bool(first):
        raise Malformed("there are keys without cells, or cells without keys")
    keys, named, withdrawn = part.body[:first], part.body[first:second], part.body[second:]
    return Body(
        unpacked_list(head.salt, counts.keys, keys)
        if isinstance(head.form, Link)
        else Fuse(head.salt, head.form, np.frombuffer(keys, CELL)),
        hash_list.unpacked(named, counts.named),
        hash_list.unpacked(withdrawn, counts.withdrawn),
    )


def _filter_bytes(shape: Shape) -> int:
    return shape.cells * CELL.itemsize
