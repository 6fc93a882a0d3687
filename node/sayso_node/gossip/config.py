"""What the gossip process is told at its start, and every number in it.

Seconds and bytes are in the names. The defaults suit a public node; tests shorten the times.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Final, Self

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.ipc.frames import MAX_MESSAGE_BYTES
from sayso_node.gossip.peers.addresses import (
    KEY_BYTES,
    LISTENING,
    check_ip,
    check_where,
    split_multiaddr,
)

HISTORY_HEARTBEATS: Final = 5  # gossipsub v1.1 mcache_len: heartbeats a message can be asked for
IHAVE_HEARTBEATS: Final = 3  # gossipsub v1.1 mcache_gossip: heartbeats a message is advertised
LIBRARY_JUDGE_S: Final = 5.0  # py-libp2p gives up on a validator then
KIB: Final = 1024
MIB: Final = 1024 * KIB
MAX_LIBRARY_FRAME_BYTES: Final = 1_000_000


@dataclass(frozen=True)
class GossipConfig:
    """GossipConfig says who we are, where we listen, whom we dial and what we carry."""

    seed: bytes = field(repr=False)  # Ed25519; travels over the socket only
    listen: tuple[str, ...]  # multiaddrs; port 0 picks one and keeps it over restarts
    peers: tuple[str, ...]  # multiaddrs ending in /p2p/<id>, redialled for ever
    topics: tuple[str, ...]
    urgent_topics: tuple[str, ...] = ()  # those of `topics` that never wait behind the others
    announce: tuple[str, ...] = ()  # where others reach what we listen on, if that is elsewhere
    proxies: tuple[str, ...] = ()  # IPs before our /ws addresses: they say who comes through them
    protocols: tuple[str, ...] = ()  # request/response protocols we answer
    network: str = ""  # which one, in the words of rule 14.1
    known: tuple[str, ...] = ()  # multiaddrs of peers met before; worth a try

    # gossipsub
    heartbeat_s: float = 1.0
    degree: int = 6
    degree_low: int = 4
    degree_high: int = 12
    judge_s: float = 4.0  # after that a frame counts as ignored
    max_frame_bytes: int = 64 * KIB
    frames_judged_per_peer: int = 32  # beyond that we stop reading from the peer
    frames_judged: int = 128  # beyond that we read only from peers of which none is judged

    # our own queues before py-libp2p's, in frames
    queue_frames: int = 1024  # each: urgent and ordinary
    peer_queue_mark: int = 24  # py-libp2p drops at 32, the rest is for control messages
    lag_s: float = 1.0  # a peer that is full for longer holds nobody up

    # requests
    max_request_bytes: int = 4 * MIB
    max_response_bytes: int = 10 * MIB
    answer_s: float = 30.0  # to read, answer and write one request of a peer
    requests_at_once: int = 32
    requests_at_once_per_peer: int = 4

    # peers
    redial_min_s: float = 0.5
    redial_max_s: float = 60.0
    discovered_peers: int = 8  # connections to peers nobody listed; 0: none, and none are told
    discovered_redial_s: float = 60.0  # the first time; each time twice as long, up to an hour
    discover_every_s: float = 2.0  # one address is dialled, one slot filled
    ask_peers_every_s: float = 300.0  # each
    dial_s: float = 10.0
    upgrade_s: float = 10.0  # of an inbound connection: once for WebSocket, once for what is inside
    ping_every_s: float = 15.0
    ping_s: float = 10.0  # no pong by then: hung up
    max_penalty: float = 20.0  # one a misdeed, within some minutes: banned
    penalty_half_life_s: float = 300.0
    ban_s: float = 600.0  # the first time; each time twice as long
    max_connections: int = 256
    max_connections_per_ip: int = 32
    max_streams_per_peer: int = 64

    # the child
    start_s: float = 60.0
    probe_every_s: float = 5.0
    probe_s: float = 10.0  # no answer by then, twice: killed and restarted
    restart_min_s: float = 0.1
    restart_max_s: float = 30.0
    stop_s: float = 5.0
    max_memory_bytes: int = 1024 * MIB  # 0 for no limit
    max_files: int = 1024  # sockets above all; 0 for no limit

    def __post_init__(self) -> None:
        if len(self.seed) != KEY_BYTES:
            raise InvalidNodeConfig(f"an Ed25519 seed has {KEY_BYTES} bytes, not {len(self.seed)}")
        if not set(self.urgent_topics) <= set(self.topics):
            raise InvalidNodeConfig("urgent_topics must be among topics")
        if not 0 < self.judge_s < LIBRARY_JUDGE_S:
            raise InvalidNodeConfig(f"judge_s must be below {LIBRARY_JUDGE_S} s")
        if max(self.max_request_bytes, self.max_response_bytes) > MAX_MESSAGE_BYTES - MIB:
            raise InvalidNodeConfig("requests and answers must fit between node and child")
        if self.max_frame_bytes > MAX_LIBRARY_FRAME_BYTES:
            raise InvalidNodeConfig("py-libp2p silently loses frames of a mebibyte")
        for address in self.peers:
            split_multiaddr(address)
        for address in self.listen:
            check_where(address, LISTENING)
        for ip in self.proxies:
            check_ip(ip)

    @property
    def replay_window_s(self) -> float:
        """Seconds for which one node can still hand a frame to a late joiner.

        From py-libp2p's cache: at the joiner's subscription, or by IHAVE and IWANT. One heartbeat
        is added because the cache is shifted between two of them. Each node counts from when it
        accepted the frame, so a frame that travels k hops can turn up k windows after its birth.
        """
        return (HISTORY_HEARTBEATS + 1) * self.heartbeat_s

    def to_wire(self) -> dict[str, object]:
        """What goes over the socket."""
        return asdict(self)

    @classmethod
    def from_wire(cls, values: dict[str, object]) -> Self:
        """The configuration that came over the socket."""
        names = {f.name for f in fields(cls)}
        return cls(
            **{  # type: ignore[arg-type]  # our own to_wire made it
                name: tuple(value) if isinstance(value, list) else value
                for name, value in values.items()
                if name in names
            }
        )
