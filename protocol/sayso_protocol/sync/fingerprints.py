"""What two nodes compare in sync: entries, their sums, and salted fingerprints of those (section 11).

Rule 11.2: an entry has 32 bytes and a place of 64 bits. Rule 11.3: the places form a binary tree whose
nodes are numbered as in a heap. Rule 11.4: entries are added up, never XORed, and what crosses the wire
is a hash of a sum under a salt that the asker drew for this one round: nobody can aim at it beforehand.
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
NODES = 1_024  # in a request
LONGEST_BYTES = 10  # of a node's number below 2^64, in groups of 7 bits
ROOT = 1

_MODULUS = 1 << 8 * HASH_BYTES
_TAG = b"sayso sync 1\0"
_SIZE_BYTES = 8


class Entry(NamedTuple):
    """Something that one node may have and another lack.

    Attributes:
        place: Where it stands, below 2^64.
        id: 32 bytes.
        carriers: Digests of the messages that carry it, ascending: of a consent itself.
    """

    place: int
    id: bytes
    carriers: tuple[bytes, ...]


class Sum(NamedTuple):
    """All entries of a part of the tree added up modulo 2^256, and how many they are."""

    total: int
    size: int

    def plus(self, total: int, size: int) -> "Sum":
        """The sum with more, or with a negative size less, in it."""
        return Sum((self.total + total) % _MODULUS, self.size + size)


EMPTY = Sum(0, 0)


def digest_entry(digest: bytes) -> Entry:
    """Rule 11.2: of a consent, its digest."""
    return Entry(int.from_bytes(digest[:8]), digest, (digest,))


def revocation_place(address: bytes, word: int) -> int:
    """Rule 11.2: where a word of an address stands, whatever its bits."""
    return int.from_bytes(sha256(_TAG + address + word.to_bytes(HASH_BYTES))[:8])


def revocation_entry(address: bytes, word: int, mask: int, carriers: Iterable[bytes] = ()) -> Entry:
    """Rule 11.2: of revocations, all covered bits of one word: messages may differ, bits must not."""
    named = _TAG + address + word.to_bytes(HASH_BYTES)
    place = int.from_bytes(sha256(named)[:8])
    return Entry(place, sha256(named + mask.to_bytes(HASH_BYTES)), tuple(sorted(carriers)))


def sum_of(ids: Iterable[bytes]) -> Sum:
    """The sum of some entries' ids."""
    numbers = [int.from_bytes(one) for one in ids]
    return Sum(sum(numbers) % _MODULUS, len(numbers))


def fingerprint(salt: bytes, added: Sum) -> bytes:
    """Rule 11.4."""
    total = added.total.to_bytes(HASH_BYTES)
    return sha256(salt + total + added.size.to_bytes(_SIZE_BYTES))[:SHORT_BYTES]


def short_id(salt: bytes, of: bytes) -> bytes:
    """Rule 11.5: of an entry, or of a message's digest."""
    return sha256(salt + of)[:SHORT_BYTES]


def check_of(salt: bytes, ids: Iterable[bytes]) -> bytes:
    """Rule 11.6: a hash of the ids themselves, which sums that were made to be equal do not share."""
    return sha256(salt + b"".join(sorted(ids)))[:CHECK_BYTES]


def level_of(node: int) -> int:
    """How deep a node is; the root is at 0."""
    return node.bit_length() - 1


def node_at(level: int, place: int) -> int:
    """Rule 11.3: the node of a level in which a place is."""
    return (1 << level) | (place >> (PLACE_BITS - level))


def places_of(node: int) -> tuple[int, int]:
    """The first place of a node, and the one after its last."""
    width = PLACE_BITS - level_of(node)
    first = (node << width) - (1 << PLACE_BITS)
    return first, first + (1 << width)


def pack_nodes(nodes: Sequence[int]) -> bytes:
    """Rule 11.3: numbers of one level, ascending, as differences in groups of 7 bits (LEB128)."""
    packed, last = bytearray(), 0
    for node in nodes:
        step, last = node - last, node
        while step >= 0x80:
            packed.append(step & 0x7F | 0x80)
            step >>= 7
        packed.append(step)
    return bytes(packed)


def unpack_nodes(data: bytes) -> list[int]:
    """Read what `pack_nodes` wrote; raises Malformed, NotCanonical or TooLarge."""
    if len(data) > NODES * LONGEST_BYTES:
        raise TooLarge(f"{len(data)} bytes of nodes: more than {NODES} nodes")
    steps, step, width = [], 0, 0
    for byte in data:
        step |= (byte & 0x7F) << width
        width += 7
        if byte & 0x80:
            if width > PLACE_BITS:
                raise Malformed("a node's number is below 2^64")
            continue
        if not byte:
            raise NotCanonical("nodes ascend, and their differences are written in the shortest form")
        steps.append(step)
        step = width = 0
    if width or not steps:
        raise Malformed("at least one node, and whole")
    if len(steps) > NODES:
        raise TooLarge(f"{len(steps)} nodes, of at most {NODES}")
    nodes = list(accumulate(steps))
    if not 0 <= level_of(nodes[0]) == level_of(nodes[-1]) < PLACE_BITS:
        raise Malformed("the nodes of a request are of one level, at most 63")
    return nodes
