"""Hash trees, which bind a list to 32 bytes.

* The item tree of a consent (rule 4.1) is 32-ary: node = SHA-256(0x01 . level . children). The number of
  items is signed beside the root, so the depth is fixed and no node can pass for an item.
* The binary tree (rule 4.7) of RFC 9162 section 2.1 is for batches and status answers, with audit paths:
  leaf = SHA-256(0x00 . data), node = SHA-256(0x01 . left . right).
"""

import hashlib
from collections.abc import Sequence

from sayso_protocol.errors import BadProof, InvalidConsent
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import HASH_BYTES, sha256


def content_root(items: Sequence[bytes]) -> bytes:
    """Return the root over item hashes, 32 bytes each, in order (rule 4.1).

    Raises:
        InvalidConsent: There are no items.
    """
    return joined_root(b"".join(items))


def joined_root(nodes: bytes) -> bytes:
    """Return `content_root` over joined item hashes; raises InvalidConsent."""
    level, row = 0, LIMITS.tree_arity * HASH_BYTES
    if not nodes:
        raise InvalidConsent("a consent has at least one item")
    if len(nodes) <= row:
        return sha256(b"\x01\x00" + nodes)
    while len(nodes) > HASH_BYTES:
        tag, starts = bytes((1, level)), range(0, len(nodes), row)
        rows = [hashlib.sha256(tag + nodes[start : start + row]) for start in starts]
        nodes = b"".join([one.digest() for one in rows])
        level += 1
    return nodes


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf, 32 bytes (RFC 9162 2.1)."""
    return sha256(b"\x00" + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node, 32 bytes (RFC 9162 2.1)."""
    return sha256(b"\x01" + left + right)


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return all levels from the leaves up; a node without a sibling moves up unchanged."""
    # The hashes are inlined, because every status answer needs them.
    levels = [[hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=False)
        above = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs]
        levels.append(above + below[len(above) * 2 :])
    return levels


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf data in order, 32 bytes (RFC 9162 2.1.1)."""
    return _levels(leaves)[-1][0] if leaves else sha256(b"")


def tree_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of a leaf, from the leaf upwards (RFC 9162 2.1.3.1); raises BadProof."""
    if not 0 <= index < len(leaves):
        raise BadProof(f"there is no leaf {index} among {len(leaves)}")
    return _path(_levels(leaves), index)


def tree_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """Return the root over at least one leaf, and the audit path of each leaf (RFC 9162 2.1.3.1)."""
    *levels, top = _levels(leaves)
    paths: list[tuple[bytes, ...]] = [()]
    for level in reversed(levels):
        last = len(level) - 1
        paths = [
            paths[at >> 1] if at == last and not at & 1 else (level[at ^ 1], *paths[at >> 1])
            for at in range(last + 1)
        ]
    return top[0], paths


def _path(levels: list[list[bytes]], index: int) -> list[bytes]:
    path = []
    for level in levels[:-1]:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        index >>= 1
    return path


def check_path(leaf: bytes, index: int, count: int, path: Sequence[bytes], root: bytes) -> None:
    """Check that `leaf` is number `index`, from 0, of `count` leaves under `root` (RFC 9162 2.1.3.2).

    Raises:
        BadProof: The path does not lead from the leaf to the root.
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
