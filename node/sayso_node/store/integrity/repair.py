"""Repairs what an audit found, from messages that are right; what they lack, peers and chain bring.

Nothing that is known to be revoked is lost by a repair. Where the message of a bit is gone, the bit is
kept as if it were on chain: so it counts, and the sums that peers compare show that the message is
missing. A consent that is not what was signed is dropped, and peers bring it again. The bits of a row
that is not what was stored are read anew, from messages and from the chain.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from sayso_node.store import messages, shared_claims, singles
from sayso_node.store.chain import chain_state, wallets
from sayso_node.store.events import feed as events
from sayso_node.store.events.publishing import publish_bits
from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.audit import Damaged, Finding
from sayso_node.store.integrity.bit_sums import BitRow
from sayso_node.store.interface import Writing
from sayso_node.store.messages import Stored
from sayso_node.store.queries import revocations_after
from sayso_node.store.revocations import bits
from sayso_node.store.revocations.bits import add_people
from sayso_node.store.shared_claims import Placed
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.sync.sets import SETS, kinds_in

_AT_ONCE: Final = 500  # messages


def repair(db: Writing, network: Network, findings: Iterable[Finding], store_id: bytes) -> bool:
    """Repair what was found; returns whether the chain must be read again from the start.

    Listeners, deltas and caches begin anew, because the store gets a new id. After it, audit again: a
    repair can leave a sum to be computed, and not everything can be repaired (Damaged.PAGES).
    """
    reads_chain = False
    for one in findings:
        if (mend := _REPAIRS.get(one.kind)) is not None:
            reads_chain |= bool(mend(db, network, one.name))
    singles.put(db, events.STORE_ID, store_id)
    if reads_chain:
        chain_state.want_reading(db)
    return reads_chain


def _drop_message(db: Writing, network: Network, name: str) -> bool:
    """Delete a message that is not what was stored, and keep what it had set."""
    digest = bytes.fromhex(name)
    query = "SELECT kind, contributor, seq FROM messages WHERE digest = ?"
    row = db.execute(query, (digest,)).fetchone()
    if row is None:
        return False
    kind, contributor, seq = row
    db.execute("DELETE FROM messages WHERE digest = ?", (digest,))
    for table in (
        "carriers",
        "pool",
        "named",
        "disputes",
        "sublicense_terms",
        "statement_words",
        "statement_ends",
    ):
        db.execute(f"DELETE FROM {table} WHERE digest = ?", (digest,))  # noqa: S608 - ours
    db.execute("DELETE FROM passed_on WHERE sublicense = ?", (seq,))
    db.execute("DELETE FROM shared_claims WHERE license = ?", (digest,))
    if kind == REVOCATION:
        return _settle_bits(db, network, contributor.hex())
    if kind in SETS:
        sync_index.change_sums(db, kind, [sync_index.digest_change(digest, -1)])
    return False


def _settle_bits(db: Writing, network: Network, name: str) -> bool:
    """Compute an address's bits from its stored revocations, and keep what is right of the others."""
    address = bytes.fromhex(name)
    said = _said(db, network, address)
    query = "SELECT word, signed, chain FROM bits WHERE address = ?"
    rows: list[BitRow] = [(word, signed, chain) for word, signed, chain in db.execute(query, (address,))]
    new, changes, has_lost = dict[int, tuple[int, int]](), list[sync_index.Change](), False
    for row in rows:
        word, signed, chain = map(int.from_bytes, row)
        if not bit_sums.agrees(db, address, row):
            has_lost, chain = True, 0
            new[word] = said.get(word, 0), 0
            continue
        held = said.get(word, 0)
        new[word] = held, chain | signed & ~held
        changes += sync_index.word_changes(address, word, signed, held) if signed != held else []
    is_short = len(rows) < bit_sums.count(db, address)
    new |= {word: (mask, 0) for word, mask in said.items() if word not in new}
    db.execute("DELETE FROM bits WHERE address = ?", (address,))
    db.execute("DELETE FROM bit_sums WHERE address = ?", (address,))
    kept = [
        (word.to_bytes(HASH_BYTES), signed.to_bytes(HASH_BYTES), chain.to_bytes(HASH_BYTES))
        for word, (signed, chain) in new.items()
        if signed or chain
    ]
    bits.put(db, address, kept)
    sync_index.change_sums(db, REVOCATION, changes)
    return has_lost or is_short


