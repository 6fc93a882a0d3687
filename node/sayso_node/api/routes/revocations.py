"""GET /v1/revocations/{digest}: the progress of a revocation.

GET /v1/revocations/{digest}/receipt-proof: the transactions that brought it to the chain.

GET /v1/contributors/{address}/revocations: the revocations that an address signed, a page at a time.

Progress is what this node knows: whether the message is stored, to how many peers it was sent, and the
block in which the last of its bits landed, as far as the chain was read. Other operators answer the same
for their nodes.
"""

import asyncio
import base64
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.proofs import ReceiptProof
from sayso_node.api.schema.requests import page_query
from sayso_node.api.schema.revocations import ListedRevocation, Revocations
from sayso_node.api.schema.values import Progress
from sayso_node.chain.proofs.transaction_proofs import receipt_proof
from sayso_node.errors import NotFound
from sayso_node.intake.outcome import Forwarder
from sayso_node.store import queries
from sayso_node.store.chain import chain_state, relays
from sayso_node.store.interface import Reading, Store
from sayso_node.store.messages import Stored
from sayso_node.verdicts.signer import Signer
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, hash_from_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.receipts.text import BlockJson

REVOCATIONS: Final = 20  # of a page, because each of their words is looked up
REVOCATION: Final = Operation(
    "GET", "/v1/revocations/{digest}", "revocation", "The progress of a revocation.", Progress
)
RECEIPT_PROOF: Final = Operation(
    "GET",
    "/v1/revocations/{digest}/receipt-proof",
    "receiptProof",
    "The transactions that brought a revocation to the chain, with their senders and times.",
    ReceiptProof,
)
REVOCATIONS_OF: Final = Operation(
    "GET",
    "/v1/contributors/{address}/revocations",
    "revocationsOf",
    "The stored revocations that an address signed, oldest first.",
    Revocations,
    query=page_query(REVOCATIONS),
)


class _Found(NamedTuple):
    """A revocation in one committed state; `read_to` is the block up to which the chain was read."""

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
        forwarder: Forwarder,
        signer: Signer,
        pages: Pages,
    ) -> None:
        self._network = network
        self._store = store
        self._forwarder = forwarder
        self._signer = signer
        self._pages = pages

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(REVOCATION, self.revocation),
            Route(RECEIPT_PROOF, self.receipt_proof),
            Route(REVOCATIONS_OF, self.revocations_of),
        ]

    async def revocation(self, request: web.BaseRequest) -> Progress:
        """Return the progress of a revocation, with our acknowledgement if it is stored (rule 7.12)."""
        digest = hash_from_text(request[PLACE]["digest"])
        found = await asyncio.to_thread(self._look, digest)
        kept, block = found.held.is_kept, found.read_to
        return Progress(
            hex_text(digest),
            "stored" if kept else "pending",
            self._forwarder.sent_to(found.held.body),
            found.on_chain,
            found.chain_block,
            BlockJson.of(block) if block else None,
            await self._signer.acknowledge(found.envelope) if kept else None,
        )

    async def receipt_proof(self, request: web.BaseRequest) -> ReceiptProof:
        """Return who brought a revocation to the chain, and when (rule 10.10)."""
        digest = hash_from_text(request[PLACE]["digest"])
        return await asyncio.to_thread(self._receipt_proof, digest)

    def _receipt_proof(self, digest: bytes) -> ReceiptProof:
        with self._store.read() as db:
            found = queries.revocation(db, digest)
            if found is None:
                raise NotFound("this node has no revocation with this digest")
            return msgspec.convert(receipt_proof(db, self._network, found.body), ReceiptProof)

    async def revocations_of(self, request: web.BaseRequest) -> Revocations:
        """Return what an address signed to revoke; pending messages are not listed (rule 7.14)."""
        signer = address_from_text(request[PLACE]["address"])
        wanted = self._pages.wanted(request, REVOCATIONS)
        found = await asyncio.to_thread(self._revocations_of, signer, wanted)
        rows, after = self._pages.page(
            request, [one for _, one in found], [seq for seq, _ in found], wanted.limit
        )
        return Revocations(list(rows), after)

    def _revocations_of(self, signer: bytes, wanted: Wanted) -> list[tuple[int, ListedRevocation]]:
        with self._store.read() as db:
            found = queries.revocations_after(db, signer, wanted.after, wanted.limit + 1)
            return [(one.seq, self._listed(db, one)) for one in found]

    def _listed(self, db: Reading, stored: Stored) -> ListedRevocation:
        envelope = decode(stored.body, self._network)
        message = as_kind(envelope.message, Revocation)
        on_chain, block = _on_chain(db, message)
        return ListedRevocation(
            hex_text(envelope.digest),
            typed_data(message, envelope.network)["message"],
            envelope.network.chain_id,
            stored.arrived_at,
            base64.b64encode(stored.body).decode(),
            on_chain,
            block,
        )

    def _look(self, digest: bytes) -> _Found:
        with self._store.read() as db:
            found = queries.revocation(db, digest)
            if found is None:
                raise NotFound("this node has no revocation with this digest")
            envelope = decode(found.body, self._network)
            message = as_kind(envelope.message, Revocation)
            on_chain, block = _on_chain(db, message)
            return _Found(found, envelope, on_chain, block, chain_state.newest(db))


def _on_chain(db: Reading, message: Revocation) -> tuple[bool, int | None]:
    """Return whether all bits are on chain, and the block in which the last of them landed."""
    signer, bits = message.contributor, message.bits
    on_chain = all(not mask & ~relays.on_chain(db, signer, word) for word, mask in bits.items())
    # A store of an older release has no blocks for bits that landed long ago.
    return on_chain, relays.block_with(db, signer, bits)
