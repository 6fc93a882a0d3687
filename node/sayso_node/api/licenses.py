"""GET routes on what is held: licenses with their anchor, licenses of a contributor, batches."""

import asyncio
import base64
import sqlite3
from typing import Any

from aiohttp import web

from sayso_node.errors import NotFound
from sayso_node.freshness import Freshness
from sayso_node.judging import StoreKnowledge
from sayso_node.store import chain_state, messages
from sayso_node.store.engine import Engine
from sayso_protocol.batches import AnchorProof
from sayso_protocol.envelope import decode
from sayso_protocol.messages import Consent
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.typed_data import Network, typed_data
from sayso_protocol.verdict import License, is_revoked


class LicenseRoutes:
    """Answers from the store."""

    def __init__(self, network: Network, store: Engine, freshness: Freshness, *, finality: int) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._finality = finality

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.get("/v1/licenses/{license}", self.license),
            web.get("/v1/contributors/{address}/licenses", self.licenses_of),
            web.get("/v1/batches/{root}", self.batch),
        ]

    async def license(self, request: web.Request) -> web.Response:
        """One license: the signed consent, how much of it is revoked, where it is anchored."""
        license_hash = hash_from_text(request.match_info["license"])
        return web.json_response(await asyncio.to_thread(self._describe, license_hash))

    def _describe(self, license_hash: bytes) -> dict[str, Any]:
        """Thousands of permissions are judged here, so it runs beside the event loop."""
        with self._store.read() as db:
            stored = messages.consent(db, license_hash)
            if stored is None:
                raise NotFound("no license of this hash is held")
            envelope = decode(stored.body, self._network)
            assert isinstance(envelope.message, Consent)  # noqa: S101 - it was stored as one
            held = License(envelope.message, envelope.items)
            revoked = _revoked_permissions(StoreKnowledge(db, self._network), held)
            anchor = self._anchor(db, license_hash)
        return {
            "license": hex_text(license_hash),
            "envelope": base64.b64encode(stored.body).decode(),
            "consent": typed_data(held.consent, self._network)["message"],
            "items": [hex_text(item) for item in held.items],
            "arrived_at": stored.arrived_at,
            "permissions": held.consent.items * len(held.consent.purposes),
            "revoked_permissions": revoked,
            "anchor": anchor,
        }

    async def licenses_of(self, request: web.Request) -> web.Response:
        """The license hashes of a contributor, oldest first."""
        contributor = address_from_text(request.match_info["address"])
        with self._store.read() as db:
            found = messages.licenses_of(db, contributor)
        return web.json_response({"licenses": [hex_text(one) for one in found], "next": None})

    async def batch(self, request: web.Request) -> web.Response:
        """A batch by its root, so that others can check what we anchored."""
        root = hash_from_text(request.match_info["root"])
        with self._store.read() as db:
            found = chain_state.batch(db, root)
        if found is None:
            raise NotFound("no batch of this root is held")
        licenses = [hex_text(one) for one in found.licenses]
        body = {"root": hex_text(root), "sponsor": found.sponsor.hex(), "licenses": licenses}
        return web.json_response(body)

    def _anchor(self, db: sqlite3.Connection, license_hash: bytes) -> dict[str, Any] | None:
        """The anchor and its proof, once it is final (rule 10.3)."""
        found = chain_state.anchor_of(db, license_hash)
        if found is None:
            return None
        anchor, position = found
        batch = chain_state.batch(db, anchor.root)
        if batch is None or anchor.block_number + self._finality > self._freshness.head.point.number:
            return None
        return {
            "root": hex_text(anchor.root),
            "block_number": anchor.block_number,
            "submitter": address_text(anchor.submitter),
            "proof": _proof_json(batch.proof(position)),
        }


def _proof_json(proof: AnchorProof) -> dict[str, Any]:
    return {
        "sponsor": proof.sponsor.hex(),
        "count": proof.count,
        "index": proof.index,
        "path": [hex_text(one) for one in proof.path],
        "tree": hex_text(proof.tree),
    }


def _revoked_permissions(knowledge: StoreKnowledge, held: License) -> int:
    """How many of a license's permissions are revoked, by bit or by scope."""
    return sum(
        is_revoked(knowledge, held, item, purpose)
        for item in held.items
        for purpose in held.consent.purposes
    )
