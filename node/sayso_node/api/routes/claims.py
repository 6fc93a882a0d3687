"""GET /v1/items/{item}/claims: the consents that name an item, a page at a time."""

import asyncio
from typing import Final

from aiohttp import web

from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.requests import claims_query
from sayso_node.api.schema.values import Claims, ListedClaim
from sayso_node.errors import NotFound
from sayso_node.store import messages, queries
from sayso_node.store.interface import Reading, Store
from sayso_node.store.queries import Claim
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.json_values import texts_of
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, is_revoked

CLAIMS: Final = 100  # of a page, because each is judged for every purpose
CLAIMS_ON: Final = Operation(
    "GET",
    "/v1/items/{item}/claims",
    "claims",
    "The consents that name an item; with `beside`, those with the same parties as this license.",
    Claims,
    query=claims_query(CLAIMS),
)


class ClaimRoutes:
    """Answers who licensed an item, and for what."""

    def __init__(self, network: Network, store: Store, pages: Pages) -> None:
        self._network = network
        self._store = store
        self._pages = pages

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(CLAIMS_ON, self.claims)]

    async def claims(self, request: web.BaseRequest) -> Claims:
        """Return who licensed an item and for what; that alone is never clear (rule 8.11)."""
        item = hash_from_text(request[PLACE]["item"])
        wanted = self._pages.wanted(request, CLAIMS)
        beside = request.query.get("beside")
        name = None if beside is None else hash_from_text(beside)
        found, places = await asyncio.to_thread(self._claims, item, wanted, name)
        rows, after = self._pages.page(request, found, places, wanted.limit)
        return Claims(clear=False, claims=list(rows), next=after)

    def _claims(
        self, item: bytes, wanted: Wanted, beside: bytes | None = None
    ) -> tuple[list[ListedClaim], list[int]]:
        """Read claims; in a thread, because the consents may have thousands of items."""
        with self._store.read() as db:
            known = StoreBits(db)
            parties = self._parties(db, beside) if beside else ()
            found = queries.claims_after(db, item, wanted.after, wanted.limit + 1, parties)
            listed = [self._claim(known, one, item) for one in found[: wanted.limit]]
            return listed, [one.seq for one in found]

    def _parties(self, db: Reading, license_hash: bytes) -> tuple[bytes, ...]:
        stored = messages.consent(db, license_hash)
        if stored is None:
            raise NotFound("this node has no license with this hash")
        return as_kind(decode(stored.body, self._network).message, Consent).parties

    def _claim(self, known: StoreBits, claim: Claim, item: bytes) -> ListedClaim:
        envelope = decode(claim.body, self._network)
        consent = as_kind(envelope.message, Consent)
        held = License(consent, envelope.items)
        queries = [Query(consent.grantee, one) for one in consent.purposes]
        return ListedClaim(
            license=hex_text(claim.license),
            revoked_purposes=[one.purpose for one in queries if is_revoked(known, held, item, one)],
            **texts_of(ListedClaim, consent),
        )
