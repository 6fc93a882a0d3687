"""A process that answers the API beside a node, on the node's database: `sayso node run --api-only`.

It speaks from the view that the node told last, and is silent once the node has said nothing for
HEARD_S. It takes messages in like the node, and leaves sending, paying and reading the chain to it. Only
contract wallets and the storage for proofs it asks the chain for itself. If it finds the store damaged,
it asks the node for a repair, and is silent until an audit finds nothing and the node has read the chain
since.
"""

import asyncio
import time
from dataclasses import fields
from typing import Final, NoReturn

import msgspec

from sayso_node.chain.side import ChainSide
from sayso_node.errors import InvalidNodeConfig, PartFailed, StoreUnusable
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.lock import NodeFolder
from sayso_node.folder.settings import Settings
from sayso_node.freshness import NEVER, Freshness, Told
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.intake.intake import Intake
from sayso_node.interfaces import Clock
from sayso_node.serving.connections import ToldConnections
from sayso_node.serving.forwarding import OutboxForwarder
from sayso_node.serving.http_api import HttpApi, Served
from sayso_node.serving.telling import Notice
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.integrity.guard import StoreGuard
from sayso_node.store.interface import Board
from sayso_node.store.opening import is_postgres, store_at
from sayso_node.store.sharing import findings
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_node.supervision.supervisor import Part, Supervisor

HEAR_EVERY_S: Final = 1.0
HEARD_S: Final = 15.0  # without a word for so long, the node counts as dead
_USED: Final = frozenset(
    ("name", "network", "http", "rpc", "more_rpcs", "public_url", "trusted_proxies", "store", "listen")
)
log = logger(__name__)


def check_settings(settings: Settings) -> None:
    """Refuse settings that only a node may use; raises InvalidNodeConfig."""
    if not is_postgres(settings.store):
        raise InvalidNodeConfig("with --api-only, store must be postgresql://..., that of the node")
    plain = Settings(settings.name, settings.network, settings.http, (), settings.rpc)
    wrong = [
        one.name
        for one in fields(Settings)
        if one.name not in _USED and getattr(settings, one.name) != getattr(plain, one.name)
    ]
    wrong += ["listen"] if settings.listen else []
    if wrong:
        text = "only the node itself may use these settings, not a process beside it"
        raise InvalidNodeConfig(f"--api-only: {text}: {', '.join(sorted(wrong))}")


class NodesClock:
    """The clock of the node beside which this process runs, as far as it is heard; before, our own."""

    def __init__(self, own: Clock) -> None:
        self._own = own
        self._nodes: float | None = None
        self._heard_at = 0.0

    def now(self) -> float:
        """See Clock."""
        if self._nodes is None:
            return self._own.now()
        return self._nodes + (time.monotonic() - self._heard_at)

    def hear(self, now: float) -> None:
        """Go on from what the node's clock shows now."""
        self._nodes, self._heard_at = now, time.monotonic()


