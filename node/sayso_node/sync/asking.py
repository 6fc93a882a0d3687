"""The asking half of sync: one round with one peer fetches all it has that we lack.

Revocations come before consents. A peer that lists a message and does not give it has not been synced
with: the round fails, and the node's answers stay stale if it cannot find enough other peers.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable

from sayso_node.counters import Counters
from sayso_node.errors import PeerUnreachable
from sayso_node.freshness import Freshness
from sayso_node.intake import Intake
from sayso_node.interfaces import Clock, Network
from sayso_node.outcome import Source, Status
from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.envelope import CONSENT, REVOCATION
from sayso_protocol.errors import Gossip, SaysoError
from sayso_protocol.reconcile import (
    BUNDLE_BYTES,
    WANTED,
    GetRequest,
    ListRequest,
    Request,
    decode_page,
    encode_request,
)
from sayso_protocol.wire import SYNC_PROTOCOL, decode_bundle

log = logging.getLogger(__name__)

REQUEST_TIMEOUT_S = 15.0
REMEMBERED_DECLINED = 65_536


class SyncRounds:
    """Runs rounds of sync with single peers."""

    def __init__(
        self,
        network: Network,
        store: Engine,
        intake: Intake,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._network = network
        self._store = store
        self._intake = intake
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        # Valid but bringing nothing new (their bits are covered): not stored, not asked for again.
        self._declined: OrderedDict[bytes, None] = OrderedDict()

    async def round(self, peer_id: str) -> None:
        """Fetch everything that a peer has and we lack; never raises for what a peer does."""
        begun = self._clock.now()
        try:
            for kind in (REVOCATION, CONSENT):
                await self._fetch_kind(peer_id, kind)
        except SaysoError as error:
            self._counters.add("sync_failed")
            log.info("sync with %s broke off: %s", peer_id, error)
        else:
            self._freshness.peer_synced(peer_id, begun)
            self._counters.add("sync_rounds")

    async def _fetch_kind(self, peer_id: str, kind: int) -> None:
        after = b""
        # A peer's pages may be smaller than ours (rule 11.2): only an empty one is the end.
        while page := decode_page(await self._ask(peer_id, ListRequest(kind, after)), after):
            with self._store.read() as db:
                lacking = messages.unknown(db, page)
            await self._fetch(peer_id, [one for one in lacking if one not in self._declined])
            after = page[-1]

    async def _fetch(self, peer_id: str, wanted: list[bytes]) -> None:
        """Fetch messages until none is missing; raises PeerUnreachable when the peer withholds some."""
        while wanted:
            request = GetRequest(tuple(wanted[:WANTED]))
            bundle = decode_bundle(await self._ask(peer_id, request), BUNDLE_BYTES)
            outcomes = await self._intake.take(bundle, Source.SYNC)
            given = {one.envelope.digest for one in outcomes if one.envelope}
            self._decline(
                one.envelope.digest for one in outcomes if one.envelope and one.status is Status.KNOWN
            )
            # What is merely too early for our clock is no fault; what anybody can see to be wrong is.
            for one in outcomes:
                if one.error and one.error.gossip is Gossip.REJECT:
                    raise one.error
            if not given & set(wanted):
                raise PeerUnreachable(f"{peer_id} lists messages that it does not give")
            wanted = [digest for digest in wanted if digest not in given]

    async def _ask(self, peer_id: str, request: Request) -> bytes:
        return await self._network.request(
            peer_id, SYNC_PROTOCOL, encode_request(request), REQUEST_TIMEOUT_S
        )

    def _decline(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            self._declined[digest] = None
        while len(self._declined) > REMEMBERED_DECLINED:
            self._declined.popitem(last=False)
