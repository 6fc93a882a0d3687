"""Since when each permission is revoked for a holder, on the chain (rules 15.3 and 15.4).

The clock of a removal starts at a block, never at the time at which a node heard of a revocation, so
that every node computes the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from sayso_protocol.messages.consent import Consent
from sayso_protocol.verdicts.covering import ITEM, Cover, Place, covering
from sayso_protocol.verdicts.query import Query

UNDATED: Final = 2**63 - 2  # revoked, and no final block says so
NOT_REVOKED: Final = 2**63 - 1  # not revoked
OWN_BIT: Final = "permission"  # what revoked an item, where no scope did
ONE_FILE: Final = "file"
Files = Mapping[tuple[bytes, str], Mapping[int, int]]  # words by position, by address and scope
Moment = tuple[int, str]  # a height, UNDATED or NOT_REVOKED, and what set the bit


class Moments(Protocol):
    """Moments is the source of the blocks by which bits were set."""

    def of(self, places: Sequence[Place]) -> Sequence[int]:
        """Return for each place the height of the first final block by which it is set (rule 15.3).

        UNDATED if it is set by no final block, NOT_REVOKED if it is not set.
        """
        ...


class HolderLanding(NamedTuple):
    """HolderLanding is what became revoked for a holder by one block.

    Attributes:
        block: The height of the block; UNDATED before there is a final one.
        permissions: The number of pairs of an item and a purpose.
        items: The number of items among them.
        purposes: The purposes among them, ascending.
        by: What revoked them: scopes, ONE_FILE for scopes of single files, OWN_BIT for their own bits;
            ascending.
    """

    block: int
    permissions: int
    items: int
    purposes: tuple[str, ...]
    by: tuple[str, ...]


class Landings:
    """Landings finds the landings of one license for any of its holders.

    Args:
        consent: The consent.
        items: Its items in their order; of an erased consent, as many empty ones.
        moments: By which blocks bits were set.
        files: Of an erased consent, the words of the scopes of single files that were set: those of
            the others were erased with the items.
    """

    def __init__(
        self,
        consent: Consent,
        items: Sequence[bytes],
        moments: Moments,
        files: Files | None = None,
    ) -> None:
        self._consent, self._items, self._moments, self._files = consent, items, moments, files
        self._by_item: dict[Cover, list[int]] = {}  # what does not depend on the holder

    def of(self, holder: bytes, purposes: Sequence[str]) -> list[HolderLanding]:
        """Return what is revoked for a holder of some of the consent's purposes, by ascending block."""
        found: dict[int, list[tuple[int, str, str]]] = {}
        for purpose in sorted(set(purposes) & set(self._consent.purposes)):
            for item, (block, by) in enumerate(self._earliest(Query(holder, purpose))):
                if block != NOT_REVOKED:
                    found.setdefault(block, []).append((item, purpose, by))
        return [_landing(block, found[block]) for block in sorted(found)]

    def _earliest(self, query: Query) -> Iterator[Moment]:
        """Yield since when each item is revoked for a query."""
        covers = list(covering(self._consent, query))
        wide = [(one, place) for one in covers if (place := one.wide)]
        blocks = self._moments.of([place for _, place in wide])
        widest = min(
            ((block, str(one.scope)) for (one, _), block in zip(wide, blocks, strict=True)),
            default=(NOT_REVOKED, ""),
        )
        columns = [(self._blocks(one), _label(one)) for one in covers if not one.wide]
        for at in range(len(self._items)):
            yield min(widest, *((blocks[at], by) for blocks, by in columns))

    def _blocks(self, cover: Cover) -> Sequence[int]:
        if cover not in self._by_item:
            self._by_item[cover] = self._of_erased(cover) if self._is_erased(cover) else self._of(cover)
        return self._by_item[cover]

    def _is_erased(self, cover: Cover) -> bool:
        return self._files is not None and cover.scope is not None

    def _of(self, cover: Cover) -> list[int]:
        places = [cover.at(self._consent, at, item) for at, item in enumerate(self._items)]
        return list(self._moments.of(places))

    def _of_erased(self, cover: Cover) -> list[int]:
        assert self._files is not None  # noqa: S101 - of an erased consent
        assert cover.scope is not None  # noqa: S101 - of a file
        words = self._files.get((cover.address, cover.scope), {})
        places = [Place(cover.address, word, 0, cover.scope) for word in words.values()]
        found = [NOT_REVOKED] * len(self._items)
        for at, block in zip(words, self._moments.of(places), strict=True):
            found[at] = block
        return found


def _label(cover: Cover) -> str:
    return ONE_FILE if cover.scope and ITEM in cover.scope else OWN_BIT


def _landing(block: int, found: Sequence[tuple[int, str, str]]) -> HolderLanding:
    items, purposes, by = ({one[column] for one in found} for column in range(3))
    names = tuple(sorted(map(str, purposes)))
    return HolderLanding(block, len(found), len(items), names, tuple(sorted(map(str, by))))
