"""The knowledge that verdicts look up, from one committed state of the store."""

from functools import cached_property, lru_cache, partial

from sayso_node.store import bits, erasure, messages
from sayso_node.store.admission import pending
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Reading
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.packed_license import HeldLicense, PackedLicense
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.verdict import KnownBits, Row


class StoreBits:
    """Bits of all addresses, from one transaction; each address is read once."""

    def __init__(self, db: Reading) -> None:
        self._read = lru_cache(65_536)(partial(bits.bits_of, db))

    def bits(self, address: bytes) -> Masks:
        """Return all bits of an address."""
        return self._read(address)


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
        self._is_marked = lru_cache(65_536)(self._ask_mark)

    def read_on(self, db: Reading) -> None:
        """Continue with another transaction that sees the same state."""
        self._db = db

    @cached_property
    def digest(self) -> bytes:
        """The state digest (rule 9.3)."""
        return bits.current_digest(self._db)

    def bits(self, address: bytes) -> Masks:
        """Return all bits of an address."""
        return self._bits.bits(address)

    def license(self, license_hash: bytes) -> PackedLicense | None:
        """Return a license for single rows, from the cache or the store."""
        return self._licenses.license(license_hash, self.read)

    def read(self, license_hash: bytes) -> HeldLicense | None:
        """Return a license from the store."""
        stored = messages.consent(self._db, license_hash)
        if stored is None:
            if erasure.is_erased(self._db, license_hash):
                self.erased.add(license_hash)
            return None
        envelope = decode(stored.body, self._network)
        return HeldLicense(as_kind(envelope.message, Consent), envelope.items, stored.arrived_at)

    def licenses_on(self, item: bytes) -> list[PackedLicense]:
        """Return every held license on an item."""
        names = messages.licenses_on(self._db, item)
        return [held for name in names if (held := self.license(name))]

    def confirmed_before(self, row: Row, moment: float, since: float) -> bool:
        """Return whether a clear verdict on a row is confirmed at this moment (rule 8.9).

        It is when every consent that the row depends on arrived before the moment and is not in doubt.
        Those are the row's own consent and, for content with several parties, all consents with the same
        list of parties. Other consents on the item have no influence (rule 8.7).
        """
        held = self.license(row.license)
        if held is None:
            return False
        used = [held]
        if len(held.consent.parties) > 1:
            on_item = self.licenses_on(row.item)
            used += [one for one in on_item if one.consent.parties == held.consent.parties]
        for one in used:
            if not one.arrived_at < moment or self.is_doubted(one.consent, since):
                return False
        return True

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
        load = pending.load(self._db)
        return load.marks > 0 or load.lost > 0

    def _ask_mark(self, address: bytes) -> bool:
        return pending.is_marked(self._db, address)
