"""Updates what a node remembers of a peer after a round: the lasting differences and their reasons."""

from collections.abc import Iterator, Sequence

from sayso_node.store import messages, sync_entries
from sayso_node.store.interface import Store
from sayso_node.sync.fetching import Fetched
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_protocol.sync.answers import Listed
from sayso_protocol.sync.fingerprints import (
    Entry,
    digest_entry,
    level_of,
    node_at,
    short_id,
)
from sayso_protocol.sync.sets import set_of
from sayso_protocol.sync.walk import Differences


def learn(
    store: Store,
    kind: int,
    salt: bytes,
    memory: PeerMemory,
    view: ExpectedView,
    found: Differences,
    got: Fetched,
    refused: Sequence[Entry],
) -> None:
    """Remember what we and the peer declined; entries set aside were declined before."""
    before = {short_id(salt, one.id): one for one in view.aside.declined.values()}
    for node, listed in found.theirs:
        held = _held(store, kind, salt, node)
        if listed.entry in held:
            continue
        entry = before.get(listed.entry) or _rebuilt(salt, kind, node, listed, got)
        if entry:
            memory.remember(memory.declined, entry)
    for node in found.ranges:
        memory.forget_refused(node)
    if found.ranges:
        for entry in _not_stored(store, got):
            memory.remember(memory.declined, entry)
    ours = {one.id for one in found.ours}
    for entry in (*refused, *(one for one in view.aside.refused.values() if one.id in ours)):
        memory.remember(memory.refused, entry)


def _held(store: Store, kind: int, salt: bytes, node: int) -> set[bytes]:
    with store.read() as db:
        return {short_id(salt, one.id) for one in sync_entries.entries(db, kind, node)}


def _not_stored(store: Store, got: Fetched) -> Iterator[Entry]:
    with store.read() as db:
        for envelope in got.valid.values():
            if messages.consent(db, envelope.digest) is None:
                yield digest_entry(envelope.digest)


def _rebuilt(salt: bytes, kind: int, node: int, listed: Listed, got: Fetched) -> Entry | None:
    """Rebuild the peer's entry from the messages that it sent; None if they do not match it."""
    given = [got.valid[name] for name in listed.carriers if name in got.valid]
    for entry in set_of(kind).entries(given):
        if node_at(level_of(node), entry.place) == node and short_id(salt, entry.id) == listed.entry:
            return entry
    return None
