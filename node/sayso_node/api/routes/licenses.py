"""GET routes for licenses: one with status and anchor, a person's in pages, and anchored batches."""

import asyncio
import base64
from typing import Any, Final

from aiohttp import web

from sayso_node.api.http.paging import Pages, Wanted
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.requests import licenses_query, page_query
from sayso_node.api.schema.values import (
    AnchorJson,
    AnchorProofJson,
    BatchLicenses,
    Consents,
    Licenses,
    ListedConsent,
    PagedLicense,
    WholeLicense,
)
from sayso_node.errors import NotFound
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages, queries
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Reading, Store
from sayso_node.store.messages import Stored
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import check_domain
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.verdicts.bulk import revoked_masks
from sayso_protocol.verdicts.verdict import License

CONSENTS: Final = 500  # of a page, because each is judged as a whole
LICENSES: Final = 500  # of a page, whether or not they are of the marketplace or grantee asked for
PERMISSIONS: Final = 16_384  # of a page, which ends after the consent that reaches them
LICENSE: Final = Operation(
    "GET",
    "/v1/licenses/{license}",
    "license",
    "A license with its status and anchor.",
    WholeLicense,
)
CONSENTS_OF: Final = Operation(
    "GET",
    "/v1/contributors/{address}/consents",
    "consentsOf",
    "A contributor's licenses, newest first, with what each allows and how much of it is revoked.",
    Consents,
    query=page_query(CONSENTS),
)
LICENSES_OF: Final = Operation(
    "GET",
    "/v1/contributors/{address}/licenses",
    "licensesOf",
    "A contributor's signed licenses, oldest first, and how much of each is revoked.",
    Licenses,
    query=licenses_query(LICENSES),
)
BATCH: Final = Operation(
    "GET", "/v1/batches/{root}", "batch", "The batch behind an anchor.", BatchLicenses
)


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

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(LICENSE, self.license),
            Route(CONSENTS_OF, self.consents),
            Route(LICENSES_OF, self.licenses_of),
            Route(BATCH, self.batch),
        ]

    async def license(self, request: web.BaseRequest) -> WholeLicense:
        """Return a license: the signed consent, its revoked permissions and its anchor."""
        license_hash = hash_from_text(request[PLACE]["license"])
        return await asyncio.to_thread(self._describe, license_hash)

    def _describe(self, license_hash: bytes) -> WholeLicense:
        """Describe a license; in a thread, because it may have thousands of permissions."""
        with self._store.read() as db:
            stored = messages.consent(db, license_hash)
            if stored is None:
                raise NotFound("this node has no license with this hash")
            held, masks = self._held(StoreBits(db), stored)
            anchor = self._anchor(db, license_hash)
        return WholeLicense(
            **self._summary(license_hash, stored, held, masks),
            envelope=base64.b64encode(stored.body).decode(),
            items=[hex_text(item) for item in held.items],
            revoked_masks=[str(mask) for mask in masks],
            anchor=anchor,
        )

    async def licenses_of(self, request: web.BaseRequest) -> Licenses:
        """Return a contributor's signed licenses, so that a tool needs no request for each."""
        contributor = address_from_text(request[PLACE]["address"])
        wanted = self._pages.wanted(request, LICENSES)
        via, to = request.query.get("via"), request.query.get("grantee")
        grantee = None if to is None else address_from_text(to)
        if via:  # without a domain, those that no marketplace arranged
            check_domain(via)
        found, seen, places = await asyncio.to_thread(self._whole, contributor, wanted, via, grantee)
        _, after = self._pages.page(request, places, places, seen)
        return Licenses(found, after)

    def _whole(
        self, contributor: bytes, wanted: Wanted, via: str | None, grantee: bytes | None
    ) -> tuple[list[PagedLicense], int, list[int]]:
        """Return a page, how many consents it is of, and the `seq` of each and of the next one."""
        page, permissions, seen = list[PagedLicense](), 0, 0
        with self._store.read() as db:
            known = StoreBits(db)
            found = queries.licenses_after(db, contributor, wanted.after, wanted.limit + 1)
            for _, license_hash in found[: wanted.limit]:
                seen += 1
                stored = messages.consent(db, license_hash)
                assert stored  # noqa: S101 - listed in the same transaction
                envelope = decode(stored.body, self._network)
                consent = as_kind(envelope.message, Consent)
                if via in (None, consent.via) and grantee in (None, consent.grantee):
                    revoked = sum(map(int.bit_count, revoked_masks(known, consent, envelope.items)))
                    text = base64.b64encode(stored.body).decode()
                    block = self._anchor_block(db, license_hash)
                    page.append(PagedLicense(hex_text(license_hash), text, revoked, block))
                permissions += consent.items * len(consent.purposes)
                if permissions >= PERMISSIONS:
                    break
        return page, seen, [seq for seq, _ in found]

    async def consents(self, request: web.BaseRequest) -> Consents:
        """Return a contributor's licenses without their items; a person looks for the newest first."""
        contributor = address_from_text(request[PLACE]["address"])
        wanted = self._pages.wanted(request, CONSENTS)
        found, places = await asyncio.to_thread(self._consents, contributor, wanted)
        rows, after = self._pages.page(request, found, places, len(found))
        return Consents(list(rows), after)

    def _consents(self, contributor: bytes, wanted: Wanted) -> tuple[list[ListedConsent], list[int]]:
        """Return a page, and the `seq` of each consent in it and of the next one."""
        listed, permissions = list[ListedConsent](), 0
        with self._store.read() as db:
            known = StoreBits(db)
            found = queries.licenses_before(db, contributor, wanted.after, wanted.limit + 1)
            for _, license_hash in found[: wanted.limit]:
                listed.append(self._listed(db, known, license_hash))
                permissions += listed[-1].permissions
                if permissions >= PERMISSIONS:
                    break
        return listed, [seq for seq, _ in found]

    def _listed(self, db: Reading, known: StoreBits, license_hash: bytes) -> ListedConsent:
        stored = messages.consent(db, license_hash)
        assert stored  # noqa: S101 - listed in the same transaction
        held, masks = self._held(known, stored)
        block = self._anchor_block(db, license_hash)
        return ListedConsent(**self._summary(license_hash, stored, held, masks), anchor_block=block)

    def _anchor_block(self, db: Reading, license_hash: bytes) -> int | None:
        """Return the height of the block of a license's anchor, once it is final."""
        block = chain_state.anchor_block(db, license_hash)
        return block if block is not None and self._is_final(block) else None

    def _held(self, known: StoreBits, stored: Stored) -> tuple[License, list[int]]:
        """Return a license and its revoked permissions."""
        envelope = decode(stored.body, self._network)
        consent = as_kind(envelope.message, Consent)
        masks = revoked_masks(known, consent, envelope.items)
        return License(consent, envelope.items), masks

    def _summary(
        self, license_hash: bytes, stored: Stored, held: License, masks: list[int]
    ) -> dict[str, Any]:
        """Return the fields of LicenseJson."""
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

    async def batch(self, request: web.BaseRequest) -> BatchLicenses:
        """Return a batch by its root, so that others can verify what this node anchored."""
        root = hash_from_text(request[PLACE]["root"])
        return await asyncio.to_thread(self._batch, root)

    def _batch(self, root: bytes) -> BatchLicenses:
        """Read a batch; in a thread, because it may have a hundred thousand licenses."""
        with self._store.read() as db:
            found = chain_state.batch(db, root)
        if found is None:
            raise NotFound("this node has no batch with this root")
        licenses = [hex_text(one) for one in found.licenses]
        return BatchLicenses(hex_text(root), found.sponsor.hex(), licenses)

    def _anchor(self, db: Reading, license_hash: bytes) -> AnchorJson | None:
        """Return the anchor with its proof, once it is final (rule 10.3)."""
        found = chain_state.anchor_of(db, license_hash)
        if found is None:
            return None
        anchor, position = found
        batch = chain_state.batch(db, anchor.root) if self._is_final(anchor.block_number) else None
        if batch is None:
            return None
        return AnchorJson(
            hex_text(anchor.root),
            anchor.block_number,
            address_text(anchor.submitter),
            AnchorProofJson.of(batch.proof(position)),
        )

    def _is_final(self, block: int) -> bool:
        return block + self._finality <= self._freshness.head.point.number


def _status(consent: Consent, revoked: bool, now: float) -> str:  # noqa: FBT001 - one of three
    """Return the status of the whole license; single rows may be revoked, which a check shows."""
    if revoked:
        return "revoked"
    if now < consent.issued_at:
        return "not-yet-valid"
    return "expired" if now >= consent.expires_at else "active"
