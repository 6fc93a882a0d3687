"""The half of a node that talks to peers: gossip process, intake, store, sync; no chain, no HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from nacl.signing import SigningKey

from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.clock import SystemClock
from sayso_node.freshness import Freshness
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.process import GossipProcess
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.interfaces import TransportHandlers
from sayso_node.store import messages
from sayso_node.store.opening import store_at
from sayso_node.supervision.counters import Counters
from sayso_node.sync.answering import Answering
from sayso_node.sync.asking import SyncRounds
from sayso_protocol.messages import wire
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.wire import TOPICS
from sayso_protocol.primitives import sha256
from support.node_rig import NoChain
from support.protocol_strategies import NETWORK


class GossipingNode:
    """A node as its peers know it."""

    def __init__(self, folder: Path, name: str, listen: str, peers: tuple[str, ...]) -> None:
        self.place = NETWORK
        identity = SigningKey(sha256(name.encode()))
        clock, self._counters, freshness = SystemClock(), Counters(), Freshness([])
        self._store = store_at(folder / f"{name}.sqlite")
        topics = (TOPICS[CONSENT].on(NETWORK), TOPICS[REVOCATION].on(NETWORK))
        config = GossipConfig(
            bytes(identity),
            (listen,),
            peers,
            topics,
            protocols=(wire.SYNC_PROTOCOL,),
            network=wire.network_name(NETWORK),
            heartbeat_s=0.2,
        )
        self.network = GossipProcess(config)
        self._intake = Intake(
            *(NETWORK, self._store, ContractWallets(NoChain()), freshness),
            *(identity, clock, self._counters),
        )
        self._broadcast = Broadcast(NETWORK, self.network, self._intake, self._counters, enabled=True)
        self._answering = Answering(self._store, self._intake, clock, [])
        self.rounds = SyncRounds(
            *(NETWORK, self.network, self._store, self._intake, freshness, clock, self._counters)
        )

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        folder: Path,
        name: str = "gossiping",
        listen: str = "/ip4/127.0.0.1/tcp/0",
        peers: tuple[str, ...] = (),
    ) -> AsyncIterator["GossipingNode"]:
        node = cls(folder, name, listen, peers)
        node._store.start()
        try:
            handlers = TransportHandlers(node._broadcast.on_frame, node._answer, lambda _p, _c: None)
            await node.network.start(handlers)
            yield node
        finally:
            await node._broadcast.stop()
            await node.network.stop()
            node._store.stop()

    async def hand_in(self, envelope: Envelope, *, publish: bool = True) -> None:
        """As over HTTP."""
        outcomes = await self._intake.take([encode(envelope)], Source(SourceChannel.HTTP, "a user"))
        assert [one.status for one in outcomes] == [Status.STORED]
        if publish:
            self._broadcast.publish(outcomes)

    async def publish(self, envelope: Envelope) -> None:
        """Publish a stored message once more: who subscribed meanwhile gets it."""
        self._broadcast.publish([Outcome(Status.STORED, envelope, is_news=True)])

    def holds(self, digest: str) -> bool:
        """Whether a message is stored."""
        with self._store.read() as db:
            return messages.is_known(db, bytes.fromhex(digest[2:]))

    async def _answer(self, _protocol: str, body: bytes, peer_id: str) -> bytes:
        return await self._answering.answer(body, peer_id)
