"""The knowledge that verdicts look up, from one committed state of the store."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, cast

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from sayso_node.store import erasure, messages, shared_claims
from sayso_node.store.admission import marks, pending
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Reading
from sayso_node.store.revocations.bits import current_digest
from sayso_node.store.statements import disputes
from sayso_node.store.statements.chains import Way, Ways, chains_of_numbered, chains_to
from sayso_node.store.statements.sublicenses import SublicenseTerms, numbers_of
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.packed_license import HeldLicense, PackedLicense
from sayso_node.verdicts.stored_terms import read_consents
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.chains import ALWAYS, NEVER, Chain, Hop
from sayso_protocol.verdicts.disputes import Asking, not_withdrawn
from sayso_protocol.verdicts.known_bits import KnownBits
from sayso_protocol.verdicts.license_table import (
    ADDRESS,
    HASH,
    Ints,
    among,
    distinct,
    listed,
)
from sayso_protocol.verdicts.verdict import NamedLicense, Sought

KEPT_CONSENTS: Final = 4_096  # that a check keeps at once, because its rows come in any order
KEPT_HOPS: Final = 16_384  # sublicenses that are kept at once


class NotInMemory(Exception):
    """What a verdict needs has to be read from the store."""


class _Memory:
    def __getattr__(self, name: str) -> Any:
        raise NotInMemory(name)


MEMORY: Final = cast("Reading", _Memory())  # stands for a transaction where nothing may be read


class StoreKnowledge:
    """The knowledge that a verdict looks up, from one transaction and a cache of licenses.

    Args:
        db: The transaction.
        network: The network of the stored messages.
        licenses: The cache of licenses for single rows.
        bits: Bits of the same state.

    Attributes:
        digest: The state digest (rule 9.3).
        holds_disputes: Whether the state has any dispute that is kept.
        erased: Licenses that were looked up and have only a tombstone.
    """

    def __init__(self, db: Reading, network: Network, licenses: LicenseCache, bits: KnownBits) -> None:
        self._db = db
        self._network = network
        self._licenses = licenses
        self._bits = bits
        self._last: tuple[bytes, PackedLicense | None] = b"", None
        self.digest = current_digest(db)
        self.holds_disputes = disputes.any_held(db)
        self._wallets = wallets.any_held(db)
        self._marks = marks.any_left(db)
        self.erased: set[bytes] = set()
        self._consents: LRUCache[bytes, Consent] = LRUCache(KEPT_CONSENTS)
        self._ways: LRUCache[int, Way] = LRUCache(KEPT_HOPS)
        self._chains: LRUCache[bytes, Chain] = LRUCache(KEPT_HOPS)  # by the digest of the first
        self._is_marked = lru_cache(65_536)(self._ask_mark)

    def read_on(self, db: Reading) -> None:
        """Continue with another transaction that sees the same state."""
        self._db = db

    def speakers(self, addresses: Collection[bytes]) -> Collection[bytes]:
        """See KnownBits."""
        return self._bits.speakers(addresses)

    def has_scopes(self, address: bytes) -> bool:
        """See KnownBits."""
        return self._bits.has_scopes(address)

    def masks(self, address: bytes, words: Collection[int]) -> Masks:
        """See KnownBits."""
        return self._bits.masks(address, words)

    def license(self, license_hash: bytes) -> PackedLicense | None:
        """Return a license for single rows, from the cache or the store."""
        name, held = self._last  # a row asks for its license several times
        if name != license_hash:
            held = self._licenses.license(license_hash, self.read)
            self._last = license_hash, held
        return held

    def is_shared(self, license_hash: bytes) -> bool:
        """Return whether a license is held whose content needs several parties' consent."""
        held = self.license(license_hash)
        return held is not None and len(held.consent.parties) > 1

    def read(self, license_hash: bytes) -> HeldLicense | None:
        """Return a license from the store."""
        stored = messages.consent(self._db, license_hash)
        if stored is None:
            if erasure.is_erased(self._db, license_hash):
                self.erased.add(license_hash)
            return None
        envelope = decode(stored.body, self._network)
        return HeldLicense(as_kind(envelope.message, Consent), envelope.items, stored.arrived_at)

    def consents(self, names: Sequence[bytes]) -> dict[bytes, Consent]:
        """Return the consents of held licenses, for rows that are not judged in columns."""
        found = {name: one for name in names if (one := self._consents.get(name))}
        unread = sorted(set(names) - found.keys())
        if unread:
            held = {name: body for name, body, _ in messages.held_of(self._db, unread) if body}
            found |= zip(held, read_consents([*held.values()]), strict=True)
            self._consents.update(found)
        return found

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        """See PassedOn; only sublicenses to the asker are read, and those above them."""
        return self._made(chains_to(self._db, names, asker, self._ways))

    def chains_on(self, shelf: TableCache, asker: bytes, some: Ints) -> dict[bytes, list[Chain]]:
        """Return the same for licenses of a shelf, by their indexes.

        The shelf keeps the licenses' numbers: to find these takes three times as long as the rest.
        """
        names, numbers = listed(shelf.table.licenses["name"][some]), shelf.numbers[some]
        if len(new := np.flatnonzero(numbers == 0)):
            asked = [names[at] for at in new.tolist()]
            found = numbers_of(self._db, asked)
            numbers[new] = [found.get(name, 0) for name in asked]
            shelf.numbers[some] = numbers  # of several threads, each writes the same
        licenses = dict(zip(numbers.tolist(), names, strict=True))
        licenses.pop(0, None)
        return self._made(chains_of_numbered(self._db, licenses, asker, self._ways))

    def _made(self, found: Ways) -> dict[bytes, list[Chain]]:
        named, ways = found
        some = {*named.values()}  # most licenses of a question share a few chains
        made = {key: [self._chain(ways[one]) for one in key] for key in some}
        return {name: made[key] for name, key in named.items()}

    def _chain(self, way: tuple[SublicenseTerms, ...]) -> Chain:
        """Return a chain; one that passes on many licenses is one object."""
        key = way[0].digest
        if (kept := self._chains.get(key)) is None:
            self._chains[key] = kept = Chain(tuple(Hop(one.digest, one, one.seen_at) for one in way))
        return kept

    def any_disputed(self, asking: Asking) -> bool:
        """See DisputeKnowledge."""
        return bool(asking.heed) and self.holds_disputes

    def disputed(self, hashes: Collection[bytes], asking: Asking) -> Collection[bytes]:
        """See DisputeKnowledge; all are looked up in one go."""
        return not_withdrawn(self._bits, disputes.in_force(self._db, hashes, asking))

    def accepted(self, licenses: NDArray[Any]) -> NDArray[np.float64]:
        """Return `accepted_at` for licenses of a table with one party each."""
        times = np.full(len(licenses), np.inf)
        if self._marks:
            people = distinct(np.append(licenses["contributor"], licenses["guardian"]))
            marked = np.sort(np.array([*pending.marked_among(self._db, listed(people))], ADDRESS))
            for who in ("contributor", "guardian"):
                times[among(licenses[who], marked)] = -np.inf
        if self._wallets:
            answers = wallets.accepted_among(self._db, listed(licenses["name"]))
            names = np.sort(np.array([*answers], HASH))
            asked = np.flatnonzero(among(licenses["name"], names))
            for at, name in zip(asked.tolist(), listed(licenses["name"][asked]), strict=True):
                times[at] = min(times[at], answers[name])
        return times

    def considered(self, sought: Sought) -> Iterator[NamedLicense]:
        """Return the held licenses that rule 8.7 considers, read one after the other (8.7.3)."""
        for name in shared_claims.considered(self._db, sought):
            if (held := self.license(name)) and sought.matches(held.consent):
                yield NamedLicense(name, held)

    def accepted_at(self, name: bytes, consent: Consent) -> float:
        """Return until which block time a consent is known to stand, seconds since the epoch.

        Infinity if a key signed it. Minus infinity if a revocation of it may exist that this node does
        not know, because one by its people may be lost (rule 7.15), or if the contract wallet that
        signed it did not accept it when it was last asked (rule 8.14).
        """
        if self._marks and any(map(self.is_marked, {*consent.parties, consent.guardian})):
            return NEVER
        return wallets.accepted_at(self._db, name) if self._wallets else ALWAYS

    def is_marked(self, address: bytes) -> bool:
        """Return whether a revocation by an address may be lost (rule 7.15)."""
        return self._marks and self._is_marked(address)

    def _ask_mark(self, address: bytes) -> bool:
        return pending.is_marked(self._db, address)
