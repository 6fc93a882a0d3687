"""The gossip process as the node uses it: it restarts the child process when it dies.

A dead child loses its queued frames, and nothing else of the node: it is restarted with the same key and
addresses, and sync transfers the lost messages.
"""

import asyncio
from collections import Counter
from typing import Final

from sayso_node.errors import GossipDown, GossipQueueFull, InvalidNodeConfig, PeerUnreachable
from sayso_node.gossip.child_process import ChildProcess
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.counters import COUNTERS
from sayso_node.gossip.ipc.channel import Channel
from sayso_node.gossip.peers.addresses import peer_id_of_seed, split_multiaddr
from sayso_node.gossip.peers.peer_store import PeerStore
from sayso_node.interfaces import Judgement, PeerState, Transport, TransportHandlers
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import backoff
from sayso_protocol.errors import SaysoError, TooLarge

CALL_S: Final = 10.0  # for calls that the child answers from memory
HEALTHY_S: Final = 60.0  # a child that ran so long resets the backoff
MAX_REJECTED_PEERS: Final = 4096  # peers whose rejected frames are counted

_JUDGED: Final = {
    Judgement.ACCEPT: "frames_accepted",
    Judgement.IGNORE: "frames_ignored",
    Judgement.REJECT: "frames_rejected",
}
_log = logger(__name__)


