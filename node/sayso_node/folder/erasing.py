"""Erases revoked consents from the store of a stopped node (rule 8.13), as `sayso node erase` does.

The node is stopped, so that nobody holds in memory what is erased.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from sayso_node.errors import NotDated, NotFound, NotRevoked, StoreMissing
from sayso_node.folder.config import load_config
from sayso_node.folder.lock import NodeFolder
from sayso_node.store import erasure, messages
from sayso_node.store.chain import block_dates
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.store.opening import is_empty, store_at
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.network import Network

LICENSES_A_PAGE: Final = 256  # licenses that are looked at in one reading transaction
ERASED_AT_ONCE: Final = 16  # consents that are erased in one transaction


class Erasable(NamedTuple):
    """A consent that may be erased.

    Attributes:
        license: Its hash, 32 bytes.
        contributor: The contributor's address, 20 bytes.
        items: The number of its items.
        revoked_at: The time of the last block that revoked any of it, seconds since the epoch; None if
            the node does not know it yet.
    """

    license: bytes
    contributor: bytes
    items: int
    revoked_at: int | None


class ToErase(NamedTuple):
    """The consents that may be erased, and how many of those asked for are left alone.

    Attributes:
        erasable: Those that may be erased.
        standing: How many have a permission that is not revoked, or was revoked later than asked for.
        undated: Of how many no final block says since when they are revoked.
        earlier: How many were erased earlier.
    """

    erasable: list[Erasable]
    standing: int
    undated: int
    earlier: int


class Erasing:
    """The store of a stopped node."""

    def __init__(self, store: Store, network: Network) -> None:
        self._store, self._network = store, network

    def named(self, licenses: Sequence[bytes]) -> ToErase:
        """Return those of some licenses that may be erased; `earlier` counts those that are erased.

        Raises NotFound, NotRevoked and NotDated for the first of the others.
        """
        found, earlier = list[Erasable](), 0
        with self._store.read() as db:
            for one in dict.fromkeys(licenses):
                if erasure.is_erased(db, one):
                    earlier += 1
                else:
                    found.append(self._erasable(db, one))
        return ToErase(found, 0, 0, earlier)

    def chosen(self, contributor: bytes | None, revoked_before: int | None) -> ToErase:
        """Return all consents that may be erased: of one contributor, or revoked before a time, or both.

        The time is that of the chain, seconds since the epoch. What was revoked later stands.
        """
        found, standing, undated = list[Erasable](), 0, 0
        for page in self._pages(contributor):
            with self._store.read() as db:
                for license_hash in page:
                    try:
                        one = self._erasable(db, license_hash)
                    except NotRevoked:
                        standing += 1
                    except NotDated:
                        undated += 1
                    except NotFound:
                        continue
                    else:
                        if revoked_before is None:
                            found.append(one)
                        elif one.revoked_at is None:
                            undated += 1
                        elif one.revoked_at < revoked_before:
                            found.append(one)
                        else:
                            standing += 1
        return ToErase(found, standing, undated, 0)

    def erase(self, licenses: Sequence[bytes]) -> int:
        """Erase consents, a few in one transaction; returns how many. Raises as `erasure.erase` does."""
        return asyncio.run(self._erase(licenses))

    async def _erase(self, licenses: Sequence[bytes]) -> int:
        count = 0
        for some in _parts(licenses, ERASED_AT_ONCE):
            count += await self._store.write(partial(_erase_all, network=self._network, some=some))
        return count

    def _erasable(self, db: Reading, license_hash: bytes) -> Erasable:
        held, number = erasure.erasable(db, self._network, license_hash)
        time = block_dates.dates_of(db, [number]).get(number)
        return Erasable(license_hash, held.consent.contributor, held.consent.items, time)

    def _pages(self, contributor: bytes | None) -> Iterator[Sequence[bytes]]:
        if contributor is not None:
            with self._store.read() as db:
                held = messages.licenses_of(db, contributor)
            yield from _parts(held, LICENSES_A_PAGE)
            return
        after = b""
        while True:
            with self._store.read() as db:
                page = messages.digests(db, CONSENT, after, LICENSES_A_PAGE)
            if not page:
                return
            yield page
            after = page[-1]


def _parts(licenses: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (licenses[start : start + size] for start in range(0, len(licenses), size))


def _erase_all(db: Writing, network: Network, some: Sequence[bytes]) -> int:
    for one in some:
        erasure.erase(db, network, one)
    return len(some)


@contextmanager
def erasing(folder: Path) -> Iterator[Erasing]:
    """Open the store of a stopped node.

    Raises InvalidNodeConfig, FolderInUse, StoreMissing, StoreMoved, StoreInUse, WrongStore and
    StoreUnusable.
    """
    config = load_config(folder)
    network = config.network_file.network
    held = NodeFolder(folder)
    held.lock()
    try:
        if is_empty(config.store_location):
            raise StoreMissing(f"there is no store in {folder}")
        store = store_at(config.store_location)
        held.check_store(store, network, config.node_key)
        store.hold(alone=True)
        store.start()
        try:
            yield Erasing(store, network)
        finally:
            store.stop()
    finally:
        held.release()
