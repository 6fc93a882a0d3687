"""GET routes on what is held: a license with its status and anchor, lists of them, batches."""

import asyncio
import base64
from typing import Any

from aiohttp import web

from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.errors import NotFound
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages, queries
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Reading, Store
from sayso_node.store.messages import Stored
from sayso_node.verdicts.knowledge import StoreBits
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.verdict import License

CONSENTS = 100  # of a page: each is judged whole


class LicenseRoutes:
    """Answers from the store."""

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        pages: Pages,
        *,
        finality: int,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._pages = pages
        self._finality = finality

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.get("/v1/licenses/{license}", self.license),
            web.get("/v1/contributors/{address}/consents", self.consents),
            web.get("/v1/batches/{root}", self.batch),
        ]

    async def license(self, request: web.Request) -> web.Response:
        """One license: the signed consent, what of it is revoked, where it is anchored."""
        license_hash = hash_from_text(request.match_info["license"])
        return web.json_response(await asyncio.to_thread(self._describe, license_hash))

    def _describe(self, license_hash: bytes) -> dict[str, Any]:
        """Thousands of permissions are judged here, so it runs beside the event loop."""
        with self._store.read() as db:
            stored = messages.consent(db, license_hash)
            if stored is None:
                raise NotFound("no license of this hash is held")
            held, masks = self._held(db, stored)
            anchor = self._anchor(db, license_hash)
        return self._summary(license_hash, stored, held, masks) | {
            "envelope": base64.b64encode(stored.body).decode(),
            "items": [hex_text(item) for item in held.items],
            "revoked_masks": [str(mask) for mask in masks],
            "anchor": anchor,
        }

    async def consents(self, request: web.Request) -> web.Response:
        """A contributor's licenses without their items, oldest first: what a list needs."""
        contributor = address_from_text(request.match_info["address"])
        wanted = self._pages.wanted(request, CONSENTS)
        found = await asyncio.to_thread(self._consents, contributor, wanted)
        rows, after = self._pages.page(
            request, [body for _, body in found], [seq for seq, _ in found], wanted.limit
        )
        return web.json_response({"consents": list(rows), "next": after})

    def _consents(self, contributor: bytes, wanted: Wanted) -> list[tuple[int, dict[str, Any]]]:
        with self._store.read() as db:
            found = queries.licenses_after(db, contributor, wanted.after, wanted.limit + 1)
            return [(seq, self._listed(db, one)) for seq, one in found]

    def _listed(self, db: Reading, license_hash: bytes) -> dict[str, Any]:
        stored = messages.consent(db, license_hash)
        assert stored  # noqa: S101 - it was listed in the same reading
        held, masks = self._held(db, stored)
        anchor = self._anchor(db, license_hash)
        block = anchor["block_number"] if anchor else None
        return self._summary(license_hash, stored, held, masks) | {"anchor_block": block}

    def _held(self, db: Reading, stored: Stored) -> tuple[License, list[int]]:
        """A license and its revoked permissions."""
        envelope = decode(stored.body, self._network)
        consent = as_kind(envelope.message, Consent)
        masks = revoked_masks(StoreBits(db), consent, envelope.items)
        return License(consent, envelope.items), masks

    def _summary(
        self, license_hash: bytes, stored: Stored, held: License, masks: list[int]
    ) -> dict[str, Any]:
        permissions = held.consent.items * len(held.consent.purposes)
        revoked = sum(mask.bit_count() for mask in masks)
        return {
            "license": hex_text(license_hash),
            "status": _status(held.consent, revoked == permissions, self._clock.now()),
            "consent": typed_data(held.consent, self._network)["message"],
            "arrived_at": stored.arrived_at,
            "permissions": permissions,
            "revoked_permissions": revoked,
        }

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

    def _anchor(self, db: Reading, license_hash: bytes) -> dict[str, Any] | None:
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
            "proof": batch_proof_json(batch.proof(position)),
        }


def _status(consent: Consent, revoked: bool, now: float) -> str:  # noqa: FBT001 - one of three
    """What holds of the license as a whole; one row may be revoked, and a check says more."""
    if revoked:
        return "revoked"
    if now < consent.issued_at:
        return "not-yet-valid"
    return "expired" if now >= consent.expires_at else "active"


def batch_proof_json(proof: AnchorProof) -> dict[str, Any]:
    """Rule 10.2 as JSON."""
    return {
        "sponsor": proof.sponsor.hex(),
        "count": proof.count,
        "index": proof.index,
        "path": [hex_text(one) for one in proof.path],
        "tree": hex_text(proof.tree),
    }
