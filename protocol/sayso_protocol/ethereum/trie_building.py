"""Merkle Patricia tries over the transactions or receipts of a block (Yellow Paper, appendix D).

With the complete list of a block, a node can prove one entry against the block's header.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sayso_protocol.ethereum.tries import (
    BRANCH,
    EMPTY_ROOT,
    Rlp,
    decode_rlp,
    encode_rlp,
    index_key,
    text_of,
    unpacked,
)
from sayso_protocol.primitives import HASH_BYTES, keccak

_Halves = tuple[int, ...]


class Trie(NamedTuple):
    """Trie is a Merkle Patricia trie over a list.

    Attributes:
        root: Hash of the topmost node, 32 bytes.
        nodes: Hash -> encoded node; nodes below 32 bytes stand in their parents.
    """

    root: bytes
    nodes: dict[bytes, bytes]

    def proof(self, index: int) -> list[bytes]:
        """Return the encoded nodes on the path to the entry at `index`, from the root."""
        path, found, name = _halves(index_key(index)), list[bytes](), self.root
        while name in self.nodes:
            found.append(self.nodes[name])
            name, path = _below(found[-1], path)
        return found


def trie_over(values: Sequence[bytes]) -> Trie:
    """Build the trie in which each value has its index as key, like a block's transactions."""
    if not values:
        return Trie(EMPTY_ROOT, {})
    nodes: dict[bytes, bytes] = {}
    items = [(_halves(index_key(index)), value) for index, value in enumerate(values)]
    top = encode_rlp(_node(items, nodes))
    nodes[keccak(top)] = top
    return Trie(keccak(top), nodes)


def _node(items: list[tuple[_Halves, bytes]], nodes: dict[bytes, bytes]) -> list[Rlp]:
    """Build the node over some items, and add the hashed nodes below it to `nodes`."""
    first = items[0][0]
    if len(items) == 1:
        return [_packed(first, is_leaf=True), items[0][1]]
    shared = 0
    while all(len(path) > shared and path[shared] == first[shared] for path, _ in items):
        shared += 1
    if shared:
        below = [(path[shared:], value) for path, value in items]
        return [_packed(first[:shared], is_leaf=False), _name(below, nodes)]
    branch: list[Rlp] = []
    for half in range(16):
        below = [(path[1:], value) for path, value in items if path and path[0] == half]
        branch.append(_name(below, nodes) if below else b"")
    return [*branch, next((value for path, value in items if not path), b"")]


def _name(items: list[tuple[_Halves, bytes]], nodes: dict[bytes, bytes]) -> Rlp:
    """Return a parent's reference to a node: its hash, or the node itself if that is shorter."""
    node = _node(items, nodes)
    encoded = encode_rlp(node)
    if len(encoded) < HASH_BYTES:
        return node
    nodes[keccak(encoded)] = encoded
    return keccak(encoded)


def _halves(key: bytes) -> _Halves:
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def _packed(path: _Halves, *, is_leaf: bool) -> bytes:
    """Return the hex-prefix encoding of a path."""
    odd = len(path) % 2
    head = (2 * is_leaf + odd, *(path[:1] if odd else (0,)))
    whole = head + path[odd:]
    return bytes(16 * whole[at] + whole[at + 1] for at in range(0, len(whole), 2))


def _below(encoded: bytes, path: _Halves) -> tuple[bytes, _Halves]:
    """Return the hash of the next node on a path, or empty bytes, and the rest of the path."""
    node: Rlp = decode_rlp(encoded)
    while isinstance(node, list):
        if len(node) == BRANCH:
            if not path:
                return b"", ()
            node, path = node[path[0]], path[1:]
        else:
            is_leaf, part = unpacked(text_of(node[0]))
            if is_leaf or path[: len(part)] != tuple(part):
                return b"", ()
            node, path = node[1], path[len(part) :]
    return node, path
