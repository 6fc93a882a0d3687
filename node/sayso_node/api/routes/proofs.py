"""GET /v1/licenses/{license}/proof: the chain proof of one permission from the contract's storage.

It covers every place that rule 8.2 reads, so it proves presence as well as absence on the chain. A
revocation that only nodes know is in none of these places.
"""

import asyncio
from typing import Final, NamedTuple

from aiohttp import web
from msgspec import UNSET

from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.http.shares import Turns, source_of
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.proofs import AccountProof, AnchorSlot, ChainProof, HeaderJson, PlaceProof
from sayso_node.api.schema.requests import ProofQuery
from sayso_node.api.schema.values import AnchorProofJson
from sayso_node.chain.proofs.storage_proofs import StorageProofs
from sayso_node.errors import ChainUnreachable, NotFound
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
from sayso_protocol.primitives import ANYONE, address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.json_values import NetworkJson
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Row

PROOF: Final = Operation(
    "GET",
    "/v1/licenses/{license}/proof",
    "proof",
    "The chain proof of one permission.",
    ChainProof,
    query=ProofQuery,
)


class _Wanted(NamedTuple):
    """The places to prove, and what a verifier needs besides them."""

    envelope: bytes
    grantee: bytes
    places: list[Place]
    root: bytes | None
    batch: AnchorProof | None


class ProofRoutes:
    """Answers with chain proofs."""

    def __init__(
        self, network: Network, store: Store, freshness: Freshness, proofs: StorageProofs
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._proofs = proofs
        self._turns = Turns(8, waiting=64, share=8, what="questions to the chain")

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(PROOF, self.proof)]

    async def proof(self, request: web.BaseRequest) -> ChainProof:
        """Return the places and their proof, after the block that was read last."""
        license_hash = hash_from_text(request[PLACE]["license"])
        item, purpose = hash_from_text(request.query["item"]), request.query["purpose"]
        grantee = address_from_text(request.query.get("grantee", address_text(ANYONE)))
        check_purpose(purpose)
        async with self._turns.turn(source_of(request)):
            return await self._proof(Row(license_hash, item), grantee, purpose)

    async def _proof(self, row: Row, grantee: bytes, purpose: str) -> ChainProof:
        wanted = await asyncio.to_thread(self._wanted, row, grantee, purpose)
        places, root = wanted.places, wanted.root
        block = self._freshness.head.point
        if not block.number:
            raise ChainUnreachable("this node has not read the chain yet")
        slots = [word_slot(one.address, one.word) for one in places]
        found = await self._proofs.proof(slots + ([anchor_slot(root)] if root else []), block)
        proved = found.pop("slots")
        header = await self._proofs.header(block)
        batch = AnchorProofJson.of(wanted.batch) if wanted.batch else UNSET
        return ChainProof(
            type=CHAIN_PROOF_TYPE,
            network=NetworkJson.of(self._network),
            license=hex_text(row.license),
            item=hex_text(row.item),
            grantee=address_text(wanted.grantee),
            purpose=purpose,
            envelope=hex_text(wanted.envelope),
            block=HeaderJson(block.number, hex_text(block.hash), hex_text(header)),
            account=AccountProof(**found),
            places=[
                PlaceProof(address_text(one.address), str(one.word), one.bit, one.scope, **slot)
                for one, slot in zip(places, proved[: len(places)], strict=True)
            ],
            anchor=AnchorSlot(hex_text(root), **proved[-1], batch=batch) if root else None,
        )

    def _wanted(self, row: Row, grantee: bytes, purpose: str) -> _Wanted:
        with self._store.read() as db:
            stored = messages.consent(db, row.license)
            if stored is None:
                raise NotFound("this node has no license with this hash")
            found = chain_state.anchor_of(db, row.license)
            batch = chain_state.batch(db, found[0].root) if found else None
        envelope = decode(stored.body, self._network)
        held = License(as_kind(envelope.message, Consent), envelope.items)
        if held.position_of(row.item) is None or purpose not in held.consent.purposes:
            raise NotFound("the license has no such item or purpose")
        proof = batch.proof(found[1]) if batch and found else None
        root = found[0].root if found else None
        query = Query(held.consent.grantee if grantee == ANYONE else grantee, purpose)
        return _Wanted(stored.body, query.grantee, places_of(held, row.item, query), root, proof)
