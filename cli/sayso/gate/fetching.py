"""Fetching of what rows rely on: the named consents, those of other parties, and chains to a grantee."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from sayso.errors import NodeUnreachable, NotHeld
from sayso.gate.licenses import LicenseBundle
from sayso.gate.looping import LoopThread
from sayso.node_client.client import NodeClient
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Unsupported
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.covering import needs_chain
from sayso_protocol.verdicts.license_table import named_licenses
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License

AT_ONCE: Final = 8  # requests
FindLicenses = Callable[[bytes], LicenseBundle]  # joined rows -> the consents that they rely on
T = TypeVar("T")


class Fetcher:
    """Fetcher collects verified consents from one node, and requests each only once.

    Attributes:
        found: License hash -> signed consent.
        missing: License hashes that the node does not hold.
        unverified: License hashes whose signature only the chain can verify.
        sublicenses: Digest -> signed sublicense of a chain to the grantee.

    Args:
        client: The node.
        found: The consents that another node gave.
        grantee: For whom chains are fetched; by default for nobody.
    """

    def __init__(
        self,
        client: NodeClient,
        found: Mapping[bytes, Envelope] | None = None,
        grantee: bytes | None = None,
    ) -> None:
        self._grantee = grantee
        self._passed: set[bytes] = set()  # licenses whose chains were fetched
        self.sublicenses: dict[bytes, Envelope] = {}
        self._client = client
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked: set[tuple[tuple[bytes, ...], bytes]] = set()
        self.found: dict[bytes, Envelope] = dict(found or {})
        self.missing: set[bytes] = set()
        self.unverified: set[bytes] = set()

    async def fetch(self, rows: bytes) -> None:
        """Fetch the consents of joined rows; raises NodeUnreachable, BadAnswer, BadSignature."""
        await self._consents(named_licenses(rows))
        asked = {(parties, item): license_ for license_, parties, item in self._shared(rows)}
        news = [key for key in asked if key not in self._asked]
        self._asked.update(news)
        claims = await self._all(self._client.claims(key[1], asked[key]) for key in news)
        await self._consents({claim.license for some in claims for claim in some})
        await self.fetch_chains(self._closed())

    async def fetch_chains(self, names: Iterable[bytes]) -> None:
        """Fetch the chains of some licenses to the grantee."""
        await self._all(map(self._chains, names))

    def lacks(self, rows: bytes) -> bool:
        """Return whether a row lacks a consent that another node may have."""
        signed = {
            (consent.contributor, consent.parties, item)
            for one, consent in of_kind(self.found.values(), Consent)
            if len(consent.parties) > 1
            for item in one.items
        }
        return bool(self.missing) or any(
            (who, parties, item) not in signed
            for _, parties, item in self._shared(rows)
            for who in parties
        )

    def _shared(self, rows: bytes) -> Iterator[tuple[bytes, tuple[bytes, ...], bytes]]:
        """Return license, parties and item of each row that needs the consent of several people."""
        parties = {
            one.digest: consent.parties
            for one, consent in of_kind(self.found.values(), Consent)
            if len(consent.parties) > 1
        }
        for at in range(0, len(rows) if parties else 0, ROW_BYTES):
            name, item = rows[at : at + 32], rows[at + 32 : at + ROW_BYTES]
            if name in parties:
                yield name, parties[name], item

    async def _consents(self, hashes: set[bytes]) -> None:
        known = self.found.keys() | self.missing | self.unverified
        await self._all(self._consent(one) for one in hashes - known)

    def _closed(self) -> list[bytes]:
        """Return the licenses that need a chain, and were not asked for."""
        if self._grantee is None:
            return []
        return [
            one.digest
            for one, consent in of_kind(self.found.values(), Consent)
            if consent.grantee not in (ANYONE, self._grantee) and one.digest not in self._passed
        ]

    async def _chains(self, name: bytes) -> None:
        assert self._grantee is not None  # noqa: S101 - see _closed
        with suppress(NotHeld):
            for one in await self._client.sublicenses(name, self._grantee):
                self.sublicenses[one.digest] = one
        self._passed.add(name)

    async def _consent(self, name: bytes) -> None:
        try:
            self.found[name] = await self._client.consent(name)
        except Unsupported:
            self.unverified.add(name)
        except NotHeld:
            self.missing.add(name)

    async def _all(self, works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
        async def one(work: Coroutine[Any, Any, T]) -> T:
            async with self._turns:
                return await work

        return await asyncio.gather(*map(one, works))


class NodeLicenses:
    """NodeLicenses fetches the consents of rows from nodes, and verifies them.

    It asks the next node for consents that the first lacks, so that a node that lags hides none.
    """

    def __init__(self, urls: Sequence[str], trusted: NetworkFile, loop: LoopThread) -> None:
        self._urls, self._trusted, self._loop = urls, trusted, loop

    def __call__(self, rows: bytes) -> LicenseBundle:
        """Fetch the consents that any node holds; raises the errors of Fetcher.fetch."""
        return self._loop.run(self._fetch(rows))

    def chains(self, held: Mapping[bytes, License], query: Query) -> list[Envelope]:
        """Fetch the sublicenses by which licenses reached an asker, from every node that answers.

        They are unverified: a node can name too many. Raises BadAnswer.
        """
        closed = [name for name, one in held.items() if needs_chain(one.consent, query)]
        return self._loop.run(self._chains(closed, query.grantee))

    async def _chains(self, names: Sequence[bytes], grantee: bytes) -> list[Envelope]:
        found: dict[bytes, Envelope] = {}
        for url in self._urls if names else ():
            async with NodeClient(url, self._trusted) as client:
                fetcher = Fetcher(client, grantee=grantee)
                with suppress(NodeUnreachable):
                    await fetcher.fetch_chains(names)
            found |= fetcher.sublicenses
        return [*found.values()]

    async def _fetch(self, rows: bytes) -> LicenseBundle:
        found: dict[bytes, Envelope] = {}
        unverified: set[bytes] = set()
        for url in self._urls:
            async with NodeClient(url, self._trusted) as client:
                fetcher = Fetcher(client, found)
                await fetcher.fetch(rows)
            found, unverified = fetcher.found, unverified | fetcher.unverified
            if not fetcher.lacks(rows):
                break
        licenses = LicenseBundle(unverified=len(unverified))
        for envelope in found.values():
            licenses.add(envelope)
        return licenses
