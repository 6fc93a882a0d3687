"""Batches: many license hashes under one 32-byte root on chain.

Rule 10.1: the tree is that of RFC 9162 over the license hashes in order; the anchored root is
SHA-256("sayso batch 1" . 0x00 . sponsor key . count as 8 bytes . tree root), so that it cannot be read
as anything but a batch of that maker and size. An anchor proves that the list existed before a block,
and nothing about validity or availability (10.3.1).
"""

from dataclasses import dataclass

from sayso_protocol.encoding.merkle import check_path, tree_path, tree_root
from sayso_protocol.errors import BadProof
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.signatures.nodes import NODE_KEY_BYTES

_PREFIX = b"sayso batch 1\0"


@dataclass(frozen=True)
class Batch:
    """Batch is a list of license hashes that a node anchors together (rule 10.1).

    Attributes:
        sponsor: Ed25519 key of the node, 32 bytes.
        licenses: License hashes in order.
    """

    sponsor: bytes
    licenses: tuple[bytes, ...]

    def __post_init__(self) -> None:
        """Check the sizes, and that the batch is not empty; raises BadProof."""
        if len(self.sponsor) != NODE_KEY_BYTES or not self.licenses:
            raise BadProof("a batch has a node key of 32 bytes and at least one license hash")
        if any(len(one) != HASH_BYTES for one in self.licenses):
            raise BadProof("a license hash has 32 bytes")

    @property
    def tree(self) -> bytes:
        """Return the RFC 9162 root over the license hashes, 32 bytes."""
        return tree_root(self.licenses)

    @property
    def root(self) -> bytes:
        """Return the anchored root, 32 bytes (rule 10.1)."""
        return anchored_root(self.sponsor, len(self.licenses), self.tree)

    def proof(self, index: int) -> "AnchorProof":
        """Return the proof of the license at `index`, from 0 (rule 10.2); raises BadProof."""
        path = tuple(tree_path(self.licenses, index))
        return AnchorProof(self.sponsor, len(self.licenses), index, path, self.tree)


@dataclass(frozen=True)
class AnchorProof:
    """AnchorProof proves that a license hash is under an anchored root (rule 10.2).

    Attributes:
        sponsor: Ed25519 key of the node that made the batch.
        count: The number of licenses in the batch.
        index: The place of the license in the batch, from 0.
        path: RFC 9162 audit path, from the leaf upwards.
        tree: Root of the tree over the license hashes, 32 bytes.
    """

    sponsor: bytes
    count: int
    index: int
    path: tuple[bytes, ...]
    tree: bytes

    def check(self, license_hash: bytes, root: bytes) -> None:
        """Check the path and the anchored root (rule 10.2); raises BadProof."""
        if self.count >= 1 << 64:
            raise BadProof("no batch is that large")
        check_path(license_hash, self.index, self.count, self.path, self.tree)
        if anchored_root(self.sponsor, self.count, self.tree) != root:
            raise BadProof("the batch's header gives another root than the anchored one")


def anchored_root(sponsor: bytes, count: int, tree: bytes) -> bytes:
    """Return the root that is anchored on chain, 32 bytes (rule 10.1)."""
    return sha256(_PREFIX + sponsor + count.to_bytes(8) + tree)
