"""GET /v1/statements/{statement}: a statement by its digest, kept or pending (rule 7.17).

GET /v1/hashes/{hash}/statements: the statements of a kind that name a hash, a page at a time.

GET /v1/licenses/{license}/sublicenses: the chains by which a license reached somebody (rule 8.5).

What is pending are claims: nobody who holds the license stands behind them.
"""

import asyncio
import base64
from collections.abc import Callable
from typing import Final

from aiohttp import web

from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.statements import (
    AS_CLAIM,
    STORED,
    StatementJson,
    Statements,
    StatementsQuery,
    SublicensesTo,
    SublicensesToQuery,
)
from sayso_node.errors import BadRequest, NotFound
from sayso_node.store.interface import Reading, Store
from sayso_node.store.revocations import bits
from sayso_node.store.statements import lookup
from sayso_node.store.statements.chains import chains_to
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.messages.withdrawing import withdrawn_by
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import HASH_BYTES, address_from_text, hash_from_text, hex_text

STATEMENTS_A_PAGE: Final = 100  # statements, each with up to 1,024 hashes
STATEMENT: Final = Operation(
    "GET", "/v1/statements/{statement}", "statement", "A statement by its digest.", StatementJson
)
STATEMENTS_ON: Final = Operation(
    "GET",
    "/v1/hashes/{hash}/statements",
    "statementsOn",
    "The statements of a kind that name a license, a sublicense, a file or a contributor.",
    Statements,
    query=StatementsQuery,
)
CHAINS_A_PAGE: Final = 16  # chains, each of at most four sublicenses with up to 1,024 hashes
SUBLICENSES_TO: Final = Operation(
    "GET",
    "/v1/licenses/{license}/sublicenses",
    "sublicensesTo",
    "The sublicenses by which a license reached somebody, those above them included.",
    SublicensesTo,
    query=SublicensesToQuery,
)
_KINDS: Final = {"sublicense": SUBLICENSE, "use": USE, "removal": REMOVAL, "dispute": DISPUTE}
_PAGES: Final[dict[str, Callable[[Reading, bytes, int, bytes, int], lookup.Page]]] = {
    STORED: lookup.kept,
    AS_CLAIM: lookup.waiting,
}


class StatementRoutes:
    """Answers from the store."""

    def __init__(self, network: Network, store: Store) -> None:
        self._network = network
        self._store = store

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(STATEMENT, self.statement),
            Route(STATEMENTS_ON, self.statements_on),
            Route(SUBLICENSES_TO, self.sublicenses_to),
        ]

    async def statement(self, request: web.BaseRequest) -> StatementJson:
        """Return a statement."""
        digest = hash_from_text(request[PLACE]["statement"])
        return await asyncio.to_thread(self._statement, digest)

    async def statements_on(self, request: web.BaseRequest) -> Statements:
        """Return those that name a hash, a page at a time."""
        query = request.query
        named = hash_from_text(request[PLACE]["hash"])
        kind, status = _KINDS.get(query.get("kind", "")), query.get("status", STORED)
        if kind is None:
            raise BadRequest(f"kind must be one of {', '.join(_KINDS)}")
        if status not in _PAGES:
            raise BadRequest(f"status must be {STORED} or {AS_CLAIM}")
        after = hash_from_text(query["after"]) if "after" in query else bytes(HASH_BYTES)
        return await asyncio.to_thread(self._statements_on, named, kind, status, after)

    async def sublicenses_to(self, request: web.BaseRequest) -> SublicensesTo:
        """Return the chains of which every sublicense counts, by ascending digest of the last."""
        license_hash = hash_from_text(request[PLACE]["license"])
        query = request.query
        grantee = address_from_text(query.get("grantee", ""))
        after = hash_from_text(query["after"]) if "after" in query else bytes(HASH_BYTES)
        return await asyncio.to_thread(self._sublicenses_to, license_hash, grantee, after)

    def _sublicenses_to(self, license_hash: bytes, grantee: bytes, after: bytes) -> SublicensesTo:
        with self._store.read() as db:
            named, ways = chains_to(db, [license_hash], grantee)
            left = sorted(one for one in named.get(license_hash, ()) if one > after)
            page = [ways[one] for one in left[:CHAINS_A_PAGE]]
            digests = dict.fromkeys(hop.digest for way in page for hop in way)
            bodies = [found.body for one in digests if (found := lookup.statement(db, one))]
        more = len(left) > len(page)
        return SublicensesTo(
            [base64.b64encode(one).decode() for one in bodies],
            hex_text(page[-1][0].digest) if more else None,
        )

    def _statement(self, digest: bytes) -> StatementJson:
        with self._store.read() as db:
            return self._shown(db, digest)

    def _statements_on(self, named: bytes, kind: int, status: str, after: bytes) -> Statements:
        with self._store.read() as db:
            page = _PAGES[status](db, named, kind, after, STATEMENTS_A_PAGE)
            found = [self._shown(db, digest) for digest in page.digests]
        return Statements(found, hex_text(page.after) if page.after else None)

    def _shown(self, db: Reading, digest: bytes) -> StatementJson:
        found = lookup.statement(db, digest)
        if found is None:
            raise NotFound("this node has no statement with this digest")
        envelope = decode(found.body, self._network)
        message = envelope.message
        words = [scope_word(scope) for scope in withdrawn_by(message, digest)]
        return StatementJson(
            hex_text(digest),
            kind_of(message).name,
            STORED if found.is_kept else AS_CLAIM,
            any(mask & 1 for mask in bits.masks_of(db, message.signer, words).values()),
            typed_data(message, self._network)["message"],
            [hex_text(one) for one in envelope.items],
            base64.b64encode(found.body).decode(),
        )
