"""Recomputes from the stored messages everything that answers depend on, in one committed state.

Each message is decoded, and its digest is computed from what it says; what its keeping should have left
in other tables is looked up. Then each table is compared with its checksums, and each sum that is kept
with what it sums.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from sayso_node.errors import StoreDamaged
from sayso_node.store import many
from sayso_node.store.chain import wallets
from sayso_node.store.events import feed as events
from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.checksums import check_message
from sayso_node.store.integrity.totals import Total
from sayso_node.store.interface import Reading
from sayso_node.store.messages import TOMBSTONES
from sayso_node.store.revocations import bits
from sayso_node.store.shared_claims import Placed
from sayso_node.store.sync import entries as sync_entries
from sayso_node.store.sync import index as sync_index
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.sync.fingerprints import ROOT, sum_of
from sayso_protocol.sync.sets import all_sets

MOST_FINDINGS: Final = 1_000  # of one pass; repair ends with a pass that finds nothing
_AT_ONCE: Final = 500  # messages


class Damaged(StrEnum):
    """What is damaged; repair.py has a repair for each but the first."""

    PAGES = "pages"  # the file itself
    MESSAGE = "message"  # by its digest
    INDEX = "index"  # what the keeping of a consent left in other tables, by its digest
    BITS = "bits"  # of an address
    WALLET = "wallet"  # a wallet's answer about a license
    TOTAL = "total"  # number and sum of people or terms
    STATE = "state"  # the sum of the state digest
    SYNC = "sync"  # the sums that peers compare, of a kind of message
    EVENTS = "events"  # of which some are gone


class Finding(NamedTuple):
    """Something that is not what was stored.

    Attributes:
        kind: What it is.
        name: Its digest, address or name, in hexadecimal or as text.
        text: What a person reads.
    """

    kind: Damaged
    name: str
    text: str


def audit(db: Reading, network: Network) -> list[Finding]:
    """Return what is damaged, at most MOST_FINDINGS; empty if everything is right."""
    if faults := db.faults():
        return [Finding(Damaged.PAGES, "", "the file is damaged: " + "; ".join(faults))]
    return list(islice(_findings(db, network), MOST_FINDINGS))


def _findings(db: Reading, network: Network) -> Iterator[Finding]:
    yield from _messages(db, network)
    for address in bit_sums.damaged(db):
        text = f"revocations of 0x{address.hex()} are not what was stored"
        yield Finding(Damaged.BITS, address.hex(), text)
    for name in wallets.damaged(db):
        text = f"a wallet's answer about 0x{name.hex()} is not what was stored"
        yield Finding(Damaged.WALLET, name.hex(), text)
    yield from _totals(db)
    yield from _state(db)
    for number in (one.number for one in all_sets()):
        ids = (name for _, name in sync_entries.ids(db, number, ROOT))
        if sum_of(ids) != sync_index.sums(db, number, [ROOT], 0)[0]:
            yield Finding(Damaged.SYNC, str(number), f"the sums of set {number} of sync are wrong")
    first, last, count = db.execute("SELECT min(seq), max(seq), count(*) FROM events").fetchone()
    if (last or 0) != db.next_seq("events") - 1 or (count and last - first + 1 != count):
        yield Finding(Damaged.EVENTS, "", "events are missing")
    named = db.execute("SELECT count(DISTINCT seq) FROM event_parties").fetchone()[0]
    if named != count:
        yield Finding(Damaged.EVENTS, "", "whom events concern is not what was stored")


def _messages(db: Reading, network: Network) -> Iterator[Finding]:
    query = (
        "SELECT seq, digest, kind, contributor, body, arrived_at, sum FROM messages"
        " WHERE seq > ? ORDER BY seq LIMIT ?"
    )
    seq = -1
    while rows := db.execute(query, (seq, _AT_ONCE)).fetchall():
        for number, *row in rows:
            try:
                envelope = _read(network, *row)
            except SaysoError as error:
                yield Finding(Damaged.MESSAGE, row[0].hex(), f"message {row[0].hex()}: {error}")
            else:
                if envelope:
                    yield from _left(db, number, envelope)
        seq = rows[-1][0]


def _read(
    network: Network,
    digest: bytes,
    kind: int,
    contributor: bytes,
    body: bytes,
    arrived_at: float,
    kept: int,
) -> Envelope | None:
    """Return a message whose row is right; None for a tombstone."""
    check_message(digest, kind, body, arrived_at, kept)
    if kind in TOMBSTONES:
        return None
    envelope = decode(body, network)
    message = envelope.message
    if (envelope.digest, message.kind, message.signer) != (digest, kind, contributor):
        raise StoreDamaged("it is stored in the place of another")
    return envelope


def _left(db: Reading, seq: int, envelope: Envelope) -> Iterator[Finding]:
    """Compare what the keeping of a message must have left."""
    message = envelope.message
    if isinstance(message, Revocation):
        wanted = {word.to_bytes(HASH_BYTES): mask for word, mask in message.bits.items()}
        query = "SELECT word, signed FROM bits WHERE address = ? AND word IN"
        held = dict(many.among(db, query, wanted, (message.contributor,)))
        if any(mask & ~int.from_bytes(held.get(word, b"")) for word, mask in wanted.items()):
            who = message.contributor.hex()
            yield Finding(Damaged.BITS, who, f"a stored revocation of 0x{who} does not count")
    if isinstance(message, Consent):
        name = envelope.digest
        if not _is_indexed(db, seq, name, message, envelope.items):
            yield Finding(Damaged.INDEX, name.hex(), f"consent 0x{name.hex()} is not found everywhere")
        if envelope.claim.is_contract_wallets and not wallets.is_held(db, name):
            yield Finding(Damaged.WALLET, name.hex(), f"no wallet's answer about 0x{name.hex()}")


def _is_indexed(db: Reading, seq: int, name: bytes, consent: Consent, items: tuple[bytes, ...]) -> bool:
    people = {consent.contributor, consent.guardian, consent.grantee} - {NOBODY}
    known = list(many.among(db, "SELECT address FROM people WHERE address IN", people))
    query = "SELECT permissions FROM terms WHERE address = ? AND base = ?"
    terms = db.execute(query, (consent.contributor, consent.base.to_bytes(HASH_BYTES))).fetchone()
    listed = list(many.among(db, "SELECT item FROM items WHERE seq = ? AND item IN", items, (seq,)))
    claims = list[bytes]()
    if len(consent.parties) > 1:
        placed = Placed(seq, name, consent, items)
        query = "SELECT claim FROM shared_claims WHERE license = ? AND expires_at = ? AND claim IN"
        keys = {key for key, *_ in placed.claims}
        found = many.among(db, query, keys, (name, consent.expires_at))
        claims = [*keys.difference(key for (key,) in found)]
    return (
        len(known) == len(people)
        and terms == (consent.items * len(consent.purposes),)
        and len(listed) == len(items)
        and not claims
    )


def _totals(db: Reading) -> Iterator[Finding]:
    people = (address for (address,) in db.execute("SELECT address FROM people"))
    terms = (totals.term(*row) for row in db.execute("SELECT address, base, permissions FROM terms"))
    for name, rows in ((totals.PEOPLE, people), (totals.TERMS, terms)):
        try:
            totals.check(db, name, Total().plus(rows))
        except StoreDamaged as error:
            yield Finding(Damaged.TOTAL, name, str(error))


def _state(db: Reading) -> Iterator[Finding]:
    try:
        is_right = bits.kept_sum(db) == bits.computed_sum(db)
    except StoreDamaged:
        is_right = False
    if not is_right:
        yield Finding(Damaged.STATE, "", "the state digest is not that of the revocations")
    if not events.store_id(db):
        yield Finding(Damaged.EVENTS, "", "the store has no id")