def _said(db: Writing, network: Network, address: bytes) -> Masks:
    """Return what an address's stored revocations revoke; what cannot be read is left out."""
    said, seq = dict[int, int](), 0
    while some := revocations_after(db, address, seq, _AT_ONCE):
        for one in some:
            with suppress(SaysoError):
                for word, mask in as_kind(decode(one.body, network).message, Revocation).bits.items():
                    said[word] = said.get(word, 0) | mask
        seq = some[-1].seq
    return said


def _learn_again(db: Writing, network: Network, name: str) -> bool:
    """Write again what the keeping of a consent leaves in other tables."""
    stored: Stored | None = messages.consent(db, bytes.fromhex(name))
    if stored is None:
        return False
    envelope = decode(stored.body, network)
    consent = as_kind(envelope.message, Consent)
    placed = Placed(stored.seq, envelope.digest, consent, envelope.items)
    shared_claims.remove(db, placed)
    shared_claims.add(db, [placed])
    again = "INSERT INTO items VALUES (?, ?) ON CONFLICT DO NOTHING"
    db.executemany(again, ((item, stored.seq) for item in envelope.items))
    add_people(db, {consent.contributor, consent.guardian, consent.grantee} - {NOBODY})
    base = consent.base.to_bytes(HASH_BYTES)
    change = (
        "INSERT INTO terms VALUES (?, ?, ?, ?) ON CONFLICT (address, base) DO UPDATE"
        " SET permissions = excluded.permissions"
    )
    count = consent.items * len(consent.purposes)
    db.execute(change, (consent.contributor, base, count, envelope.digest))
    totals.rebuild(db)
    return False


def _ask_wallet(db: Writing, _network: Network, name: str) -> bool:
    """Record that a wallet refused, until it is asked again."""
    digest = bytes.fromhex(name)
    wallets.forget(db, digest)
    row = db.execute("SELECT contributor FROM messages WHERE digest = ?", (digest,)).fetchone()
    if row:
        wallets.said(db, row[0], digest, 0.0, 0.0, accepted=False)
    return False


def _sum_sync(db: Writing, _network: Network, name: str) -> bool:
    """Compute the sums of a set of sync from its entries."""
    number = int(name)
    db.execute("DELETE FROM sync_sums WHERE kind = ?", (number,))
    for rows in ("pool WHERE digest", "shared_claims WHERE license"):  # of messages that are gone
        db.execute(f"DELETE FROM {rows} NOT IN (SELECT digest FROM messages)")  # noqa: S608 - ours
    entries = sync_entries.ids(db, number, 1)
    changes = [(place, int.from_bytes(one), 1) for place, one in entries]
    sync_index.change_sums(db, kinds_in(number)[0], changes)
    return False


def _sum_state(db: Writing, _network: Network, _name: str) -> bool:
    bits.put_sum(db, bits.computed_sum(db))
    return False


def _total(db: Writing, _network: Network, _name: str) -> bool:
    totals.rebuild(db)
    return False


def _begin_events(db: Writing, _network: Network, _name: str) -> bool:
    """Drop all events: with the store's new id, listeners begin anew. One says that there were some."""
    db.execute("DELETE FROM events")
    db.execute("DELETE FROM event_parties")
    row = db.execute("SELECT address, word, signed FROM bits LIMIT 1").fetchone()
    if row:
        word, mask = map(int.from_bytes, row[1:])
        publish_bits(db, row[0], [(word, mask)], source=bits.CHAIN, digest=None, now=0.0)
    return False


_REPAIRS: Final[dict[Damaged, Callable[[Writing, Network, str], bool]]] = {
    Damaged.MESSAGE: _drop_message,
    Damaged.INDEX: _learn_again,
    Damaged.BITS: _settle_bits,
    Damaged.WALLET: _ask_wallet,
    Damaged.TOTAL: _total,
    Damaged.STATE: _sum_state,
    Damaged.SYNC: _sum_sync,
    Damaged.EVENTS: _begin_events,
}
