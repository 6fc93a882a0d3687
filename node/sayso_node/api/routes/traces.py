"""GET /v1/licenses/{license}/trace: who holds a license, what they stated, and what they owe."""

import asyncio
from typing import Any, Final

from aiohttp import web

from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.traces import (
    BlockJson,
    ConfirmedJson,
    DisputedJson,
    DutyJson,
    HolderJson,
    PassedOnJson,
    TraceJson,
    TraceQuery,
    UsedJson,
)
from sayso_node.store.interface import Store
from sayso_node.store.statements import traces
from sayso_node.store.statements.traces import Held, Holder, TracedDispute, Used
from sayso_protocol.network import Network
from sayso_protocol.primitives import NOBODY, address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.json_values import texts_of
from sayso_protocol.traces.duties import Block, Duty

TRACE: Final = Operation(
    "GET",
    "/v1/licenses/{license}/trace",
    "trace",
    "Where a license went: holders, uses, and removals that are confirmed, due or late.",
    TraceJson,
    query=TraceQuery,
)


class TraceRoutes:
    """Answers from the store."""

    def __init__(self, network: Network, store: Store) -> None:
        self._network = network
        self._store = store

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(TRACE, self.trace)]

    async def trace(self, request: web.BaseRequest) -> TraceJson:
        """Return a page of a trace."""
        license_hash = hash_from_text(request[PLACE]["license"])
        after = request.query.get("after")
        return await asyncio.to_thread(
            self._trace, license_hash, NOBODY if after is None else address_from_text(after)
        )

    def _trace(self, license_hash: bytes, after: bytes) -> TraceJson:
        """Read a page; in a thread, because a license may have thousands of permissions."""
        with self._store.read() as db:
            found = traces.trace(db, self._network, license_hash, after, traces.HOLDERS)
        consent = found.consent
        return TraceJson(
            license=hex_text(license_hash),
            **texts_of(TraceJson, consent),
            anchored=_block(found.anchored),
            first_seen=found.arrived_at,
            final=_block(found.final),
            disputes=[_disputed(one) for one in found.disputes],
            holders=[_holder(one, consent.grantee) for one in found.holders],
            next=None if found.after is None else address_text(found.after),
        )


def _block(block: Block | None) -> BlockJson | None:
    return None if block is None else BlockJson(*block)


def _disputed(one: TracedDispute) -> DisputedJson:
    return DisputedJson(**texts_of(DisputedJson, one.dispute), **_stated(one))


def _holder(one: Holder, grantee: bytes) -> HolderJson:
    return HolderJson(
        address_text(one.address),
        one.address == grantee,
        [_passed(held) for held in one.held],
        [_used(use) for use in one.uses],
        one.has_more_uses,
        [_duty(each) for each in one.duties],
    )


def _passed(held: Held) -> PassedOnJson:
    return PassedOnJson(
        **texts_of(PassedOnJson, held.terms),
        depth=held.depth,
        withdrawn=held.is_withdrawn,
        anchored=_block(held.anchored),
        first_seen=held.terms.seen_at,
    )


def _used(used: Used) -> UsedJson:
    return UsedJson(**texts_of(UsedJson, used.use), **_stated(used))


def _stated(one: Used | TracedDispute) -> dict[str, Any]:
    return {
        "digest": hex_text(one.digest),
        "withdrawn": one.is_withdrawn,
        "anchored": _block(one.anchored),
    }


def _duty(one: Duty) -> DutyJson:
    removal, landing = one.confirmation, one.landing
    confirmed = None
    if removal and removal.anchored:
        anchored = BlockJson(*removal.anchored)
        confirmed = ConfirmedJson(hex_text(removal.digest), removal.as_of_block, anchored)
    return DutyJson(
        one.standing.value,
        _block(one.revoked),
        list(landing.by),
        landing.items,
        landing.permissions,
        list(landing.purposes),
        one.due,
        confirmed,
    )
