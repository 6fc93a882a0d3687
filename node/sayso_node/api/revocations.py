"""GET /v1/revocations/{digest}: how far a revocation has come, for who waits to see it arrive.

It says what this node knows: whether it keeps the message, and whether the chain, as far as it has
been read here, has every bit of it. Who wants more asks the other operators the same.
"""

import asyncio
from typing import Any

from aiohttp import web

from sayso_node.errors import NotFound
from sayso_node.freshness import Freshness
from sayso_node.signing import Signer
from sayso_node.store import bits, queries
from sayso_node.store.engine import Engine
from sayso_protocol.envelope import Envelope, decode
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.typed_data import Network


class RevocationRoutes:
    """Answers from the store."""

    def __init__(self, network: Network, store: Engine, freshness: Freshness, signer: Signer) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._signer = signer

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.get("/v1/revocations/{digest}", self.revocation)]

    async def revocation(self, request: web.Request) -> web.Response:
        """Kept or pending; on chain or not; our acknowledgement, if it is kept (rule 7.12)."""
        digest = hash_from_text(request.match_info["digest"])
        envelope, kept, on_chain = await asyncio.to_thread(self._look, digest)
        block = self._freshness.head.point
        body: dict[str, Any] = {
            "digest": hex_text(digest),
            "status": "stored" if kept else "pending",
            "on_chain": on_chain,
            "block": {"number": block.number, "hash": hex_text(block.hash)} if block.number else None,
            "acknowledgement": await self._signer.acknowledge(envelope) if kept else None,
        }
        return web.json_response(body)

    def _look(self, digest: bytes) -> tuple[Envelope, bool, bool]:
        with self._store.read() as db:
            found = queries.revocation(db, digest)
            if found is None:
                raise NotFound("no revocation of this digest is held")
            envelope = decode(found.body, self._network)
            message = envelope.message
            assert isinstance(message, Revocation)  # noqa: S101 - it was stored as one
            on_chain = all(
                not mask & ~bits.masks_at(db, message.contributor, word)[1]
                for word, mask in message.bits.items()
            )
        return envelope, found.is_kept, on_chain
