"""Discovery: finds unlisted peers by asking connected ones (docs/protocol.md, section 14).

It runs in the gossip process. Every few seconds it asks one peer, dials one address to verify who is
there, and connects to one of the verified peers if a slot is free.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Final

import trio
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from multiaddr import Multiaddr

from sayso_node.errors import InvalidNodeConfig, PeerUnreachable
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.peers.address_manager import AddressManager
from sayso_node.gossip.peers.addresses import split_multiaddr
from sayso_node.gossip.peers.dialer import Dialer
from sayso_node.gossip.peers.network_groups import can_be_dialled, can_be_told, is_private, parse_told
from sayso_node.gossip.requests import Requests
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import jittered
from sayso_protocol.encoding.packing import Reader, array_of, fields_of, pack
from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.messages.wire import PEERS_PROTOCOL

MAX_QUESTION_BYTES: Final = 1_024
MAX_ANSWER_BYTES: Final = 8_192
MAX_OWN: Final = 4  # addresses that a peer may name as its own
MAX_TOLD: Final = 32
_QUESTION: Final[Reader[tuple[str, tuple[str, ...]]]] = Reader(
    fields_of(str, array_of(str, MAX_OWN)), MAX_QUESTION_BYTES
)
_ANSWER: Final[Reader[tuple[str, ...]]] = Reader(array_of(str, MAX_TOLD), MAX_ANSWER_BYTES)
SELF: Final = ""  # the source of configured addresses

_log = logger(__name__)

Tell = Callable[[str, str], None]  # ("met" or "lost", address)


class Discovery:
    """Discovery asks peers for addresses, answers such questions and fills the connection slots."""

    def __init__(
        self,
        swarm: Swarm,
        dialer: Dialer,
        requests: Requests,
        config: GossipConfig,
        tally: Counter[str],
        rng: Random,
        tell: Tell,
    ) -> None:
        self._swarm = swarm
        self._dialer = dialer
        self._requests = requests
        self._config = config
        self._tally = tally
        self._rng = rng
        self._tell = tell
        self._us = swarm.get_peer_id().to_base58()
        self._own: list[str] = []
        self._listed = {split_multiaddr(address)[1] for address in config.peers}
        self._asked: dict[ID, float] = {}  # when each connected peer was last asked
        self._chosen: dict[str, str] = {}  # peer id -> address that we connected to
        self._table: AddressManager | None = None

    def begin(self, listening: list[str]) -> None:
        """Start answering; `listening` are our addresses unless others are announced."""
        config = self._config
        ours = config.announce or tuple(listening)
        private = any(map(is_private, ours))
        self._own = [
            f"{where}/p2p/{self._us}"
            for where in ours
            if can_be_told(where) and can_be_dialled(where, private=private)
        ][:MAX_OWN]
        self._table = AddressManager(
            self._us,
            private=private,
            redial_s=config.discovered_redial_s,
            now=trio.current_time,
            rng=self._rng,
        )
        self._table.remember(config.known)
        for address in config.peers:
            self._hear(address, SELF)
        self._requests.answer(PEERS_PROTOCOL, self._answer, MAX_QUESTION_BYTES)

    async def run(self) -> None:
        """Discover peers until cancelled."""
        while True:
            await trio.sleep(jittered(self._config.discover_every_s, self._rng))
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._ask_one)
                nursery.start_soon(self._meet_one)
                nursery.start_soon(self._connect_one)

    @property
    def _known(self) -> AddressManager:
        assert self._table is not None, "begin() was not called"  # noqa: S101 - the type checker's only way
        return self._table

    # Answering peers.

    async def _answer(self, _protocol: str, body: bytes, peer: str) -> bytes:
        network, own = _QUESTION.read(body)
        if network != self._config.network:
            raise Malformed(f"{peer} belongs to another network")
        for address in own:
            # 14.1 A request names the sender's own addresses; an answer names other peers.
            if address.endswith(f"/p2p/{peer}"):
                self._hear(address, peer)
        return pack([*self._own, *self._known.sample(MAX_TOLD - len(self._own))])

    # Looking for peers.

    async def _ask_one(self) -> None:
        now, connected = trio.current_time(), set(self._swarm.connections)
        self._asked = {peer: at for peer, at in self._asked.items() if peer in connected}
        due = [p for p in connected if self._asked.get(p, -1e9) <= now - self._config.ask_peers_every_s]
        if not due:
            return
        peer = self._rng.choice(sorted(due, key=str))
        self._asked[peer] = now
        try:
            await self._ask(peer.to_base58())
        except SaysoError as error:
            _log.debug("peers-unasked", peer=peer, error=error)

    async def _ask(self, name: str) -> None:
        """Ask a peer for the peers it has met; raises SaysoError for an invalid or missing answer."""
        question = pack([self._config.network, self._own])
        body = await self._requests.send(name, PEERS_PROTOCOL, question, self._config.dial_s)
        for address in _ANSWER.read(body):
            self._hear(address, name)

    async def _meet_one(self) -> None:
        address = self._known.next_to_meet()
        if address is None:
            return
        try:
            await self._prove(address)
        except Exception as error:  # noqa: BLE001  # py-libp2p raises any exception
            _log.debug("address-refuted", address=address, error=error)
            self._tally["addresses_refuted"] += 1
            self._lose(address)
            return
        self._tally["addresses_verified"] += 1
        self._meet(address)

    async def _prove(self, address: str) -> None:
        """Dial an address, have the peer prove its identity (Noise), disconnect; raises failures."""
        where, peer_id = parse_told(address)
        wanted = ID.from_base58(peer_id)
        at = Multiaddr(f"{where}/p2p/{peer_id}")
        transport = self._swarm.transport_manager.transport_for_dialing(at)
        if transport is None:
            raise PeerUnreachable(f"there is no transport for {address}")
        with trio.fail_after(self._config.dial_s):
            raw = await transport.dial(at)
            try:
                secured = await self._swarm.upgrader.upgrade_security(
                    raw, is_initiator=True, peer_id=wanted
                )
                await secured.close()
            finally:
                with trio.CancelScope(shield=True):
                    await raw.close()

    async def _connect_one(self) -> None:
        connected = {peer.to_base58() for peer in self._swarm.connections}
        for gone in [peer for peer in self._chosen if peer not in connected]:
            self._lose(self._chosen.pop(gone))  # the slot is free again, and the peer may be met again
        if len(self._chosen) >= self._config.discovered_peers:
            return
        address = self._known.choose(self._chosen.values(), connected | self._listed | {self._us})
        if address is None:
            return
        where, peer_id = parse_told(address)
        peer = ID.from_base58(peer_id)
        try:
            await self._dialer.dial(peer, [where])
            await self._ask(peer_id)  # a node of another network refuses
        except SaysoError as error:
            _log.debug("peer-unconnected", address=address, error=error)
            self._lose(address)
            await self._dialer.hang_up(peer)
            return
        self._chosen[peer_id] = address
        self._asked[peer] = trio.current_time()
        self._tally["peers_discovered"] += 1
        self._meet(address)

    def _hear(self, address: str, source: str) -> None:
        try:
            self._known.hear(address, source)
        except InvalidNodeConfig as error:
            _log.debug("address-invalid", peer=source, error=error)

    def _meet(self, address: str) -> None:
        if self._known.met(address):
            self._tell("met", address)

    def _lose(self, address: str) -> None:
        if self._known.failed(address, counts=bool(self._swarm.connections)):
            self._tell("lost", address)
