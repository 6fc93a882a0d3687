"""Fetches the batches behind anchored roots from peers and operators, and verifies them by the root.

A batch is stored only if its header and licenses hash to a root in our own view of the chain.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol

from sayso_node.batches.protocol import read_answer
from sayso_node.errors import PeerUnreachable, StoreUnusable
from sayso_node.interfaces import Transport
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Store
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every, first_answer
from sayso_node.supervision.supervisor import contained
from sayso_protocol.errors import BadProof, SaysoError
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.messages.wire import BATCH_PROTOCOL
from sayso_protocol.primitives import hash_from_text, hex_text

log = logger(__name__)

BATCHES_AT_ONCE = 16
INTERVAL_S = 1.0
TIMEOUT_S = 10.0

Source = Callable[[str, bytes], Awaitable[Batch]]  # (name, root); raises SaysoError


class JsonFetcher(Protocol):
    """JsonFetcher gets a JSON document from another operator's node."""

    async def get(self, url: str) -> Any:
        """Return the document; raises PeerUnreachable."""
        ...


class BatchFetcher:
    """Fetches missing batches of anchored roots."""

    def __init__(
        self,
        operator_urls: tuple[str, ...],
        fetcher: JsonFetcher,
        store: Store,
        counters: Counters,
        transport: Transport,
    ) -> None:
        self._urls = operator_urls
        self._fetcher = fetcher
        self._store = store
        self._counters = counters
        self._transport = transport
        self._after = b""

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(INTERVAL_S):
            try:
                await self.step()
            except StoreUnusable as error:
                log.warning("batches-unstored", error=error)

    async def step(self) -> None:
        """Request some missing batches, and others at the next step; raises StoreUnusable.

        Anybody can anchor a root without a batch, and such roots must not delay the others.
        """
        missing = await asyncio.to_thread(self._missing)
        self._after = missing[-1] if missing else b""
        for root in missing:
            if batch := await self._fetch(root):
                await self._store.write(partial(chain_state.add_batch, batch=batch, own=False))
                self._counters.add("batches_fetched")

    def _missing(self) -> list[bytes]:
        with self._store.read() as db:
            return chain_state.missing_batches(db, self._after, BATCHES_AT_ONCE)

    async def _fetch(self, root: bytes) -> Batch | None:
        """Ask one peer after the other, then the operators over HTTP."""
        peers = [one.peer_id for one in await self._transport.peers() if one.connected]
        sources: list[tuple[Source, str]] = [(self._from_peer, peer_id) for peer_id in peers]
        sources += [(self._from_operator, url) for url in self._urls]
        try:
            return await first_answer(sources, lambda one: self._ask(*one, root), SaysoError)
        except SaysoError:
            return None

    async def _ask(self, source: Source, name: str, root: bytes) -> Batch:
        """Return the batch from one source; raises a SaysoError if it has none or an invalid one."""
        with contained(self._counters, f"a batch of {name}"):
            try:
                return await source(name, root)
            except SaysoError as error:
                log.info("batch-missing", source=name, error=error)
        raise PeerUnreachable(f"no batch from {name}")

    async def _from_peer(self, peer_id: str, root: bytes) -> Batch:
        answer = await self._transport.request(peer_id, BATCH_PROTOCOL, root, TIMEOUT_S)
        return read_answer(answer, root)

    async def _from_operator(self, url: str, root: bytes) -> Batch:
        return read_batch(await self._fetcher.get(f"{url}/v1/batches/{hex_text(root)}"), root)


def read_batch(document: Any, root: bytes) -> Batch:
    """Read a batch from JSON and check that its root is `root`; raises BadProof."""
    try:
        licenses = tuple(hash_from_text(one) for one in document["licenses"])
        batch = Batch(bytes.fromhex(document["sponsor"]), licenses)
    except (TypeError, KeyError, ValueError, AttributeError, SaysoError) as error:
        raise BadProof("the document is not a batch") from error
    if batch.root != root:
        raise BadProof("the batch has another root than the anchored one")
    return batch
