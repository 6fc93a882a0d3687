"""Chains of sublicenses offline: what a gate holds, as far as files let it count (rule 13.10.4).

A file names the sublicenses that its maker holds, and has keys for those that are displaced and for the
bits by which holders withdraw. The sublicenses themselves are in the license bundle.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.words import Masks
from sayso_protocol.snapshots.hash_list import person_key, sublicense_key
from sayso_protocol.snapshots.keys import (
    as_keys,
    displaced_for_key,
    displaced_key,
    scopes_key,
    word_key,
)
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts.chains import Chain, Hop, OpenChains
from sayso_protocol.verdicts.held_sublicenses import HeldSublicenses
from sayso_protocol.verdicts.query import Query


class HeldSublicense(NamedTuple):
    """HeldSublicense is a verified sublicense of a buyer.

    Attributes:
        hop: Digest and terms.
        names: The hashes of its licenses, 32 bytes each.
    """

    hop: Hop
    names: tuple[bytes, ...]


class OfflineChains:
    """OfflineChains answers for chains what ChainKnowledge asks, from sublicenses and files.

    Attributes:
        sure: The digests of the sublicenses that every file speaks for.

    Args:
        sublicenses: What the gate holds.
        consents: The licenses that the gate holds, by hash.
        snapshots: The files.
    """

    def __init__(
        self,
        sublicenses: Collection[HeldSublicense],
        consents: Iterable[tuple[bytes, Consent]],
        snapshots: Snapshots,
    ) -> None:
        self._snapshots = snapshots
        self._with_scopes: dict[bytes, bool] = {}
        self._chains: dict[tuple[bytes, bytes], list[Chain] | None] = {}
        self.sure = self._named([one.hop for one in sublicenses])
        passed = {name for one in sublicenses for name in one.names}
        grantees = {name: one.grantee for name, one in consents if name in passed}
        self._held = HeldSublicenses(grantees.get, self._displaced(sublicenses))
        for one in sublicenses:
            self._held.add(one.hop, one.names)

    def open_chains(self, query: Query, now: float) -> OpenChains:
        """Return what finds the open chains for a query and a moment (rule 8.5)."""
        return OpenChains(self, query, now, lambda hop: hop.digest in self.sure)

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        """See PassedOn; each license is looked at once."""
        new = [name for name in names if (name, asker) not in self._chains]
        found = self._held.chains(new, asker)
        self._chains |= {(name, asker): found.get(name) for name in new}
        answers = {name: self._chains[name, asker] for name in names}
        return {name: some for name, some in answers.items() if some is not None}

    def speakers(self, addresses: Iterable[bytes]) -> list[bytes]:
        """See KnownBits; chains ask for scopes only."""
        wanted = [*addresses]
        new = [one for one in wanted if one not in self._with_scopes]
        flags = self._holds([scopes_key(one) for one in new])
        self._with_scopes |= zip(new, flags, strict=True)
        return [one for one in wanted if self._with_scopes[one]]

    def has_scopes(self, address: bytes) -> bool:
        """See KnownBits."""
        return bool(self.speakers([address]))

    def masks(self, address: bytes, words: Collection[int]) -> Masks:
        """See KnownBits; the words are those of scopes, of which bit 0 alone has a meaning."""
        asked = [*words]
        flags = self._holds([word_key(address, one) for one in asked])
        return {word: 1 for word, flag in zip(asked, flags, strict=True) if flag}

    def _named(self, hops: Sequence[Hop]) -> frozenset[bytes]:
        """Return the sublicenses that every file names with their signers (rule 13.10.4)."""
        named = self._snapshots.name(
            key for one in hops for key in (sublicense_key(one.digest), person_key(one.terms.signer))
        ).tolist()
        pairs = zip(hops, named[::2], named[1::2], strict=True)
        as_of = self._snapshots.as_of
        return frozenset(
            one.digest for one, *both in pairs if all(both) and one.terms.issued_at <= as_of
        )

    def _displaced(self, some: Collection[HeldSublicense]) -> frozenset[tuple[bytes, bytes]]:
        """Return the licenses for which a file displaces a sublicense (rule 13.10.5)."""
        flags = self._holds([displaced_key(one.hop.digest) for one in some])
        pairs = [
            (name, one.hop.digest)
            for one, flag in zip(some, flags, strict=True)
            if flag
            for name in one.names
        ]
        flags = self._holds([displaced_for_key(digest, name) for name, digest in pairs])
        return frozenset(one for one, flag in zip(pairs, flags, strict=True) if flag)

    def _holds(self, keys: Sequence[bytes]) -> list[bool]:
        held: list[bool] = self._snapshots.holds(as_keys(b"".join(keys))).tolist() if keys else []
        return held
