"""The content of a snapshot: known people, held licenses and sublicenses, and every bit of these people.

Words of no held license and bits of no known address enter no snapshot, because a gate clears only what
is named. So nothing pending (rule 7.14) does: it has neither a scope of a known address nor a word of a
held license. Each table is read once, in the order of addresses.
"""

from collections.abc import Collection, Iterator
from itertools import chain

from sayso_node.store.integrity import bit_sums, totals
from sayso_node.store.integrity.totals import Total
from sayso_node.store.interface import Reading
from sayso_node.store.snapshots.address_keys import AddressKeys, permissions_in
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import CONSENT, SUBLICENSE
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.snapshots.hash_list import license_key, person_key, sublicense_key

Terms = tuple[bytes, int, int]  # address, first word, number of permissions


def read_keys(db: Reading) -> tuple[bytearray, set[bytes]]:
    """Return the joined keys of rule 13.3, each once, and the addresses that have too many."""
    joined, crowded = bytearray(), set[bytes]()
    terms = _Terms(db)
    for address, rows in bit_sums.checked_stream(db):
        keys = AddressKeys(address)
        for packed, signed, on_chain in rows:
            word = int.from_bytes(packed)
            if permissions := terms.permissions(address, word):
                keys.add(word, int.from_bytes(signed) | int.from_bytes(on_chain), permissions)
        joined += keys.joined()
        if keys.is_crowded:
            crowded.add(address)
    terms.check()
    return joined, crowded


def read_names(db: Reading, crowded: Collection[bytes], confirmed: float) -> Iterator[bytes]:
    """Return the keys of what a snapshot names (rules 13.3.4 and 13.3.5).

    Licenses and sublicenses that arrived at `confirmed` or later, seconds since the epoch, are left out.
    """
    unnamed = {*crowded, *_in_doubt(db)}
    known = [one for (one,) in db.execute("SELECT address FROM people")]
    totals.check(db, totals.PEOPLE, Total().plus(known))
    people = (one for one in known if one not in unnamed)
    late = "SELECT digest FROM messages WHERE arrived_at >= ?"
    unconfirmed = {digest for (digest,) in db.execute(late, (confirmed,))}
    # A query for each, because an index has the digests of a kind: bodies are not read.
    query = "SELECT digest FROM messages WHERE kind = ?"
    held = (
        key(one)
        for kind, key in ((CONSENT, license_key), (SUBLICENSE, sublicense_key))
        for (one,) in db.execute(query, (kind,))
        if one not in unconfirmed
    )
    return chain(map(person_key, people), held)


def _in_doubt(db: Reading) -> Iterator[bytes]:
    """Return the known addresses of which a revocation may be lost (rule 7.15)."""
    query = (
        "SELECT signer FROM marks JOIN people ON address = signer"
        " UNION SELECT address FROM people WHERE unsure <> 0"
    )
    return (address for (address,) in db.execute(query))


class _Terms:
    """The words of held licenses, read alongside bits in the same order."""

    def __init__(self, db: Reading) -> None:
        self._db, self._read = db, Total()
        self._rows = self._all()
        self._next = next(self._rows, None)

    def check(self) -> None:
        """Compare all terms with their total; raises StoreDamaged."""
        for _ in self._rows:
            pass
        totals.check(self._db, totals.TERMS, self._read)

    def _all(self) -> Iterator[Terms]:
        query = "SELECT address, base, permissions FROM terms ORDER BY address, base"
        for row in self._db.execute(query):
            self._read = self._read.plus([totals.term(*row)])
            yield row[0], int.from_bytes(row[1]), row[2]

    def permissions(self, address: bytes, word: int) -> int:
        """Return the bits of a word that revoke something, for ascending addresses and words."""
        if word & SCOPE_FLAG:
            return 1
        base = word - word % LIMITS.words
        while self._next and self._next[:2] < (address, base):
            self._next = next(self._rows, None)
        if self._next is None or self._next[:2] != (address, base):
            return 0
        return permissions_in(word, base, self._next[2])
