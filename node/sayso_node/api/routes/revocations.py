"""GET /v1/revocations/{digest}: how far a revocation has come, for who waits to see it arrive.

GET /v1/revocations/{digest}/receipt-proof: by which transactions it came to the chain.

It says what this node knows: whether it keeps the message, to how many peers it was sent, and in which
block of the chain, as far as that was read here, the last of its bits landed. Who wants more asks the
other operators the same.
"""

import asyncio
from typing import Any, NamedTuple

from aiohttp import web

from sayso_node.chain.reading.transaction_proofs import receipt_proof
from sayso_node.errors import NotFound
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.store import queries
from sayso_node.store.chain import chain_state, relays
from sayso_node.store.interface import Store
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint


class _Found(NamedTuple):
    """What one committed state says of a revocation; `read_to` is how far the chain was read then."""

    held: queries.HeldRevocation
    envelope: Envelope
    on_chain: bool
    chain_block: int | None
    read_to: ChainPoint | None


class RevocationRoutes:
    """Answers from the store."""

    def __init__(
        self,
        network: Network,
        store: Store,
        broadcast: Broadcast,
        signer: Signer,
    ) -> None:
        self._network = network
        self._store = store
        self._broadcast = broadcast
        self._signer = signer

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.get("/v1/revocations/{digest}", self.revocation),
            web.get("/v1/revocations/{digest}/receipt-proof", self.receipt_proof),
        ]

    async def revocation(self, request: web.Request) -> web.Response:
        """Whether it is kept, how many it was sent to, its block; our acknowledgement if kept (7.12)."""
        digest = hash_from_text(request.match_info["digest"])
        found = await asyncio.to_thread(self._look, digest)
        kept, block = found.held.is_kept, found.read_to
        body: dict[str, Any] = {
            "digest": hex_text(digest),
            "status": "stored" if kept else "pending",
            "sent_to": self._broadcast.sent_to(found.held.body),
            "on_chain": found.on_chain,
            "chain_block": found.chain_block,
            "block": {"number": block.number, "hash": hex_text(block.hash)} if block else None,
            "acknowledgement": await self._signer.acknowledge(found.envelope) if kept else None,
        }
        return web.json_response(body)

    async def receipt_proof(self, request: web.Request) -> web.Response:
        """Who brought it to the chain, and when (rule 10.10)."""
        digest = hash_from_text(request.match_info["digest"])
        return web.json_response(await asyncio.to_thread(self._receipt_proof, digest))

    def _receipt_proof(self, digest: bytes) -> dict[str, Any]:
        with self._store.read() as db:
            found = queries.revocation(db, digest)
            if found is None:
                raise NotFound("no revocation of this digest is held")
            return receipt_proof(db, self._network, found.body)

    def _look(self, digest: bytes) -> _Found:
        with self._store.read() as db:
            found = queries.revocation(db, digest)
            if found is None:
                raise NotFound("no revocation of this digest is held")
            envelope = decode(found.body, self._network)
            message = as_kind(envelope.message, Revocation)
            signer, bits = message.contributor, message.bits
            on_chain = all(not mask & ~relays.on_chain(db, signer, word) for word, mask in bits.items())
            # A store of an older release did not keep the blocks of what landed long ago.
            block = relays.block_with(db, signer, bits)
            return _Found(found, envelope, on_chain, block, chain_state.newest(db))
