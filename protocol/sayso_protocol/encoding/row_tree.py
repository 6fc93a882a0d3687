"""The manifest tree and the results tree over the rows of a check (rule 9.2).

Rows are joined, 64 bytes each, and reasons are one byte each, so a million rows are one buffer. Both
trees are 32-ary like the item tree (4.1), and the receipt's counts fix their height, so no node can pass
for a leaf:

* manifest: a leaf is license . item; node = SHA-256(0x01 . level . children);
* results: a leaf is license . item . number of the reason; node = SHA-256(0x02 . level . children).

Leaves are not hashed singly: 32 rows cost one hash, and a million rows a quarter of a second.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import HASH_BYTES

ROW_BYTES = 2 * HASH_BYTES
_RESULT_BYTES = ROW_BYTES + 1
_MANIFEST, _RESULTS = 1, 2  # the first byte under each tree's nodes
_ARITY = LIMITS.tree_arity
NODE_ROWS = _ARITY  # below one of the lowest nodes
_ROWS_AT_ONCE = 2_048 * _ARITY


class Roots(NamedTuple):
    """Roots holds the manifest root and the results root of a receipt, 32 bytes each (rule 9.2)."""

    manifest: bytes
    results: bytes


@dataclass(frozen=True)
class RowProof:
    """RowProof proves the reason of one row in a receipt (rule 9.2.6).

    Attributes:
        row: License hash and item hash, 64 bytes.
        reason: The number of the reason.
        index: The row's place in the manifest, from 0.
        path: For each level from the leaves up, the other children of the node above, joined.
    """

    row: bytes
    reason: int
    index: int
    path: tuple[bytes, ...]

    def check(self, count: int, root: bytes) -> None:
        """Check the proof against a receipt's number of rows and results root; raises BadProof."""
        if not 0 <= self.index < count or len(self.row) != ROW_BYTES or not 0 < self.reason < 256:
            raise BadProof(f"there is no such row {self.index} among {count}")
        node, at, width = self.row + bytes((self.reason,)), self.index, count
        for level, others in enumerate(self.path):
            first = at - at % _ARITY
            if len(others) != (min(_ARITY, width - first) - 1) * len(node):
                raise BadProof("the path does not fit the number of rows")
            cut = (at - first) * len(node)
            node = sha256(bytes((_RESULTS, level)) + others[:cut] + node + others[cut:]).digest()
            at, width = at // _ARITY, -(-width // _ARITY)
        if not self.path or width != 1 or node != root:
            raise BadProof("the path leads to another root")


def manifest_root(rows: bytes) -> bytes:
    """Return the manifest root over joined rows, 32 bytes (rule 9.2); raises Malformed."""
    if not rows or len(rows) % ROW_BYTES:
        raise Malformed(f"rows are {ROW_BYTES} bytes each, and at least one")
    return _levels(_MANIFEST, rows, ROW_BYTES)[-1]


def results_root(rows: bytes, reasons: bytes) -> bytes:
    """Return the results root over rows and reasons, 32 bytes (rule 9.2); raises Malformed."""
    return results_root_of(results_nodes(rows, reasons))


def results_nodes(rows: bytes, reasons: bytes) -> bytes:
    """Return the lowest nodes of the results tree, joined: one for each `NODE_ROWS` rows (rule 9.2).

    Raises:
        Malformed: There are no rows, or not one reason for each.
    """
    _check(rows, reasons)
    # In parts, because the leaves of all rows together would double the memory.
    parts = range(0, len(reasons), _ROWS_AT_ONCE)
    return b"".join([_nodes(_RESULTS, 0, _part(rows, reasons, at), _RESULT_BYTES) for at in parts])


def results_root_of(nodes: bytes) -> bytes:
    """Return the results root over its lowest nodes, 32 bytes (see results_nodes)."""
    return _rise(_RESULTS, [nodes])[-1]


def roots(rows: bytes, reasons: bytes) -> Roots:
    """Return both roots (rule 9.2); raises Malformed."""
    return Roots(manifest_root(rows), results_root(rows, reasons))


def prove_row(rows: bytes, reasons: bytes, index: int) -> RowProof:
    """Return the proof of row `index`, from 0 (rule 9.2.6); raises BadProof if there is no such row."""
    if not 0 <= index < len(reasons):
        raise BadProof(f"there is no row {index} among {len(reasons)}")
    path, at, size = [], index, _RESULT_BYTES
    for level in _levels(_RESULTS, _results(rows, reasons), size)[:-1]:
        first = at - at % _ARITY
        children = level[first * size : (first + _ARITY) * size]
        cut = (at - first) * size
        path.append(children[:cut] + children[cut + size :])
        at, size = at // _ARITY, HASH_BYTES
    row = rows[index * ROW_BYTES : (index + 1) * ROW_BYTES]
    return RowProof(row, reasons[index], index, tuple(path))


def _check(rows: bytes, reasons: bytes) -> None:
    if not rows or len(rows) != len(reasons) * ROW_BYTES or 0 in reasons:
        raise Malformed("every row has one reason, and there is at least one row")


def _part(rows: bytes, reasons: bytes, at: int) -> bytes:
    """Return the leaves of the results tree from `at` on, at most `_ROWS_AT_ONCE`."""
    until = at + _ROWS_AT_ONCE
    return _results(rows[at * ROW_BYTES : until * ROW_BYTES], reasons[at:until])


def _results(rows: bytes, reasons: bytes) -> bytes:
    """Return the joined leaves of the results tree: each row followed by its reason."""
    _check(rows, reasons)
    leaves = np.empty((len(reasons), _RESULT_BYTES), np.uint8)
    leaves[:, :ROW_BYTES] = np.frombuffer(rows, np.uint8).reshape(-1, ROW_BYTES)
    leaves[:, ROW_BYTES] = np.frombuffer(reasons, np.uint8)
    return leaves.tobytes()


def _levels(tree: int, leaves: bytes, size: int) -> list[bytes]:
    """Return all levels from the leaves to the root, each joined."""
    return [leaves, *_rise(tree, [_nodes(tree, 0, leaves, size)])]


def _rise(tree: int, levels: list[bytes]) -> list[bytes]:
    """Add the levels above the last one, up to the root."""
    while len(levels[-1]) > HASH_BYTES:
        levels.append(_nodes(tree, len(levels), levels[-1], HASH_BYTES))
    return levels


def _nodes(tree: int, level: int, below: bytes, size: int) -> bytes:
    """Return the joined nodes above a level."""
    tag, step = bytes((tree, level)), size * _ARITY
    return b"".join([sha256(tag + below[at : at + step]).digest() for at in range(0, len(below), step)])
