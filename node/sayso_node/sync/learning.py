"""Updates what a node remembers of a peer: declined entries of sets in which messages carry entries.

Consents are remembered as they come (fetching.py). A revocation's entry is known only with all messages
that carry it.
"""

from sayso_node.store.interface import Store
from sayso_node.store.sync import entries as sync_entries
from sayso_node.sync.fetching import Fetched
from sayso_node.sync.memory import PeerMemory
from sayso_protocol.sync.answers import Listed
from sayso_protocol.sync.findings import Finding
from sayso_protocol.sync.fingerprints import Entry, level_of, node_at, short_id
from sayso_protocol.sync.sets import set_of


def learn(
    store: Store, kind: int, salt: bytes, memory: PeerMemory, found: Finding, got: Fetched
) -> None:
    """Remember the listed entries that we did not store although all their messages came."""
    held = {node: _held(store, kind, salt, node) for node, _ in found.theirs}
    for node, listed in found.theirs:
        if listed.entry in held[node]:
            continue
        if entry := _rebuilt(salt, kind, node, listed, got):
            memory.remember(entry, 1)


def _held(store: Store, kind: int, salt: bytes, node: int) -> set[bytes]:
    with store.read() as db:
        return {short_id(salt, one) for _, one in sync_entries.ids(db, kind, node)}


def _rebuilt(salt: bytes, kind: int, node: int, listed: Listed, got: Fetched) -> Entry | None:
    """Rebuild the peer's entry from the messages that it sent; None if they do not match it."""
    given = [got.valid[name] for name in listed.carriers if name in got.valid]
    for entry in set_of(kind).entries(given):
        if node_at(level_of(node), entry.place) == node and short_id(salt, entry.id) == listed.entry:
            return entry
    return None
