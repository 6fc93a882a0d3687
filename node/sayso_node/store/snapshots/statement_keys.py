"""The keys of statements in snapshots: disputes of those who are heeded, and displaced sublicenses.

A snapshot reads all of them once; a delta reads what is new by index.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from sayso_node.store.admission import pending
from sayso_node.store.interface import Reading
from sayso_node.store.revocations import bits
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.withdrawing import withdrawal_scopes
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.snapshots.keys import displaced_keys, dispute_keys

_DISPLACED: Final = "SELECT digest, license FROM displaced"


def heeded_surely(db: Reading, heeded: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return those whom a file can say that it heeds, ascending: nobody in doubt (rule 13.2.4)."""
    return tuple(one for one in sorted(heeded) if not pending.is_marked(db, one))


def all_displaced(db: Reading) -> Iterator[bytes]:
    """Yield the keys of all displaced sublicenses, each once (rule 13.3)."""
    return _displaced(db.execute(f"{_DISPLACED} ORDER BY digest"))


def new_displaced(db: Reading, after: int) -> Iterator[bytes]:
    """Yield the keys of the sublicenses that were displaced after a `seq`."""
    return _displaced(sorted(db.execute(f"{_DISPLACED} WHERE seq > ?", (after,))))


def _displaced(rows: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    for digest, some in groupby(rows, itemgetter(0)):
        yield from displaced_keys(digest, (license_hash for _, license_hash in some))


def all_disputed(db: Reading, heeded: Sequence[bytes], time: float) -> Iterator[bytes]:
    """Yield the keys of the disputes of some addresses that are open at a time or later, each once.

    A dispute that begins later is among them, because the file is used until later.
    """
    query = "SELECT digest, hash FROM disputes WHERE signer = ? AND expires_at > ? ORDER BY digest, hash"
    for signer in heeded:
        hashes = set[bytes]()
        for digest, rows in groupby(db.execute(query, (signer, time)).fetchall(), itemgetter(0)):
            if not _is_withdrawn(db, signer, digest):
                hashes.update(one for _, one in rows)
        yield from dispute_keys(signer, sorted(hashes))


def disputed_by(db: Reading, envelope: Envelope, heeded: Sequence[bytes], time: float) -> list[bytes]:
    """Return the keys of a kept statement, if it is a dispute as in `all_disputed`."""
    for one, message in of_kind([envelope], Dispute):
        is_open = message.expires_at > time and not _is_withdrawn(db, message.signer, one.digest)
        if message.signer in heeded and is_open:
            return dispute_keys(message.signer, one.items)
    return []


def _is_withdrawn(db: Reading, signer: bytes, digest: bytes) -> bool:
    words = map(scope_word, withdrawal_scopes(digest))
    return any(mask & 1 for mask in bits.masks_of(db, signer, words).values())