class GossipProcess(Transport):
    """GossipProcess is the Transport of a real node: libp2p in a supervised child process."""

    def __init__(self, config: GossipConfig, peer_store: PeerStore | None = None) -> None:
        self._config = config
        self._peer_store = peer_store
        self._peer_id = peer_id_of_seed(config.seed)
        self._configured = [(split_multiaddr(address)[1], address) for address in config.peers]
        self._listen = config.listen
        self._child: ChildProcess | None = None
        self._up = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._handlers: TransportHandlers | None = None
        self._connected: set[str] = set()
        self._tally: Counter[str] = Counter()
        self._child_tally: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()

    @property
    def peer_id(self) -> str:
        """Our own peer ID."""
        return self._peer_id

    @property
    def pid(self) -> int | None:
        """The child's process ID while it runs."""
        return self._child.pid if self._child and self._up.is_set() else None

    @property
    def is_silent(self) -> bool:
        """Whether the child is not there, or does not answer: stopped, stuck, or being restarted."""
        return self._child is None or not self._up.is_set() or self._child.is_silent

    async def start(self, handlers: TransportHandlers) -> None:
        """Listen, dial and keep redialling; raises GossipDown if the first child cannot."""
        self._handlers = handlers
        if self._peer_store:
            self._peer_store.open()
        try:
            await self._start_child()
        except BaseException:
            await self.stop()
            raise
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Stop the child; returns when it has ended."""
        if self._supervisor:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        await self._stop_child()
        if self._peer_store:
            self._peer_store.close()

    async def publish(self, topic: str, frame: bytes) -> int:
        """Queue a frame; returns the number of subscribed peers.

        0 is not an error: sync transfers the messages. Raises GossipQueueFull, GossipDown, TooLarge.
        """
        if topic not in self._config.topics:
            raise InvalidNodeConfig(f"{topic!r} is not a configured topic")
        if len(frame) > self._config.max_frame_bytes:
            raise TooLarge(f"the frame has {len(frame)} bytes, more than {self._config.max_frame_bytes}")
        peers = await self._channel().call("publish", topic, frame, timeout_s=CALL_S)
        return peers if isinstance(peers, int) else 0

    async def request(self, peer_id: str, protocol: str, body: bytes, timeout_s: float) -> bytes:
        """Send one request and return its answer; raises PeerUnreachable, TooLarge."""
        if len(body) > self._config.max_request_bytes:
            raise TooLarge(
                f"the request has {len(body)} bytes, more than {self._config.max_request_bytes}"
            )
        try:
            answer = await self._channel().call(
                "request", peer_id, protocol, body, float(timeout_s), timeout_s=timeout_s + CALL_S
            )
        except (GossipDown, GossipQueueFull) as error:
            raise PeerUnreachable(str(error)) from error
        if not isinstance(answer, bytes):
            raise PeerUnreachable(f"{peer_id} gave no answer")
        return answer

    async def peers(self) -> list[PeerState]:
        """Return configured and connected peers; all are disconnected while the child is down."""
        configured = {peer: address for peer, address in self._configured if peer != self._peer_id}
        return [
            PeerState(peer, configured.get(peer, ""), peer in self._connected)
            for peer in sorted(configured.keys() | self._connected)
        ]

    async def listen_addresses(self) -> list[str]:
        """Return the addresses at which others can dial us, each ending in /p2p/<our id>."""
        return [f"{address}/p2p/{self._peer_id}" for address in self._config.announce or self._listen]

    def counters(self) -> dict[str, int]:
        """Return the counters in COUNTERS, added up over all children."""
        return {name: self._tally[name] + self._child_tally[name] for name in COUNTERS}

    def rejections(self) -> dict[str, int]:
        """Return the number of rejected frames by forwarding peer, for a limited number of peers."""
        return dict(self._rejected)

    def _channel(self) -> Channel:
        if self._child is None or not self._up.is_set():
            raise GossipDown("the gossip process is not running")
        return self._child.channel.make_room()

    async def _start_child(self) -> None:
        """Start a child and make it listen; raises GossipDown."""
        self._child = await ChildProcess.start(self._config, self._serve)
        known = self._peer_store.addresses() if self._peer_store else ()
        listening = await self._child.configure(self._listen, known)
        self._listen = tuple(listening)  # keep a port that was picked, because peers redial it
        self._up.set()

    async def _stop_child(self) -> None:
        self._up.clear()
        child, self._child = self._child, None
        for peer in list(self._connected):
            self._peer(peer, connected=False)
        if child:
            await child.stop()
        self._tally += self._child_tally
        self._child_tally = Counter()

    async def watch(self) -> None:
        """Wait while the child is supervised; raises what ended that. A new call restarts it."""
        if self._supervisor is None or self._supervisor.done():
            self._supervisor = asyncio.create_task(self._supervise())
        await asyncio.wait({self._supervisor})
        self._supervisor.result()

    async def _supervise(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            if self._child and self._up.is_set():
                started = loop.time()
                await self._child.watch()
                if loop.time() - started > HEALTHY_S:
                    failures = 0
            await self._stop_child()
            self._tally["restarts"] += 1
            delay_s = backoff(self._config.restart_min_s, failures, self._config.restart_max_s)
            failures += 1
            _log.warning("gossip-ended", again_s=delay_s)
            await asyncio.sleep(delay_s)
            try:
                await self._start_child()
            except (SaysoError, OSError) as error:
                _log.error("gossip-unstarted", error=error)

    async def _serve(self, method: str, arguments: list[object]) -> object:
        match method, arguments:
            case "frame", [str(topic), bytes(frame), str(peer)]:
                return (await self._judge(topic, frame, peer)).value
            case "request", [str(protocol), bytes(body), str(peer)]:
                return await self._handling().on_request(protocol, body, peer)
            case "peer", [str(peer), bool(connected)]:
                self._peer(peer, connected=connected)
            case "met", [str(address)] if self._peer_store:
                self._peer_store.met(address)
            case "lost", [str(address)] if self._peer_store:
                self._peer_store.lost(address)
            case "tally", [dict(tally)]:
                self._child_tally = Counter({str(k): v for k, v in tally.items() if type(v) is int})
        return None

    def _handling(self) -> TransportHandlers:
        if self._handlers is None:
            raise GossipDown("the gossip process was not started")
        return self._handlers

    async def _judge(self, topic: str, frame: bytes, peer: str) -> Judgement:
        self._tally["frames_received"] += 1
        try:
            judgement = await self._handling().on_frame(topic, frame, peer)
        except Exception:  # noqa: BLE001  # handler error; the peer is not at fault
            _log.exception("frame-failed", peer=peer)
            self._tally["frames_failed"] += 1
            judgement = Judgement.IGNORE
        self._tally[_JUDGED[judgement]] += 1
        has_room = peer in self._rejected or len(self._rejected) < MAX_REJECTED_PEERS
        if judgement is Judgement.REJECT and has_room:
            self._rejected[peer] += 1
        return judgement

    def _peer(self, peer: str, *, connected: bool) -> None:
        if connected == (peer in self._connected):
            return
        (self._connected.add if connected else self._connected.discard)(peer)
        try:
            self._handling().on_peer(peer, connected)
        except Exception:  # noqa: BLE001  # foreign code
            _log.exception("peer-unheard", peer=peer, connected=connected)
