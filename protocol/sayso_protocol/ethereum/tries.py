"""Ethereum's RLP, and what a Merkle Patricia proof shows (Yellow Paper, appendices B, C and D).

A proof shows what stands under a key, or that nothing does. It is believed only if every node on the way
has the hash that its parent names, from a root that the reader trusts.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sayso_protocol.errors import BadProof
from sayso_protocol.primitives import HASH_BYTES, keccak

Rlp = bytes | list["Rlp"]

_SHORT: Final = 55  # bytes: a longer text or list has its length before it
_TEXT, _LIST = 0x80, 0xC0
_DEPTH: Final = 64
BRANCH: Final = 17
EMPTY_ROOT: Final = keccak(b"\x80")


def encode_rlp(value: bytes | Sequence[object]) -> bytes:
    """The one encoding of bytes, or of a sequence of encodable values."""
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < _TEXT:
            return value
        return _head(len(value), _TEXT) + value
    body = b"".join(encode_rlp(one) for one in value)  # type: ignore[arg-type]
    return _head(len(body), _LIST) + body


def number_bytes(number: int) -> bytes:
    """A number as RLP holds it: big-endian, without zeros before it."""
    return number.to_bytes((number.bit_length() + 7) // 8)


def index_key(index: int) -> bytes:
    """Where a block's tries have the transaction, or the receipt, of an index."""
    return encode_rlp(number_bytes(index))


def decode_rlp(data: bytes) -> Rlp:
    """What is encoded; raises BadProof for anything but one canonical value."""
    value, end = _decode(data, 0, len(data), 0)
    if end != len(data):
        raise BadProof("something follows the RLP value")
    return value


def trie_value(root: bytes, key: bytes, nodes: Iterable[bytes]) -> bytes | None:
    """What a trie holds under a key, None if nothing; raises BadProof.

    Args:
        root: Hash of the topmost node, 32 bytes, from somewhere that can be trusted.
        key: As it stands in the trie; Ethereum's are Keccak-256 hashes.
        nodes: The encoded nodes on the way, in any order.
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
                raise BadProof("a node of the trie leads nowhere")
            if path[: len(part)] != part:
                return None
            below, path = node[1], path[len(part) :]
        else:
            raise BadProof("a node of the trie has neither 2 nor 17 parts")
        if below == b"":
            return None
        node = _node(below, by_hash)


def _node(name: Rlp, by_hash: dict[bytes, bytes]) -> list[Rlp]:
    """The node of this hash; a short one stands in its parent itself."""
    if isinstance(name, list):
        return name
    if len(name) != HASH_BYTES or name not in by_hash:
        raise BadProof("a node of the trie is missing")
    node = decode_rlp(by_hash[name])
    if not isinstance(node, list):
        raise BadProof("a node of the trie is no list")
    return node


def unpacked(packed: bytes) -> tuple[bool, list[int]]:
    """Whether it is a leaf's, and its half bytes: the hex-prefix encoding."""
    halves = [half for byte in packed for half in (byte >> 4, byte & 15)]
    if not halves or halves[0] > 3 or (not halves[0] & 1 and halves[1]):
        raise BadProof("a path of the trie is not encoded as one")
    return halves[0] >= 2, halves[1:] if halves[0] & 1 else halves[2:]


def text_of(value: Rlp) -> bytes:
    """The bytes that a value is; raises BadProof for a list."""
    if isinstance(value, list):
        raise BadProof("a list stands where bytes belong")
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
    """Where the content begins and stops."""
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
