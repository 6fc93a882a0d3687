"""The configuration of the gossip process, with all its limits and timeouts.

Names state their units in seconds or bytes. The defaults suit a public node; tests use shorter times.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Final, Self

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.ipc.frames import MAX_MESSAGE_BYTES
from sayso_node.gossip.peers.addresses import (
    KEY_BYTES,
    LISTENING,
    check_where,
    split_multiaddr,
)
from sayso_node.sources import Proxies

HISTORY_HEARTBEATS: Final = 5  # gossipsub v1.1 mcache_len: heartbeats to request a message in
IHAVE_HEARTBEATS: Final = 3  # gossipsub v1.1 mcache_gossip: heartbeats for which a message is advertised
LIBRARY_JUDGE_S: Final = 5.0  # timeout of py-libp2p for a validator
KIB: Final = 1024
MIB: Final = 1024 * KIB
MAX_LIBRARY_FRAME_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class GossipConfig:
    """GossipConfig has the node's key, addresses, peers, topics and limits for gossip."""

    seed: bytes = field(repr=False)  # Ed25519; sent over the socket only
    listen: tuple[str, ...]  # multiaddrs; port 0 picks a port and keeps it over restarts
    peers: tuple[str, ...]  # multiaddrs ending in /p2p/<id>, redialled without end
    topics: tuple[str, ...]
    urgent_topics: tuple[str, ...] = ()  # topics whose frames never wait behind others
    announce: tuple[str, ...] = ()  # addresses under which others reach us, if they differ from `listen`
    trusted_proxies: tuple[str, ...] = ()  # before our /ws addresses, as in sources.py
    protocols: tuple[str, ...] = ()  # request/response protocols that we serve
    network: str = ""  # name of the network as in rule 14.1
    known: tuple[str, ...] = ()  # multiaddrs of peers met before

    # gossipsub
    heartbeat_s: float = 1.0
    degree: int = 6
    degree_low: int = 4
    degree_high: int = 12
    judge_s: float = 4.0  # after that a frame is ignored
    max_frame_bytes: int = 64 * KIB
    frames_judged_per_peer: int = 32  # above it we stop reading from the peer
    frames_judged: int = 128  # above it we read only from peers that have no frame in judgement

    # our own queues, before py-libp2p's, in frames
    queue_frames: int = 1024  # for each of the two queues, urgent and ordinary
    peer_queue_mark: int = 24  # py-libp2p drops at 32; the rest is for control messages
    lag_s: float = 1.0  # we wait no longer for a peer whose queue is full

    # requests
    max_request_bytes: int = 4 * MIB
    max_response_bytes: int = 10 * MIB
    answer_s: float = 30.0  # to read, answer and write one request from a peer
    requests_at_once: int = 32
    requests_at_once_per_peer: int = 4

    # peers
    redial_min_s: float = 0.5
    redial_max_s: float = 60.0
    discovered_peers: int = 8  # connections to discovered peers; 0 turns discovery off, also for others
    discovered_redial_s: float = 60.0  # at first; doubled each time, up to an hour
    discover_every_s: float = 2.0  # interval for dialling one address and filling one slot
    ask_peers_every_s: float = 300.0  # for each peer
    dial_s: float = 10.0
    upgrade_s: float = 10.0  # of an inbound connection: once for WebSocket, once for libp2p inside it
    ping_every_s: float = 15.0
    ping_s: float = 10.0  # without a pong by then the connection is closed
    max_penalty: float = 20.0  # one per misdeed, decays in minutes; above it a peer is banned
    penalty_half_life_s: float = 300.0
    ban_s: float = 600.0  # at first; doubled each time
    max_connections: int = 256
    max_connections_per_ip: int = 32
    max_streams_per_peer: int = 64

    # the child
    start_s: float = 60.0
    probe_every_s: float = 5.0
    silent_s: float = 5.0  # without an answer by then, the node says that gossip is down
    probe_s: float = 10.0  # without an answer by then, twice, the child is killed and restarted
    restart_min_s: float = 0.1
    restart_max_s: float = 30.0
    stop_s: float = 5.0
    max_memory_bytes: int = 1024 * MIB  # 0 sets no limit
    max_files: int = 1024  # mostly sockets; 0 sets no limit

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_BYTES:
            raise InvalidNodeConfig(f"an Ed25519 seed has {KEY_BYTES} bytes, not {len(self.seed)}")
        if not set(self.urgent_topics) <= set(self.topics):
            raise InvalidNodeConfig("urgent_topics must be among topics")
        if not 0 < self.judge_s < LIBRARY_JUDGE_S:
            raise InvalidNodeConfig(f"judge_s must be below {LIBRARY_JUDGE_S} s")
        if max(self.max_request_bytes, self.max_response_bytes) > MAX_MESSAGE_BYTES - MIB:
            raise InvalidNodeConfig(
                "requests and answers must fit the limit between node and gossip process"
            )
        if self.max_frame_bytes > MAX_LIBRARY_FRAME_BYTES:
            raise InvalidNodeConfig(
                "a frame must be smaller than a mebibyte, because py-libp2p silently loses larger ones"
            )
        for address in self.peers:
            split_multiaddr(address)
        for address in self.listen:
            check_where(address, LISTENING)
        Proxies(self.trusted_proxies)

    @property
    def our_connections(self) -> int:
        """Return how many connections are kept free for those that we make."""
        return min(len(self.peers) + self.discovered_peers, self.max_connections // 2)

    @property
    def max_inbound(self) -> int:
        """Return how many connections others may have with us, also while they are being agreed on."""
        return self.max_connections - self.our_connections

    @property
    def replay_window_s(self) -> float:
        """Return the seconds for which one node can still send a frame to a peer that joins late.

        py-libp2p sends it from its cache: at the joiner's subscription, or by IHAVE and IWANT. One
        heartbeat is added because the cache shifts between two of them. Each node counts from when it
        accepted the frame, so a frame that travels k hops can arrive up to k windows after its first
        publication.
        """
        return (HISTORY_HEARTBEATS + 1) * self.heartbeat_s

    def to_wire(self) -> dict[str, object]:
        """Return the values that go over the socket."""
        return asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, object]) -> Self:
        """Read the configuration from the values that came over the socket."""
        names = {f.name for f in fields(cls)}
        return cls(
            **{  # type: ignore[arg-type]  # made by to_wire
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
                if name in names
            }
        )
