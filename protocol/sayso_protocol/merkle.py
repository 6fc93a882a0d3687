"""Hash trees: what binds a list to 32 bytes.

Two trees, never mixed up:

* the item tree of a consent (rule 4.1): 32-ary SHA-256, node = SHA-256(0x01 . level . children). The
  number of items is signed beside the root, so the depth is fixed and no node passes for an item;
* the binary tree of RFC 9162 section 2.1 for batches, manifests and results, with audit paths:
  leaf = SHA-256(0x00 . data), node = SHA-256(0x01 . left . right).
"""

from collections.abc import Sequence

from sayso_protocol.errors import BadProof, InvalidConsent
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import sha256


def content_root(items: Sequence[bytes]) -> bytes:
    """The root over item hashes in order (rule 4.1); at least one level, also for one item.

    Raises:
        InvalidConsent: There are no items.
    """
    if not items:
        raise InvalidConsent("a consent has at least one item")
    level, nodes = 0, list(items)
    while level == 0 or len(nodes) > 1:
        starts = range(0, len(nodes), LIMITS.tree_arity)
        rows = (nodes[start : start + LIMITS.tree_arity] for start in starts)
        nodes = [sha256(bytes([1, level]) + b"".join(row)) for row in rows]
        level += 1
    return nodes[0]


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162 leaf."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 node."""
    return sha256(b"\x01" + left + right)


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels from the leaves up; a node without a sibling moves up unchanged."""
    levels = [[leaf_hash(leaf) for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [node_hash(*pair) for pair in zip(below[::2], below[1::2], strict=False)]
        levels.append(above + below[len(above) * 2 :])
    return levels


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf data in order; SHA-256 of nothing for an empty list (RFC 9162 2.1.1)."""
    return _levels(leaves)[-1][0] if leaves else sha256(b"")


def tree_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of one leaf, from the leaf upwards (RFC 9162 2.1.3.1); raises BadProof."""
    if not 0 <= index < len(leaves):
        raise BadProof(f"there is no leaf {index} among {len(leaves)}")
    path = []
    for level in _levels(leaves)[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
    return path


def check_path(leaf: bytes, index: int, count: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is number `index` of `count` under `root` (RFC 9162 2.1.3.2).

    Raises:
        BadProof: It is not.
    """
    if not 0 <= index < count:
        raise BadProof(f"there is no leaf {index} among {count}")
    node, last, steps = leaf_hash(leaf), count - 1, iter(path)
    while last > 0:
        if index % 2 or index < last:
            sibling = next(steps, None)
            if sibling is None:
                raise BadProof("the path is too short")
            node = node_hash(sibling, node) if index % 2 else node_hash(node, sibling)
        index, last = index // 2, last // 2
    if node != root or next(steps, None) is not None:
        raise BadProof("the path leads to another root")
