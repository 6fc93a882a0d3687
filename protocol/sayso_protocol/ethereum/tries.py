"""RLP and Merkle Patricia proofs of Ethereum (Yellow Paper, appendices B, C and D).

A proof shows the value of a key, or that the key is absent. It is valid only if every node on the path
has the hash that its parent names, from a trusted root.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sayso_protocol.errors import BadProof
from sayso_protocol.primitives import HASH_BYTES, keccak

Rlp = bytes | list["Rlp"]

_SHORT: Final = 55  # bytes: a longer text or list begins with its length
_TEXT, _LIST = 0x80, 0xC0
_DEPTH: Final = 64
BRANCH: Final = 17
EMPTY_ROOT: Final = keccak(b"\x80")


def encode_rlp(value: bytes | Sequence[object]) -> bytes:
    """Return the RLP encoding of bytes, or of a sequence of encodable values."""
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < _TEXT:
            return value
        return _head(len(value), _TEXT) + value
    body = b"".join(encode_rlp(one) for one in value)  # type: ignore[arg-type]
    return _head(len(body), _LIST) + body


def number_bytes(number: int) -> bytes:
    """Return a number in the form of RLP: big-endian, without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def index_key(index: int) -> bytes:
    """Return the key of a transaction or transaction receipt in a block's tries."""
    return encode_rlp(number_bytes(index))


def decode_rlp(data: bytes) -> Rlp:
    """Decode RLP; raises BadProof unless the bytes are one canonical value."""
    value, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise BadProof("more bytes follow the RLP value")
    return value


def trie_value(root: bytes, key: bytes, nodes: Iterable[bytes]) -> bytes | None:
    """Return the proved value of a key in a trie, or None if it is absent; raises BadProof.

    Args:
        root: Hash of the topmost node, 32 bytes, from a trusted source.
        key: The key in the trie; keys of state and storage are Keccak-256 hashes.
        nodes: The encoded nodes on the path, in any order.
    """
    if root == EMPTY_ROOT:
        return None
    by_hash = {keccak(node): node for node in nodes}
    path = [half for byte in key for half in (byte >> 4, byte & 15)]
    node = _node(root, by_hash)
    while True:
        if len(node) == BRANCH:
            if not path:
                return text_of(node[16]) or None
            below, path = node[path[0]], path[1:]
        elif len(node) == 2:
            is_leaf, part = unpacked(text_of(node[0]))
            if is_leaf:
                return (text_of(node[1]) or None) if part == path else None
            if not part:
                raise BadProof("an extension node of the trie has an empty path")
            if path[: len(part)] != part:
                return None
            below, path = node[1], path[len(part) :]
        else:
            raise BadProof("a node of the trie has neither 2 nor 17 parts")
        if below == b"":
            return None
        node = _node(below, by_hash)


def _node(name: Rlp, by_hash: dict[bytes, bytes]) -> list[Rlp]:
    """Return the node of this hash; a short node stands in its parent itself."""
    if isinstance(name, list):
        return name
    if len(name) != HASH_BYTES or name not in by_hash:
        raise BadProof("a node of the trie is missing")
    node = decode_rlp(by_hash[name])
    if not isinstance(node, list):
        raise BadProof("a node of the trie is not a list")
    return node


def unpacked(packed: bytes) -> tuple[bool, list[int]]:
    """Read the hex-prefix encoding: whether a path is a leaf's, and its half bytes; raises BadProof."""
    halves = [half for byte in packed for half in (byte >> 4, byte & 15)]
    if not halves or halves[0] > 3 or (not halves[0] & 1 and halves[1]):
        raise BadProof("a path of the trie is not in hex-prefix encoding")
    return halves[0] >= 2, halves[1:] if halves[0] & 1 else halves[2:]


def text_of(value: Rlp) -> bytes:
    """Return a value that is bytes; raises BadProof for a list."""
    if isinstance(value, list):
        raise BadProof("expected bytes, not an RLP list")
    return value


def _head(length: int, kind: int) -> bytes:
    if length <= _SHORT:
        return bytes([kind + length])
    size = number_bytes(length)
    return bytes([kind + _SHORT + len(size)]) + size


def _decode(data: bytes, start: int, end: int, depth: int) -> tuple[Rlp, int]:
    if start >= end or depth > _DEPTH:
        raise BadProof("the RLP is cut off, or nested too deeply")
    first = data[start]
    if first < _TEXT:
        return data[start : start + 1], start + 1
    kind = _TEXT if first < _LIST else _LIST
    begin, stop = _span(data, start, end, first - kind)
    if kind == _TEXT:
        text = data[begin:stop]
        if len(text) == 1 and text[0] < _TEXT:
            raise BadProof("the RLP is not canonical")
        return text, stop
    values = list[Rlp]()
    while begin < stop:
        value, begin = _decode(data, begin, stop, depth + 1)
        values.append(value)
    return values, stop


def _span(data: bytes, start: int, end: int, size: int) -> tuple[int, int]:
    """Return begin and end of the content."""
    begin, length = start + 1, size
    if size > _SHORT:
        begin += size - _SHORT
        written = data[start + 1 : begin]
        length = int.from_bytes(written)
        if begin > end or length <= _SHORT or not written[0]:
            raise BadProof("the RLP is cut off, or not canonical")
    if begin + length > end:
        raise BadProof("the RLP is cut off")
    return begin, begin + length
