"""GET /v1/licenses/{license}/proof: what the contract's storage says of one permission, to be proved.

It names every place that rule 8.2 looks at, and so proves presence as well as absence on that chain. A
revocation that only nodes know of stands in none of them.
"""

import asyncio
from typing import Any, NamedTuple

from aiohttp import web

from sayso_node.api.routes.licenses import batch_proof_json
from sayso_node.chain.reading.storage_proofs import StorageProofs
from sayso_node.errors import BadRequest, ChainUnreachable, NotFound
from sayso_node.freshness import Freshness
from sayso_node.store import messages
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Store
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.ethereum.chain_proofs import CHAIN_PROOF_TYPE, anchor_slot, places_of, word_slot
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import address_text, hash_from_text, hex_text
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.verdict import License

_FIELDS = {"item", "purpose"}


class _Wanted(NamedTuple):
    """What is to be proved, and what a checker needs beside it."""

    envelope: bytes
    places: list[Place]
    root: bytes | None
    batch: AnchorProof | None


class ProofRoutes:
    """Proves from the chain."""

    def __init__(
        self, network: Network, store: Store, freshness: Freshness, proofs: StorageProofs
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._proofs = proofs

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.get("/v1/licenses/{license}/proof", self.proof)]

    async def proof(self, request: web.Request) -> web.Response:
        """The places, and their proof after the block that was read last."""
        license_hash = hash_from_text(request.match_info["license"])
        asked = request.query
        if set(asked) != _FIELDS or len(asked) != len(_FIELDS):
            raise BadRequest("the query must have item and purpose, each once")
        item = hash_from_text(asked["item"])
        purpose = asked["purpose"]
        check_purpose(purpose)
        wanted = await asyncio.to_thread(self._wanted, license_hash, item, purpose)
        places, root = wanted.places, wanted.root
        block = self._freshness.head.point
        if not block.number:
            raise ChainUnreachable("this node has not read the chain yet")
        slots = [word_slot(one.address, one.word) for one in places]
        found = await self._proofs.proof(slots + ([anchor_slot(root)] if root else []), block)
        proved = found.pop("slots")
        header = await self._proofs.header(block)
        batch = {"batch": batch_proof_json(wanted.batch)} if wanted.batch else {}
        body = {
            "type": CHAIN_PROOF_TYPE,
            "network": {
                "chain_id": self._network.chain_id,
                "registry": address_text(self._network.registry),
            },
            "license": hex_text(license_hash),
            "item": hex_text(item),
            "purpose": purpose,
            "envelope": hex_text(wanted.envelope),
            "block": {
                "number": block.number,
                "hash": hex_text(block.hash),
                "header": hex_text(header),
            },
            "account": found,
            "places": [
                _place_json(one) | slot for one, slot in zip(places, proved[: len(places)], strict=True)
            ],
            "anchor": {"root": hex_text(root), **proved[-1], **batch} if root else None,
        }
        return web.json_response(body)

    def _wanted(self, license_hash: bytes, item: bytes, purpose: str) -> _Wanted:
        with self._store.read() as db:
            stored = messages.consent(db, license_hash)
            if stored is None:
                raise NotFound("no license of this hash is held")
            found = chain_state.anchor_of(db, license_hash)
            batch = chain_state.batch(db, found[0].root) if found else None
        envelope = decode(stored.body, self._network)
        held = License(as_kind(envelope.message, Consent), envelope.items)
        if held.position_of(item) is None or purpose not in held.consent.purposes:
            raise NotFound("the license has no such item or purpose")
        proof = batch.proof(found[1]) if batch and found else None
        root = found[0].root if found else None
        return _Wanted(stored.body, places_of(held, item, purpose), root, proof)


def _place_json(place: Place) -> dict[str, Any]:
    return {
        "address": address_text(place.address),
        "word": str(place.word),
        "bit": place.bit,
        "scope": place.scope,
    }
