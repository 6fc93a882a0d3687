"""Entries of sync, their sums, and salted fingerprints of the sums (section 11).

Rule 11.2: an entry has an id of 32 bytes and a place of 64 bits. Rule 11.3: the places form a binary
tree whose nodes are numbered as in a heap. Rule 11.4: ids are added, never XORed. A fingerprint is a
hash of a sum under a salt that the requester draws for one comparison, so nobody can aim at it
beforehand.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import NamedTuple

from sayso_protocol.errors import Malformed, NotCanonical, TooLarge
from sayso_protocol.primitives import HASH_BYTES, sha256

PLACE_BITS = 64
SHORT_BYTES = 5  # of a fingerprint, and of a short id
SALT_BYTES = 16
CHECK_BYTES = 16
CELL_BYTES = 6
CELL_LEVEL = 23  # deepest level of a node that has a cell
NODES = 1_024  # in a request
LONGEST_BYTES = 10  # of a node's number below 2^64, in groups of 7 bits
ROOT = 1

_MODULUS = 1 << 8 * HASH_BYTES
_TAG = b"sayso sync 1\0"
_SIZE_BYTES = 8
_CELL_BITS = 8 * (CELL_BYTES - 1)
_CARRY_BITS = 8  # of a cell, which are not used to name a node, so that a carry seldom matters


class Entry(NamedTuple):
    """Entry is what sync compares (rule 11.2).

    Attributes:
        place: The place in the tree, below 2^64.
        id: 32 bytes.
        carriers: Digests of the messages that carry the entry, ascending; a consent carries itself.
    """

    place: int
    id: bytes
    carriers: tuple[bytes, ...]


class Sum(NamedTuple):
    """Sum holds the sum of ids in a part of the tree, modulo 2^256, and their count (rule 11.4)."""

    total: int
    size: int

    def plus(self, total: int, size: int) -> "Sum":
        """Return the sum with other ids added, or subtracted if total and size are negative."""
        return Sum((self.total + total) % _MODULUS, self.size + size)


EMPTY = Sum(0, 0)


def digest_entry(digest: bytes) -> Entry:
    """Return the entry of a consent (rule 11.2)."""
    return Entry(int.from_bytes(digest[:8]), digest, (digest,))


def revocation_place(address: bytes, word: int) -> int:
    """Return the place of an address's word, which does not depend on its bits (rule 11.2)."""
    return int.from_bytes(sha256(_TAG + address + word.to_bytes(HASH_BYTES))[:8])


def revocation_entry(address: bytes, word: int, mask: int, carriers: Iterable[bytes] = ()) -> Entry:
    """Return the entry of all revoked bits of one word, however many messages carry them (rule 11.2)."""
    named = _TAG + address + word.to_bytes(HASH_BYTES)
    place = int.from_bytes(sha256(named)[:8])
    return Entry(place, sha256(named + mask.to_bytes(HASH_BYTES)), tuple(sorted(carriers)))


def sum_of(ids: Iterable[bytes]) -> Sum:
    """Return the sum of ids, 32 bytes each (rule 11.4)."""
    numbers = [int.from_bytes(one) for one in ids]
    return Sum(sum(numbers) % _MODULUS, len(numbers))


def fingerprint(salt: bytes, added: Sum) -> bytes:
    """Return the fingerprint of a sum, 5 bytes (rule 11.4)."""
    total = added.total.to_bytes(HASH_BYTES)
    return sha256(salt + total + added.size.to_bytes(_SIZE_BYTES))[:SHORT_BYTES]


def cell(node: int, added: Sum) -> bytes:
    """Return the cell of a node: its count, and the 40 bits of its sum after the node's own (11.13)."""
    return bytes([added.size % 256]) + _cell_bits(node, added).to_bytes(CELL_BYTES - 1)


def _cell_bits(node: int, added: Sum) -> int:
    return added.total >> (8 * HASH_BYTES - level_of(node) - _CELL_BITS) & ((1 << _CELL_BITS) - 1)


def lone(node: int, theirs: bytes, ours: Sum) -> tuple[int, list[int]]:
    """Return where the only difference in a node is, if there is just one (rule 11.13.2).

    Args:
        node: The node, of level CELL_LEVEL at most.
        theirs: The peer's cell.
        ours: This node's own sum.

    Returns:
        1 if the peer has one entry more, -1 if it has one less, 0 if there are more differences; and one
        or two small nodes, in one of which the entry is.
    """
    sign = {1: 1, 255: -1}.get((theirs[0] - ours.size) % 256, 0)
    difference = sign * (int.from_bytes(theirs[1:]) - _cell_bits(node, ours))
    bits = {one % (1 << _CELL_BITS) >> _CARRY_BITS for one in (difference, difference - 1)}
    return sign, [(node << (_CELL_BITS - _CARRY_BITS)) + one for one in sorted(bits)]


def short_id(salt: bytes, of: bytes) -> bytes:
    """Return the short id of an entry's id or a message's digest, 5 bytes (rule 11.5.1)."""
    return sha256(salt + of)[:SHORT_BYTES]


def check_of(salt: bytes, ids: Iterable[bytes]) -> bytes:
    """Return the check over ids, 16 bytes, which finds forged sums (rule 11.6)."""
    return sha256(salt + b"".join(sorted(ids)))[:CHECK_BYTES]


def level_of(node: int) -> int:
    """Return the level of a node; the root is at 0 (rule 11.3)."""
    return node.bit_length() - 1


def node_at(level: int, place: int) -> int:
    """Return the node of a level that contains a place (rule 11.3)."""
    return (1 << level) | (place >> (PLACE_BITS - level))


def places_of(node: int) -> tuple[int, int]:
    """Return the first place of a node, and the end of its places."""
    width = PLACE_BITS - level_of(node)
    first = (node << width) - (1 << PLACE_BITS)
    return first, first + (1 << width)


def pack_nodes(nodes: Sequence[int]) -> bytes:
    """Encode ascending nodes of one level as differences in LEB128 (rule 11.3.2)."""
    packed, last = bytearray(), 0
    for node in nodes:
        step, last = node - last, node
        while step >= 0x80:
            packed.append(step & 0x7F | 0x80)
            step >>= 7
        packed.append(step)
    return bytes(packed)


def unpack_nodes(data: bytes) -> list[int]:
    """Decode nodes (rules 11.3.1 to 11.3.3); raises Malformed, NotCanonical or TooLarge."""
    if len(data) > NODES * LONGEST_BYTES:
        raise TooLarge(f"{len(data)} bytes of nodes, the limit is {NODES * LONGEST_BYTES}")
    steps, step, width = [], 0, 0
    for byte in data:
        step |= (byte & 0x7F) << width
        width += 7
        if byte & 0x80:
            if width > PLACE_BITS:
                raise Malformed("a node's number is below 2^64")
            continue
        if not byte:
            raise NotCanonical("nodes must ascend, with differences in the shortest form")
        steps.append(step)
        step = width = 0
    if width or not steps:
        raise Malformed("expected at least one complete node")
    if len(steps) > NODES:
        raise TooLarge(f"{len(steps)} nodes, the limit is {NODES}")
    nodes = list(accumulate(steps))
    if not 0 <= level_of(nodes[0]) == level_of(nodes[-1]) < PLACE_BITS:
        raise Malformed("the nodes of a request must be of one level, at most 63")
    return nodes
