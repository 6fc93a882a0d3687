"""Sublicenses in memory: which of them meet the parent rule, and which count (rule 8.15).

Neither time nor purposes nor withdrawal play a part here, so what does not count never does again:
further sublicenses can displace one, and nothing brings it back.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import cache

from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.statements.sublicense import NO_PARENT
from sayso_protocol.verdicts.chains import Chain, Hop

Rank = tuple[int, int, bytes]


def rank(depth: int, expires_at: int, digest: bytes) -> Rank:
    """Return the place of a sublicense among others; the smallest is the first (rule 8.15.3)."""
    return depth, -expires_at, digest


class HeldSublicenses:
    """HeldSublicenses holds sublicenses (see PassedOn).

    Args:
        grantee_of: Returns the grantee of a license, 20 bytes, by its hash; None if it is not held.
        displaced: Pairs of a license and a sublicense that does not count for it, whatever is held
            (rule 13.10.5).
    """

    def __init__(
        self,
        grantee_of: Callable[[bytes], bytes | None],
        displaced: Container[tuple[bytes, bytes]] = frozenset(),
    ) -> None:
        self._grantee_of, self._displaced = grantee_of, displaced
        self._hops: dict[bytes, Hop] = {}
        self._named: dict[bytes, set[bytes]] = {}  # license hashes by digest
        self._to: dict[tuple[bytes, bytes], set[bytes]] = {}  # digests by license and grantee

    def add(self, hop: Hop, names: Iterable[bytes]) -> None:
        """Add a sublicense of some licenses, given by their hashes."""
        self._hops[hop.digest] = hop
        self._named[hop.digest] = {*names}
        for name in self._named[hop.digest]:
            self._to.setdefault((name, hop.terms.grantee), set()).add(hop.digest)

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        """See PassedOn."""
        return {
            name: [*self._complete(name, asker)]
            for name in names
            if any(self._depth(name, one, LIMITS.depth) for one in self._to.get((name, asker), ()))
        }

    def _complete(self, name: bytes, asker: bytes) -> Iterator[Chain]:
        """Yield the chains to an asker of which every sublicense counts."""
        counting = cache(lambda grantee: frozenset(self._counting(name, grantee)))
        for digest in self._counting(name, asker):
            hops = tuple(self._way(digest))
            if all(one.digest in counting(one.terms.grantee) for one in hops[1:]):
                yield Chain(hops)

    def _way(self, digest: bytes) -> Iterator[Hop]:
        """Yield a sublicense and those above it; the parent rule has bounded their number."""
        while digest != NO_PARENT:
            yield (hop := self._hops[digest])
            digest = hop.terms.parent

    def _counting(self, name: bytes, grantee: bytes) -> list[bytes]:
        """Return the sublicenses of a license to an address that count, the first in rank first."""
        ranked = sorted(
            rank(depth, self._hops[one].terms.expires_at, one)
            for one in self._to.get((name, grantee), ())
            if (depth := self._depth(name, one, LIMITS.depth)) and (name, one) not in self._displaced
        )
        mine: dict[bytes, int] = {}  # of each signer
        counting = list[bytes]()
        for _, _, digest in ranked:
            signer = self._hops[digest].terms.signer
            mine[signer] = mine.get(signer, 0) + 1
            if mine[signer] <= LIMITS.passed_by_signer:
                counting.append(digest)
        return counting[: LIMITS.passed_to_grantee]

    def _depth(self, name: bytes, digest: bytes, most: int) -> int:
        """Return the number of hops to the consent's grantee; 0 if the parent rule is not met."""
        if not most or name not in self._named.get(digest, ()):
            return 0
        terms = self._hops[digest].terms
        if terms.parent == NO_PARENT:
            return int(terms.signer == self._grantee_of(name))
        above = self._hops.get(terms.parent)
        if above is None or above.terms.grantee != terms.signer:
            return 0
        depth = self._depth(name, terms.parent, most - 1)
        return depth and depth + 1
