"""The knowledge that verdicts look up, from one committed state of the store."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from sayso_node.store import bits, erasure, messages, shared_claims
from sayso_node.store.admission import marks, pending
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Reading
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.packed_license import HeldLicense, PackedLicense
from sayso_node.verdicts.stored_terms import read_consents
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.known_bits import KnownBits
from sayso_protocol.verdicts.license_table import (
    ADDRESS,
    HASH,
    Flags,
    among,
    distinct,
    listed,
)
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Row, Sought, others_of

KEPT_CONSENTS: Final = 4_096  # that a check keeps at once, because its rows come in any order


class Moment(NamedTuple):
    """What makes a clear verdict `stale` (rule 8.9), for one query.

    Attributes:
        query: Grantee and purpose.
        now: Seconds since the epoch.
        confirmed: Consents that arrived before are confirmed; minus infinity confirms none.
        since: Wallets must have accepted their consents since then.
    """

    query: Query
    now: float
    confirmed: float
    since: float


class StoreKnowledge:
    """The knowledge that a verdict looks up, from one transaction and a cache of licenses.

    Args:
        db: The transaction.
        network: The network of the stored messages.
        licenses: The cache of licenses for single rows.
        bits: Bits of the same state.
    """

    def __init__(self, db: Reading, network: Network, licenses: LicenseCache, bits: KnownBits) -> None:
        self._db = db
        self._network = network
        self._licenses = licenses
        self._bits = bits
        self.erased: set[bytes] = set()  # licenses that were looked up and have only a tombstone
        self._consents: LRUCache[bytes, Consent] = LRUCache(KEPT_CONSENTS)
        self._is_marked = lru_cache(65_536)(self._ask_mark)

    def read_on(self, db: Reading) -> None:
        """Continue with another transaction that sees the same state."""
        self._db = db

    @cached_property
    def digest(self) -> bytes:
        """The state digest (rule 9.3)."""
        return bits.current_digest(self._db)

    def speakers(self, addresses: Iterable[bytes]) -> Collection[bytes]:
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
        return self._licenses.license(license_hash, self.read)

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

    def doubted(self, licenses: NDArray[Any], since: float) -> Flags:
        """Return `is_doubted` for licenses of a table with one party each."""
        flags = np.zeros(len(licenses), bool)
        if self._marks:
            people = distinct(np.append(licenses["contributor"], licenses["guardian"]))
            marked = pending.marked_among(self._db, listed(people))
            for who in ("contributor", "guardian"):
                flags |= among(licenses[who], np.sort(np.array([*marked], ADDRESS)))
        if self._wallets:
            names = wallets.unaccepted_among(self._db, listed(licenses["name"]), since)
            flags |= among(licenses["name"], np.sort(np.array([*names], HASH)))
        return flags

    def considered(self, sought: Sought) -> Iterator[PackedLicense]:
        """Return the held licenses that rule 8.7 considers, read one after the other (8.7.3)."""
        for name in shared_claims.considered(self._db, sought):
            if (held := self.license(name)) and sought.matches(held.consent):
                yield held

    def is_confirmed(self, row: Row, moment: Moment) -> bool:
        """Return whether a clear verdict on a row is confirmed (rule 8.9).

        It is when every consent that the row depends on arrived before the moment and is not in doubt.
        Those are the row's own consent and, for content with several parties, the consents that rule 8.7
        considers. Other consents on the item have no influence.
        """
        held = self.license(row.license)
        return (
            held is not None
            and held.arrived_at < moment.confirmed
            and self.is_sure(held.consent, row.item, moment)
        )

    def is_sure(self, consent: Consent, item: bytes, moment: Moment) -> bool:
        """Return the same, apart from the time at which the row's own consent arrived."""
        if self.is_doubted(consent, moment.since):
            return False
        others = others_of(consent, item, moment.query, moment.now)
        return all(
            one.arrived_at < moment.confirmed and not self.is_doubted(one.consent, moment.since)
            for one in chain.from_iterable(map(self.considered, others))
        )

    def is_doubted(self, consent: Consent, since: float) -> bool:
        """Return whether a revocation of a consent may exist that this node does not know.

        So it is when a revocation by one of the consent's people may be lost (rule 7.15), or its
        contract wallet did not accept it at a block at or after `since` (rule 8.14).
        """
        if self._marks and any(map(self._is_marked, {*consent.parties, consent.guardian})):
            return True
        return self._wallets and wallets.accepted_at(self._db, digest(consent, self._network)) < since

    @cached_property
    def _wallets(self) -> bool:
        return wallets.any_held(self._db)

    @cached_property
    def _marks(self) -> bool:
        return marks.any_left(self._db)

    def _ask_mark(self, address: bytes) -> bool:
        return pending.is_marked(self._db, address)
