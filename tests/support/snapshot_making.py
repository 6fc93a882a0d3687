"""Makes snapshots and deltas in memory; a node builds their bodies beside its store, in little of it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from nacl.signing import SigningKey

from sayso_protocol.network import Network
from sayso_protocol.snapshots.fuse_filter import CELL, Keys, built
from sayso_protocol.snapshots.head import SnapshotHead, SnapshotMoment
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.part import Part, signed_part
from sayso_protocol.snapshots.snapshot import link_after, packed_lists


@dataclass(frozen=True)
class Content:
    """Content is the content of a snapshot or delta before signing.

    Attributes:
        keys: Each key once, uint8, shape (n, 32) (see keys.py).
        named: Keys of the people and licenses that the body names (see hash_list.py).
        withdrawn: Keys of people and licenses that a delta names no longer.
        heeded: Whose disputes the keys have, ascending (rule 13.2.4).
    """

    keys: Keys
    named: Collection[bytes] = ()
    withdrawn: Collection[bytes] = ()
    heeded: tuple[bytes, ...] = ()


def make_snapshot(
    key: SigningKey, network: Network, moment: SnapshotMoment, content: Content, salts: Iterable[bytes]
) -> Part:
    """Make a snapshot of the whole state with the first salt that succeeds; raises StopIteration."""
    made = built(content.keys, salts)
    counts, lists = packed_lists(made.salt, len(content.keys), content.named, content.withdrawn)
    body = made.cells.astype(CELL).tobytes() + lists
    return signed_part(key, network, moment, counts, made.salt, body, made.shape, content.heeded)


def make_delta(
    key: SigningKey,
    network: Network,
    moment: SnapshotMoment,
    content: Content,
    salt: bytes,
    after: SnapshotHead,
    names_salt: bytes,
) -> Part:
    """Make the delta that follows the part `after`; `content` has what is new only (rule 13.8).

    `names_salt` is the salt of the snapshot to which the delta belongs (rule 13.3.4).
    """
    counts, lists = packed_lists(names_salt, len(content.keys), content.named, content.withdrawn)
    body = list_of(salt, content.keys).packed() + lists
    return signed_part(key, network, moment, counts, salt, body, link_after(after), content.heeded)
