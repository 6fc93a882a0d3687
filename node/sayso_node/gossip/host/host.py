"""Builds the hardened libp2p host: TCP or WebSocket, Noise, Yamux, gossipsub v1.1 and StrictSign.

All guards are installed and services started before the host listens: in the unmodified library, a peer
that dials before the pubsub service runs ends the host.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Final, cast

import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost
from libp2p.host.ping import ID as PING
from libp2p.host.ping import handle_ping
from libp2p.identity.identify_push.identify_push import ID_PUSH
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.tools.anyio_service import background_trio_service
from multiaddr import Multiaddr

from sayso_node.errors import GossipDown
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.host.guards import SafePubsub, guard_streams
from sayso_node.gossip.host.inbound import guard_inbound
from sayso_node.gossip.host.muxer import BoundedYamux, bound_muxers
from sayso_node.gossip.host.negotiation import bound_lines
from sayso_node.gossip.host.private import forget_disconnects, identify_nobody
from sayso_node.gossip.host.router import Router
from sayso_node.gossip.host.transports import transports
from sayso_node.gossip.peers.dialer import Dialer, Tell
from sayso_node.gossip.peers.peer_score import PeerScore
from sayso_protocol.redaction import reason_of

PRUNE_EVERY_S: Final = 30.0


@dataclass(frozen=True)
class GossipHost:
    """GossipHost is the assembled libp2p host, not yet running."""

    config: GossipConfig
    tally: Counter[str]
    host: BasicHost
    swarm: Swarm
    router: Router
    pubsub: SafePubsub
    dialer: Dialer
    score: PeerScore

    @classmethod
    def build(cls, config: GossipConfig, tally: Counter[str], tell: Tell) -> "GossipHost":
        """Build a host with all guards."""
        host = _bare_host(config)
        swarm = cast("Swarm", host.get_network())
        _close_doors(host, swarm)
        router = Router(config, tally)
        pubsub = SafePubsub(host, router, config, tally)
        # Its default, seconds, would repeat message ids after a quick restart.
        pubsub.counter = time.time_ns()
        score = PeerScore(
            trio.current_time, config.max_penalty, config.penalty_half_life_s, config.ban_s
        )
        guard_streams(swarm, config, tally, score)
        guard_inbound(swarm, config, tally, score)
        dialer = Dialer(host, swarm, config, tally, Random(), tell)  # noqa: S311  # jitter
        return cls(config, tally, host, swarm, router, pubsub, dialer, score)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the services inside the block; the block calls listen()."""
        async with (
            self.host.run(listen_addrs=[]),
            background_trio_service(self.pubsub),
            background_trio_service(self.router),
            trio.open_nursery() as nursery,
        ):
            await self.pubsub.wait_until_ready()
            for topic in self.config.topics:
                await self.pubsub.subscribe(topic)
            nursery.start_soon(self._prune)
            yield
            nursery.cancel_scope.cancel()

    async def penalize(self, peer: ID) -> None:
        """Count a misdeed of a peer; after too many the peer is disconnected and banned for a while."""
        if self.score.penalize(peer):
            self.tally["peers_cut"] += 1
            await self.dialer.hang_up(peer)

    async def listen(self) -> list[str]:
        """Listen and return the addresses; raises GossipDown if an address is not available."""
        for address in map(Multiaddr, self.config.listen):
            await _refuse_taken(address)
            if not await self.swarm.listen(address):
                raise GossipDown(f"cannot listen on {address}")
        return [
            str(address)
            for listener in self.swarm.listeners.values()
            for address in listener.get_addrs()
        ]

    async def _prune(self) -> None:
        while True:
            await trio.sleep(PRUNE_EVERY_S)
            self.tidy()

    def tidy(self) -> None:
        """Free what the library keeps of peers that have gone."""
        self.router.forget_deliveries()
        forget_disconnects(self.swarm)


def _bare_host(config: GossipConfig) -> BasicHost:
    keys = create_new_key_pair(config.seed)
    most, ours = config.max_connections, config.our_connections
    host = new_host(
        key_pair=keys,
        transports=transports(),
        sec_opt={NOISE: Noise(keys, noise_privkey=create_noise_key_pair().private_key)},
        muxer_opt={TProtocol(YAMUX): BoundedYamux},
        connection_config=ConnectionConfig(
            max_connections=most,
            high_watermark=most,
            low_watermark=ours,
            min_connections=ours,
            inbound_upgrade_timeout=config.upgrade_s,
        ),
        disable_identify_address_discovery=True,
    )
    return cast("BasicHost", host)


def _close_doors(host: BasicHost, swarm: Swarm) -> None:
    swarm.retry_config = RetryConfig(max_retries=0)  # the dialer retries

    async def dial_nobody() -> None:
        """Replace the library's automatic dialling of addresses that strangers announce."""

    swarm.auto_connector.maybe_connect = dial_nobody  # type: ignore[method-assign]
    # The library waits without limit for a stream slot; our own limits refuse instead.
    swarm.set_resource_manager(None)
    bound_lines()
    bound_muxers(swarm)
    # The service of the library keeps an entry of every peer that ever pinged.
    host.set_stream_handler(PING, handle_ping)
    identify_nobody(host)  # we answer identify requests but send none
    host.remove_stream_handler(ID_PUSH)


async def _refuse_taken(address: Multiaddr) -> None:
    """Raise GossipDown if the port is in use; SO_REUSEPORT in py-libp2p would share it."""
    family = trio.socket.AF_INET6 if "/ip6/" in str(address) else trio.socket.AF_INET
    kind = "ip6" if family == trio.socket.AF_INET6 else "ip4"
    with trio.socket.socket(family) as probe:
        probe.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_REUSEADDR, 1)
        try:
            await probe.bind(
                (address.value_for_protocol(kind), int(address.value_for_protocol("tcp") or 0))
            )
        except OSError as error:
            raise GossipDown(f"cannot listen on {address}: {reason_of(error)}") from error