class ApiNode:
    """A process beside a node; start() and stop() run its parts in the right order."""

    def __init__(self, config: NodeConfig, clock: Clock) -> None:
        check_settings(config.settings)
        self._config = config
        self._folder = NodeFolder(config.folder)
        self._store = store = store_at(config.store_location, joins=True)
        self._clock = NodesClock(clock)
        self._counters, self._alarms = Counters(), Alarms()
        self._freshness = Freshness((), lambda: store.damage.text)
        self._freshness.told_until = NEVER
        self._connections = ToldConnections(peer_id_of(config.node_key))
        self._chain = ChainSide(
            *(config, store, self._freshness, self._clock, self._counters, self._alarms)
        )
        self._forwarder = OutboxForwarder(store)
        self._supervisor = Supervisor(self._alarms, self._counters)
        self._guard = StoreGuard(
            *(config.network_file.network, store, self, self._alarms, self._counters),
            ask=lambda store_id: store.write(lambda db: findings.tell(db, store_id)),
        )
        self._right_since = NEVER  # by the node's clock: when the store was found to be repaired
        self._heard: Notice | None = None
        self._chain_begun = NEVER  # as last heard
        self._api: HttpApi | None = None

    async def start(self) -> None:
        """Join the node's store, hear it once, and answer; raises StoreUnusable, InvalidNodeConfig."""
        self._folder.lock()
        self._store.start()
        network, key = self._config.network_file.network, self._config.node_key
        await self._folder.claim(self._store, network, key, joins=True)
        if (heard := await self._hear()) is None:
            raise StoreUnusable(f"no node runs on {self._store.name} yet: start it first")
        self._heard = heard
        self._api = api = self._make(heard)
        self._supervisor.start(
            {
                "store": Part(self._store.watch, restarts=False),
                "node": Part(self._follow, restarts=False),
                "store guard": Part(self._guard.run),
                "readiness": Part(api.readiness.run),
            }
        )
        await api.server.start()

    def _make(self, heard: Notice) -> HttpApi:
        config, heeded = self._config, frozenset(heard.view.heeded)
        self._freshness.heeded = heard.view.heeded
        network_file = config.network_file
        intake = Intake(
            *(network_file.network, self._store, self._chain.wallets, self._freshness),
            *(config.identity, self._clock, self._counters),
            quotas=Quotas(operators=frozenset(one.key for one in network_file.operators)),
            heeded=heeded,
            finality=network_file.finality,
            outbox=self._forwarder.keep,
        )
        intake.start()
        served = Served(
            *(config, self._store, self._freshness, self._clock, self._counters, self._alarms),
            *(intake, self._forwarder, self._connections, self._chain.endpoints, self._supervisor),
            pays=heard.pays,
            money=lambda: None,
            shelf=None,
        )
        return HttpApi(served)

    async def _follow(self) -> None:
        """Hear the node until cancelled; raises PartFailed when it has other settings than before."""
        async for _ in every(HEAR_EVERY_S):
            try:
                heard = await self._hear()
            except StoreUnusable as error:
                log.info("node-unheard", error=error)
                continue
            before = self._heard
            if heard and before and _terms(heard) != _terms(before):
                raise PartFailed("the node was started with other settings: start this process again")

    async def _hear(self) -> Notice | None:
        """Take over what the node told; returns it, None if there is no word. Raises StoreUnusable."""
        board: Board | None = self._store.board
        found = await asyncio.to_thread(board.heard) if board else None
        if found is None:
            return None
        notice = msgspec.msgpack.decode(found.told, type=Notice)
        self._clock.hear(notice.now + found.age_s)
        self._freshness.hear(self._since_repair(notice.view), notice.now + HEARD_S)
        self._connections.hear(notice.peers, notice.addresses)
        if self._api and notice.view.chain_begun < self._chain_begun:
            self._api.licenses.clear()  # its clock was set back, so it may have dated them anew
        self._chain_begun = notice.view.chain_begun
        with self._store.read() as db:
            self._forwarder.look(db)
        return notice

    def forget(self) -> None:
        """Be silent until the node has read the chain again; see Forgetful.

        The node forgets what it read when it has repaired the store, but may have told its view before.
        """
        self._right_since = self._clock.now()
        self._freshness.forget()

    def _since_repair(self, told: Told) -> Told:
        if told.chain_begun > self._right_since:
            return told
        return msgspec.structs.replace(told, chain_begun=NEVER)

    def reload(self, _settings: Settings) -> None:
        """Do nothing: the limits that SIGHUP changes are those of a node that pays."""

    async def failure(self) -> NoReturn:
        """Wait until a part has failed for good; raises PartFailed."""
        await self._supervisor.failure()

    def status(self) -> str:
        """Return in one line whether the process is ready, or else why not."""
        return self._api.status() if self._api else "not ready"

    async def stop(self) -> None:
        """Stop the parts in reverse order."""
        if self._api:
            await self._api.server.stop()
        await self._supervisor.stop()
        await self._chain.close()
        self._store.stop()
        self._folder.release()


def _terms(heard: Notice) -> tuple[object, ...]:
    """What this process is built from."""
    return heard.pays, heard.view.heeded
