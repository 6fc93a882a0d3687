"""Builds a node from its parts, and starts and stops them (docs/explanation/architecture.md).

users ── api ──┐                       ┌── judge, signer ── api ── users
peers ─ gossip ┼── intake ── store ────┤
peers ── sync ─┘               │       └── sync, gossip ── peers
chain ── follower ─────────────┘
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import fields
from typing import NoReturn

from sayso_node.batches.fetcher import BatchFetcher
from sayso_node.batches.http_json import HttpJson
from sayso_node.batches.protocol import answer_batch
from sayso_node.chain.side import ChainSide
from sayso_node.errors import NotFound
from sayso_node.folder.config import PEER_FILE, SNAPSHOT_FOLDER, NodeConfig
from sayso_node.folder.lock import NodeFolder
from sayso_node.folder.settings import RELOADED, Settings
from sayso_node.freshness import Freshness
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.peers.addresses import split_multiaddr
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_node.gossip.process import GossipProcess
from sayso_node.gossip.settings import gossip_config
from sayso_node.intake.intake import Intake
from sayso_node.interfaces import Clock, TransportHandlers
from sayso_node.presence.loop import PresenceLoop
from sayso_node.presence.protocol import PRESENCE_PROTOCOL, Presences
from sayso_node.serving.http_api import HttpApi, Served
from sayso_node.serving.telling import Telling
from sayso_node.snapshots.publishing import SnapshotPublisher
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.integrity.guard import StoreGuard
from sayso_node.store.opening import store_at
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.supervisor import Part, Supervisor
from sayso_node.sync.answering import Answering
from sayso_node.sync.asking import SyncRounds
from sayso_node.sync.loop import SyncLoop
from sayso_protocol.messages import wire

log = logger(__name__)


class Node:
    """A node with all its parts; start() and stop() run them in the right order."""

    def __init__(self, config: NodeConfig, clock: Clock) -> None:
        self._config = config
        settings, network = config.settings, config.network_file.network
        self._counters = counters = Counters()
        self._gossip_config = gossip_config(config)
        self._folder = NodeFolder(config.folder)
        self._store = store = store_at(config.store_location)
        peer_ids = [split_multiaddr(peer)[1] for peer in config.peers]
        self._freshness = freshness = Freshness(peer_ids, lambda: store.damage.text, config.heeded)
        if config.runs("sync"):
            freshness.ask_presence()
        identity = config.identity

        peer_store = PeerStore(config.folder / PEER_FILE)
        self._transport = transport = GossipProcess(self._gossip_config, peer_store)
        self._alarms = alarms = Alarms()
        self._supervisor = Supervisor(alarms, counters)
        self._chain = chain = ChainSide(
            *(config, store, freshness, clock, counters, alarms),
            came=lambda db: self._intake.blocks_came(db),  # noqa: PLW0108 - it is made below
            dated_anew=lambda: self._api.licenses.clear(),  # noqa: PLW0108 - likewise
        )
        wallets = chain.wallets
        quotas = Quotas(operators=frozenset(one.key for one in config.network_file.operators))
        shared = (network, store, wallets, freshness, identity, clock, counters)
        self._intake = intake = Intake(
            *shared,
            quotas=quotas,
            heeded=config.heeded,
            finality=config.network_file.finality,
        )
        self._broadcast = Broadcast(network, transport, intake, counters, enabled=config.runs("gossip"))
        rounds = SyncRounds(network, transport, store, intake, freshness, clock, counters)
        self._answering = Answering(store, intake, clock, peer_ids)
        self._sync = SyncLoop(transport, rounds, settings.sync_interval_s)

        self._http_json = HttpJson()
        self._batches = BatchFetcher(config.other_urls, self._http_json, store, counters, transport)

        self._snapshots = self._make_snapshots(clock)
        self._presences = Presences(clock, peer_ids)
        self._presence = PresenceLoop(transport, store, freshness, clock, alarms, peer_ids)
        self._guard = StoreGuard(network, store, freshness, alarms, counters)
        self._api = self._make_api(clock)
        self._http = self._api.server
        self._telling = self._make_telling(clock)

    def _make_api(self, clock: Clock) -> HttpApi:
        return HttpApi(
            Served(
                *(self._config, self._store, self._freshness, clock, self._counters, self._alarms),
                *(self._intake, self._broadcast, self._transport, self._chain.endpoints),
                self._supervisor,
                pays=self._config.pays,
                money=lambda: self._chain.money,
                shelf=self._snapshots.shelf,
            )
        )

    def _make_telling(self, clock: Clock) -> Telling | None:
        if (board := self._store.board) is None:
            return None
        return Telling(
            *(board, self._store, self._freshness, self._transport, self._broadcast, clock),
            pays=self._config.pays,
            damaged=self._store.damage.report,
        )

    def _make_snapshots(self, clock: Clock) -> SnapshotPublisher:
        return SnapshotPublisher(
            self._config.network_file.network,
            self._store.location,
            self._config.folder / SNAPSHOT_FOLDER,
            self._freshness,
            self._config.identity,
            clock,
            self._counters,
            interval_s=self._config.settings.snapshot_interval_s,
            heeded=self._config.heeded,
            alarms=self._alarms,
            damaged=self._store.damage.report,
        )

    async def start(self) -> None:
        """Start the store first, so the node accepts no message that it cannot store, and parts last."""
        mine = (self._store, self._config.network_file.network, self._config.node_key)
        self._folder.lock()
        self._folder.check_store(*mine)
        self._store.start()
        await self._folder.claim(*mine)
        self._folder.note_run(await self._presence.start(self._folder.noted_run()))
        self._intake.start()
        await self._intake.heed()
        handlers = TransportHandlers(self._broadcast.on_frame, self._on_request, self._on_peer)
        await self._transport.start(handlers)
        await self._http.start()
        self._supervisor.start(self.parts())  # from here on nothing refuses the start

    def parts(self) -> Mapping[str, Part]:
        """Return the parts that run until the node stops, by name."""
        runs = self._config.runs
        parts = {
            "store": Part(self._store.watch, restarts=False),
            "store guard": Part(self._guard.run),
            "readiness": Part(self._api.readiness.run),
            "gossip": Part(self._transport.watch),
        }
        if runs("sync"):
            parts |= {"sync": Part(self._sync.run), "presence": Part(self._presence.run)}
        if runs("chain"):
            parts["batches"] = Part(self._batches.run)
        parts |= {name: Part(run) for name, run in self._chain.parts().items()}
        if self._telling:
            parts |= {"telling": Part(self._telling.run), "outbox": Part(self._telling.send)}
        if runs("snapshots"):
            parts["snapshots"] = Part(self._snapshots.run)
        return parts

    def reload(self, settings: Settings) -> None:
        """Take over the limits of new settings; other changes wait for the next start."""
        changed = {
            one.name
            for one in fields(Settings)
            if getattr(settings, one.name) != getattr(self._config.settings, one.name)
        }
        self._chain.limit(settings)
        log.warning("limits-read", new=changed & {*RELOADED})
        if later := sorted(changed - {*RELOADED}):
            log.warning("settings-later", names=later)

    async def failure(self) -> NoReturn:
        """Wait until a part has failed for good; raises PartFailed."""
        await self._supervisor.failure()

    async def stop(self) -> None:
        """Stop all in reverse order, whatever some of it raises; work is finished or rolled back."""
        async with AsyncExitStack() as stack:
            stack.callback(self._folder.release)
            stack.callback(self._store.stop)
            ends = (self._transport, self._broadcast, self._supervisor, self._http)
            for end in (self._chain.close, self._http_json.close, *(one.stop for one in ends)):
                stack.push_async_callback(end)

    def counters(self) -> Mapping[str, int]:
        """Return the counters of the node and of its gossip process."""
        return self._api.counters()

    def status(self) -> str:
        """Return in one line whether the node is ready, or else why not."""
        return self._api.status()

    async def _on_request(self, protocol: str, body: bytes, peer_id: str) -> bytes:
        if protocol == PRESENCE_PROTOCOL:
            return self._presences.answer(body, peer_id)
        if protocol == wire.BATCH_PROTOCOL and self._config.runs("chain"):
            return await self._answering.answer_by(answer_batch, body, peer_id)
        if protocol != wire.SYNC_PROTOCOL or not self._config.runs("sync"):
            raise NotFound(f"{protocol} is not served here")
        return await self._answering.answer(body, peer_id)

    def _on_peer(self, peer_id: str, connected: bool) -> None:  # noqa: FBT001 - the interface's form
        if connected:
            self._presence.wake(peer_id)
            self._sync.wake(peer_id)
