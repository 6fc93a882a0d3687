"""Stores receipt proofs of revocations before endpoints delete the data they are made of.

For each block with a revocation it fetches all transactions and receipts, builds the two tries, and
stores the proofs of transactions that set bits (rule 10.10). Data that does not give the roots in the
block's header is discarded, so a block with unknown types of transactions has no proof.
"""

import asyncio
from functools import partial
from typing import Any

from sayso_node.chain.rpc.block_receipts import header_of, receipts_of, result_of
from sayso_node.chain.rpc.eth_call import Links, ask_links
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.raw_blocks import encode_receipt, encode_transaction
from sayso_node.errors import ChainUnreachable, ProofUnavailable, StoreUnusable
from sayso_node.interfaces import Clock
from sayso_node.store.chain import archives
from sayso_node.store.chain.archives import Archive, Archived
from sayso_node.store.interface import Store
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.transaction_proofs import REVOKED_TOPIC
from sayso_protocol.ethereum.transactions import logs_of
from sayso_protocol.ethereum.trie_building import trie_over
from sayso_protocol.primitives import HASH_BYTES, address_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint

log = logger(__name__)

BLOCKS_AT_ONCE = 8  # blocks in a round


class Archivist:
    """Archives blocks, the newest first."""

    def __init__(
        self,
        endpoints: Links,
        registry: bytes,
        store: Store,
        clock: Clock,
        counters: Counters,
        *,
        interval_s: float,
    ) -> None:
        self._endpoints = endpoints
        self._registry = registry
        self._store = store
        self._clock = clock
        self._counters = counters
        self._interval_s = interval_s

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.archive()
            except StoreUnusable as error:
                log.warning("receipts-unstored", error=error)

    async def archive(self) -> None:
        """Run one round; raises StoreUnusable."""
        with self._store.read() as db:
            wanted = archives.wanted(db, self._clock.now(), BLOCKS_AT_ONCE)
        for block in wanted:
            try:
                found = await ask_links(self._endpoints, partial(self._ask, block))
            except (ChainUnreachable, ProofUnavailable) as error:
                self._counters.add("receipts_missing")
                log.warning("receipts-unproved", block=block.number, error=error)
                await self._store.write(partial(archives.failed, block=block, now=self._clock.now()))
                continue
            if await self._store.write(partial(archives.keep, archive=found)):
                self._counters.add("receipts_kept", len(found.transactions))

    async def _ask(self, block: ChainPoint, link: JsonRpc) -> Archive:
        answer = result_of(await link.ask("eth_getBlockByHash", [hex_text(block.hash), True]))
        listed = answer["transactions"]
        found = await receipts_of(link, block, [one["hash"] for one in listed])
        return await asyncio.to_thread(self._archive, block, answer, listed, found)

    def _archive(self, block: ChainPoint, answer: Any, listed: Any, found: Any) -> Archive:
        raw = header_of(answer, block)
        header = read_header(raw, block.hash)
        encoded = [encode_receipt(one) for one in found]
        receipt_trie = trie_over(encoded)
        transaction_trie = trie_over([encode_transaction(one) for one in listed])
        if transaction_trie.root != header.transactions or receipt_trie.root != header.receipts:
            raise ProofUnavailable("the block has transactions of an unknown type")
        ours = [
            Archived(place, transaction_trie.proof(place), receipt_trie.proof(place))
            for place, one in enumerate(found)
            if self._may_have_set(one) and self._has_set(encoded[place])
        ]
        return Archive(block, raw, ours)

    def _may_have_set(self, receipt: Any) -> bool:
        """Return False for transactions that do not concern the registry, which are most."""
        ours = address_text(self._registry).lower()
        return any(str(one["address"]).lower() == ours for one in receipt["logs"])

    def _has_set(self, receipt: bytes) -> bool:
        return any(
            one.address == self._registry and one.topics[:1] == (REVOKED_TOPIC,)
            for one in logs_of(receipt)
            if len(one.data) == 2 * HASH_BYTES
        )
