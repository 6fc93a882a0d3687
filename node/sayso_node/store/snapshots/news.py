"""The content of a delta: what became known after a cursor, read by index.

The cost follows the news and not what is stored: new people and licenses with the bits that now count,
new bits of all people, and people who came into doubt. A delta never names somebody again who was known
at its cursor; the next snapshot does.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sayso_node.store.admission import pending
from sayso_node.store.events import feed as events
from sayso_node.store.interface import Reading
from sayso_node.store.revocations import bits
from sayso_node.store.snapshots.address_keys import AddressKeys, permissions_in
from sayso_node.store.snapshots.statement_keys import disputed_by, new_displaced
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, DISPUTE, REVOCATION, SUBLICENSE, as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.snapshots.hash_list import license_key, person_key, sublicense_key


class Cursor(NamedTuple):
    """A position in everything that a store learns: its id, and the last `seq` of each table.

    Messages end before the first that is not confirmed, so that a later delta names it.
    """

    store: str
    messages: int
    people: int
    events: int
    doubts: int
    displaced: int

    def follows(self, other: "Cursor") -> bool:
        """Return whether this is a position of the same store, and not before the other."""
        pairs = zip(self[1:], other[1:], strict=True)
        return self.store == other.store and all(mine >= theirs for mine, theirs in pairs)

    def distance(self, other: "Cursor") -> int:
        """Return a bound of the rows between the other position and this one."""
        return sum(self[1:]) - sum(other[1:])


class News(NamedTuple):
    """The joined keys, and the keys of what a delta names and withdraws."""

    joined: bytes
    named: list[bytes]
    withdrawn: list[bytes]


def position(db: Reading, confirmed: float) -> Cursor:
    """Return the position of a state in which what arrived before `confirmed` is confirmed."""
    tables = ("messages", "people", "events", "doubts", "displaced")
    newest = (db.execute(f"SELECT max(seq) FROM {one}").fetchone()[0] or 0 for one in tables)  # noqa: S608
    here = Cursor(events.store_id(db).hex(), *newest)
    # Without min() in SQL, for which SQLite would walk through all messages.
    late = db.execute("SELECT seq FROM messages WHERE arrived_at >= ?", (confirmed,))
    first = min((seq for (seq,) in late), default=None)
    return here if first is None else here._replace(messages=first - 1)


def read_news(
    db: Reading, after: Cursor, network: Network, confirmed: float, heeded: Sequence[bytes]
) -> News:
    """Return what became known after a cursor of the same store, and disputes of `heeded` addresses.

    Licenses that arrived at `confirmed` or later, seconds since the epoch, are not named (rule 13.3.5),
    and no more are sublicenses.
    """
    reader = _Reader(db, after, network)
    reader.read_people()
    held = list(reader.read_messages(confirmed, heeded))
    reader.read_events()
    crowded = {one.address for one in reader.keys.values() if one.is_crowded}
    doubted = {one for one in reader.doubts() if pending.is_marked(db, one)}
    named = [one for one in reader.people if one not in crowded and not pending.is_marked(db, one)]
    return News(
        b"".join(
            [
                *(one.joined() for one in reader.keys.values()),
                *reader.disputes,
                *new_displaced(db, after.displaced),
            ]
        ),
        [*map(person_key, named), *held],
        [person_key(one) for one in sorted(crowded | doubted)],
    )


class _Reader:
    def __init__(self, db: Reading, after: Cursor, network: Network) -> None:
        self._db, self._after, self._network = db, after, network
        self.keys: dict[bytes, AddressKeys] = {}
        self.people: set[bytes] = set()
        self.disputes: list[bytes] = []

    def read_people(self) -> None:
        """Read the new people with all their bits that count; their licenses are all new, too."""
        query = "SELECT address FROM people WHERE seq > ?"
        for (address,) in self._db.execute(query, (self._after.people,)).fetchall():
            self.people.add(address)
            keys = self._keys_of(address)
            for word in self._words(address, SCOPE_FLAG, (SCOPE_FLAG << 1) - 1):
                keys.add(*word, 1)
                if keys.is_crowded:
                    break
            if self._has_permissions(address):
                terms = "SELECT base, permissions FROM terms WHERE address = ?"
                for base, count in self._db.execute(terms, (address,)):
                    self._add_license(address, int.from_bytes(base), count)

    def read_messages(self, confirmed: float, heeded: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the keys of new licenses and sublicenses, and read the bits set before and disputes."""
        query = "SELECT digest, contributor, body, kind, arrived_at FROM messages WHERE seq > ?"
        rows = self._db.execute(query, (self._after.messages,))
        for digest, contributor, body, kind, arrived_at in rows:
            # Not in SQL, where an index of all consents would be used.
            if kind == DISPUTE:
                envelope = decode(body, self._network)
                self.disputes += disputed_by(self._db, envelope, heeded, confirmed)
            if arrived_at >= confirmed:
                continue
            if kind == SUBLICENSE:
                yield sublicense_key(digest)
            if kind != CONSENT:
                continue
            yield license_key(digest)
            if contributor not in self.people and self._has_permissions(contributor):
                consent = as_kind(decode(body, self._network).message, Consent)
                self._add_license(contributor, consent.base, consent.items * len(consent.purposes))

    def read_events(self) -> None:
        """Read the new bits of people who were known before."""
        query = "SELECT address, word, mask FROM events WHERE seq > ? AND kind = ?"
        for address, packed, mask in self._db.execute(query, (self._after.events, REVOCATION)):
            if address in self.people or not bits.is_known(self._db, address):
                continue
            word, news = int.from_bytes(packed), int.from_bytes(mask)
            if word & SCOPE_FLAG:
                self._keys_of(address).add(word, news, 1)
            elif permissions := self._permissions(address, word):
                signed, on_chain = bits.masks_at(self._db, address, word)
                is_full = (signed | on_chain) & permissions == permissions
                self._keys_of(address).add(word, permissions if is_full else news, permissions)

    def doubts(self) -> list[bytes]:
        """Return the known people who came into doubt; it may be over by now."""
        query = "SELECT address FROM doubts WHERE seq > ?"
        return [address for (address,) in self._db.execute(query, (self._after.doubts,))]

    def _add_license(self, address: bytes, base: int, count: int) -> None:
        last = base + (count - 1) // WORD_BITS
        for word, mask in self._words(address, base, last):
            self._keys_of(address).add(word, mask, permissions_in(word, base, count))

    def _words(self, address: bytes, first: int, last: int) -> Iterator[tuple[int, int]]:
        return bits.words_between(self._db, address, first, last)

    def _has_permissions(self, address: bytes) -> bool:
        return bits.has_permissions(self._db, address)

    def _permissions(self, address: bytes, word: int) -> int:
        base = word - word % LIMITS.words
        query = "SELECT permissions FROM terms WHERE address = ? AND base = ?"
        row = self._db.execute(query, (address, base.to_bytes(HASH_BYTES))).fetchone()
        return permissions_in(word, base, row[0]) if row else 0

    def _keys_of(self, address: bytes) -> AddressKeys:
        return self.keys.setdefault(address, AddressKeys(address))
