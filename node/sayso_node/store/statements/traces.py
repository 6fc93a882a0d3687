"""Where a license went: its holders, a page at a time by address (section 15).

A page costs what its holders did, not what others state about the license: of each holder, at most 256
sublicenses, 256 removals and 64 uses are read, whatever else names the license.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeVar

from sayso_node.errors import NotFound
from sayso_node.store import messages
from sayso_node.store.chain import block_dates, chain_state
from sayso_node.store.interface import Reading
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.store.statements import disputes, sublicenses
from sayso_node.store.statements.licenses import Licensed, licensed
from sayso_node.store.statements.moments import StoreMoments
from sayso_node.store.statements.sublicenses import PassedOn, SublicenseTerms
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode_all
from sayso_protocol.messages.message import REMOVAL, USE, Message, of_kind
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.withdrawing import withdrawn_by
from sayso_protocol.network import Network
from sayso_protocol.primitives import NOBODY
from sayso_protocol.traces.duties import Block, Confirmation, Duty, duty
from sayso_protocol.traces.landings import UNDATED, Landings
from sayso_protocol.verdicts.chains import Hop, withdrawing
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.known_bits import set_places

HOLDERS: Final = 16  # of a page
PAGE_PERMISSIONS: Final = 65_536  # of holders of a page, which ends after the holder that reaches them
REMOVALS: Final = LIMITS.traced_removals  # of a holder, which are judged
USES: Final = 64  # of a holder, which are shown
Stated = TypeVar("Stated", Use, Removal, Dispute)
_NONE: Final = -1  # height of the last final block before the first


class Held(NamedTuple):
    """A sublicense by which a holder holds the license.

    Attributes:
        terms: What it says, and when this node first saw it.
        depth: See PassedOn.
        is_withdrawn: Whether its signer took it back.
        anchored: The final block of its first anchor, if any.
    """

    terms: SublicenseTerms
    depth: int
    is_withdrawn: bool
    anchored: Block | None


class Used(NamedTuple):
    """A use that a holder declared, whether it took that back, and the block of its first anchor."""

    digest: bytes
    use: Use
    is_withdrawn: bool
    anchored: Block | None


class TracedDispute(NamedTuple):
    """A dispute of the license, whether its signer took it back, and the block of its first anchor."""

    digest: bytes
    dispute: Dispute
    is_withdrawn: bool
    anchored: Block | None


class Holder(NamedTuple):
    """A holder of a license.

    Attributes:
        address: The address, 20 bytes.
        held: The sublicenses to it that count, best first; none for the grantee of the consent alone.
        uses: Uses that it declared, by ascending digest, at most USES.
        has_more_uses: Whether there are more.
        duties: One for each landing, by ascending block.
    """

    address: bytes
    held: list[Held]
    uses: list[Used]
    has_more_uses: bool
    duties: list[Duty]


class Trace(NamedTuple):
    """A page of the trace of a license.

    Attributes:
        consent: The consent.
        arrived_at: When this node kept the consent, seconds since the epoch.
        anchored: The final block of the consent's first anchor, if any.
        final: The last final block, by which this page was computed; None before the first.
        disputes: The disputes of the license, by ascending digest (rule 15.6).
        holders: By ascending address.
        after: The address after which the next page begins; None at the end.
    """

    consent: Consent
    arrived_at: float
    anchored: Block | None
    final: Block | None
    disputes: list[TracedDispute]
    holders: list[Holder]
    after: bytes | None


def trace(db: Reading, network: Network, license_hash: bytes, after: bytes, limit: int) -> Trace:
    """Return the holders of a license after an address; of an erased one, too (rule 8.13.8).

    Raises NotFound if the consent was never held, or was dropped.
    """
    held = licensed(db, network, license_hash)
    if held is None:
        raise NotFound("this node has no license with this hash")
    consent, final = held.consent, block_dates.final(db)
    reading = _Reader(db, network, held, final)
    found, permissions, more = list[Holder](), 0, False
    for address in _holders(db, license_hash, consent.grantee, after):
        if len(found) == limit or permissions >= PAGE_PERMISSIONS:
            more = True
            break
        found.append(reading.holder(address))
        permissions += held.permissions
    anchored = reading.anchors([license_hash]).get(license_hash)
    next_page = found[-1].address if more else None
    return Trace(consent, held.arrived_at, anchored, final, reading.disputes(), found, next_page)


def _holders(db: Reading, license_hash: bytes, grantee: bytes, after: bytes) -> Iterator[bytes]:
    """Yield the holders of a license after an address, ascending; each costs one look-up."""
    query = (
        "SELECT passed_on.grantee FROM grants CROSS JOIN passed_on"
        " WHERE grants.license = ? AND passed_on.license = number AND passed_on.grantee > ?"
        " ORDER BY passed_on.grantee LIMIT 1"
    )
    waits = grantee if grantee != NOBODY and grantee > after else None
    while row := db.execute(query, (license_hash, after)).fetchone():
        after = row[0]
        if waits is not None and waits <= after:
            if waits < after:
                yield waits
            waits = None
        yield after
    if waits is not None:
        yield waits


class _Reader:
    """Reads the holders of one license."""

    def __init__(self, db: Reading, network: Network, held: Licensed, final: Block | None) -> None:
        self._db, self._network, self._license, self._consent = db, network, held.license, held.consent
        self._items = () if held.files is not None else held.items
        self._final = final.number if final else _NONE
        self._now = final.time if final else None
        self._bits = StoreBits(db)
        self._landings = Landings(
            held.consent, held.items, StoreMoments(db, network, self._final), held.files
        )

    def holder(self, address: bytes) -> Holder:
        """Return one holder."""
        passed = sublicenses.sublicenses_to(self._db, self._license, address)
        held = self._held(passed)
        names = [self._license, *(one.digest for one in passed)]
        uses, has_more = self._uses(names, address)
        purposes = {purpose for one in held for purpose in one.terms.purposes}
        if address == self._consent.grantee:
            purposes.update(self._consent.purposes)
        return Holder(address, held, uses, has_more, self._duties(address, sorted(purposes), names))

    def disputes(self) -> list[TracedDispute]:
        """Return the disputes of the license."""
        digests = disputes.about(self._db, self._consent, self._items)
        anchors = self.anchors(digests)
        return [
            TracedDispute(x, one, self._is_withdrawn(x, one), anchors.get(x))
            for x, one in self._read(digests, Dispute)
        ]

    def _held(self, passed: Sequence[PassedOn]) -> list[Held]:
        terms = sublicenses.sublicenses_of(self._db, (one.digest for one in passed))
        anchors = self.anchors([*terms])
        return [
            Held(
                terms[one.digest],
                one.depth,
                self._is_withdrawn(one.digest, terms[one.digest]),
                anchors.get(one.digest),
            )
            for one in passed
        ]

    def _is_withdrawn(self, digest: bytes, message: Message | SublicenseTerms) -> bool:
        if isinstance(message, SublicenseTerms):
            places = withdrawing(Hop(digest, message))
        else:
            places = [Place.of_scope(message.signer, one) for one in withdrawn_by(message, digest)]
        return any(set_places(self._bits, places))

    def _uses(self, names: Sequence[bytes], signer: bytes) -> tuple[list[Used], bool]:
        digests = self._said(names, USE, signer, USES + 1)
        anchors = self.anchors(digests)
        uses = [
            Used(x, use, self._is_withdrawn(x, use), anchors.get(x))
            for x, use in self._read(digests[:USES], Use)
        ]
        return uses, len(digests) > USES

    def _duties(self, address: bytes, purposes: Sequence[str], names: Sequence[bytes]) -> list[Duty]:
        landings = self._landings.of(address, purposes)
        if not landings:
            return []
        removals = self._removals(names, address)
        times = block_dates.dates_of(self._db, (one.block for one in landings))
        return [
            duty(
                one,
                None if one.block == UNDATED else Block(one.block, times.get(one.block)),
                self._consent.removal_days,
                removals,
                self._now,
            )
            for one in landings
        ]

    def _removals(self, names: Sequence[bytes], signer: bytes) -> list[Confirmation]:
        digests = self._said(names, REMOVAL, signer, REMOVALS)
        anchors = self.anchors(digests)
        dated = [one for one in digests if one in anchors]  # what no final block dates does not count
        return [
            Confirmation(x, removal.as_of_block, anchors[x])
            for x, removal in self._read(dated, Removal)
            if not self._is_withdrawn(x, removal)
        ]

    def _read(self, digests: Sequence[bytes], kind: type[Stated]) -> list[tuple[bytes, Stated]]:
        """Return kept messages of a kind, in this order."""
        bodies = messages.bodies_of(self._db, digests)
        envelopes = decode_all([bodies[one] for one in digests], self._network)
        found = of_kind((one for one in envelopes if not isinstance(one, Exception)), kind)
        return [(one.digest, message) for one, message in found]

    def _said(self, names: Iterable[bytes], kind: int, signer: bytes, limit: int) -> list[bytes]:
        """Return the first statements of a signer on some hashes: those on the first hash first."""
        query = (
            "SELECT digest FROM named WHERE hash = ? AND kind = ? AND signer = ? ORDER BY digest LIMIT ?"
        )
        found: dict[bytes, None] = {}
        for name in names:
            found.update((one, None) for (one,) in self._db.execute(query, (name, kind, signer, limit)))
            if len(found) >= limit:
                break
        return [*found][:limit]

    def anchors(self, digests: Sequence[bytes]) -> dict[bytes, Block]:
        """Return the final blocks by which some messages were first anchored."""
        first = chain_state.first_anchors(self._db, digests, self._final)
        times = block_dates.dates_of(self._db, first.values())
        return {digest: Block(number, times.get(number)) for digest, number in first.items()}
