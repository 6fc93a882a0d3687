"""A peer that means harm: raw pubsub RPCs, streams and connections, made of py-libp2p pieces."""

import asyncio
import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import trio
from libp2p import new_host
from libp2p.abc import IHost, INetStream
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.x25519 import create_new_key_pair as create_noise_key_pair
from libp2p.custom_types import TProtocol
from libp2p.host.ping import ID as PING
from libp2p.host.ping import perform_ping_roundtrip
from libp2p.peer.id import ID
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.peer.peerstore import create_signed_peer_record
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11
from libp2p.pubsub.pb import rpc_pb2
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as Noise
from libp2p.stream_muxer.yamux.yamux import PROTOCOL_ID as YAMUX
from libp2p.stream_muxer.yamux.yamux import Yamux
from multiaddr import Multiaddr

from node.gossip.harness import CONSENTS
from support.waiting import DEADLINE_S

PEER_PATIENCE_S = 20.0
_log = logging.getLogger(__name__)
_numbers = count(1)


@dataclass
class Attacker:
    """Attacker is connected to its victim."""

    host: IHost
    victim: ID

    async def stream(self, protocol: str = PROTOCOL_ID_V11) -> INetStream:
        return await self.host.new_stream(self.victim, [TProtocol(protocol)])

    async def send(self, *rpcs: bytes) -> None:
        """RPCs on a pubsub stream, which stays open."""
        stream = await self.stream()
        for rpc in rpcs:
            await stream.write(varint(len(rpc)) + rpc)

    def message(self, data: bytes, *topics: str, number: int | None = None) -> rpc_pb2.Message:
        """A pubsub message, signed as it must be."""
        message = rpc_pb2.Message(
            data=data,
            topicIDs=topics or (CONSENTS,),
            from_id=self.host.get_id().to_bytes(),
            seqno=(number or next(_numbers)).to_bytes(8, "big"),
        )
        message.signature = self.host.get_private_key().sign(
            b"libp2p-pubsub:" + message.SerializeToString()
        )
        message.key = self.host.get_public_key().serialize()
        return message


Attack = Callable[[Attacker], Awaitable[None]]


def varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Attacker]:
    keys = create_new_key_pair(os.urandom(32))
    host = new_host(
        key_pair=keys,
        sec_opt={NOISE: Noise(keys, noise_privkey=create_noise_key_pair().private_key)},
        muxer_opt={TProtocol(YAMUX): Yamux},
        enable_websocket=True,
    )
    victim = info_from_p2p_addr(Multiaddr(address))

    async def never_read(stream: INetStream) -> None:
        await trio.sleep_forever()

    host.set_stream_handler(PROTOCOL_ID_V11, never_read)
    async with host.run(listen_addrs=[]):
        with trio.fail_after(PEER_PATIENCE_S):
            await host.connect(victim)
        yield Attacker(host, victim.peer_id)


@asynccontextmanager
async def attacking(address: str, attack: Attack) -> AsyncIterator[None]:
    """Strike from a thread of its own and stay connected for the block, if the victim lets us."""
    loop, struck, over = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    async def run() -> None:
        async with connected(address) as attacker:
            await attack(attacker)
            # What we sent before this pong was read by the victim.
            with trio.fail_after(PEER_PATIENCE_S):
                await perform_ping_roundtrip(await attacker.stream(PING))
            loop.call_soon_threadsafe(struck.set)
            await trio.to_thread.run_sync(over.wait)
            await attacker.host.disconnect(attacker.victim)

    def main() -> None:
        try:
            trio.run(run)
        except Exception as error:  # noqa: BLE001  # being thrown out is a fine end
            _log.info("the attacker ended with %r", error)
        finally:
            loop.call_soon_threadsafe(struck.set)

    thread = asyncio.create_task(asyncio.to_thread(main))
    try:
        await struck.wait()
        yield
    finally:
        over.set()
        await thread


async def when(condition: Callable[[], object]) -> None:
    """Return when the condition holds; for attacks of several strokes."""
    with trio.fail_after(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # the condition lives in another loop
            await trio.sleep(0.05)


def publish(*messages: rpc_pb2.Message) -> bytes:
    return rpc_pb2.RPC(publish=messages).SerializeToString()


def control(**entries: object) -> bytes:
    return rpc_pb2.RPC(
        control=rpc_pb2.ControlMessage(**entries)  # type: ignore[arg-type]
    ).SerializeToString()


def subscribe(*topics: str) -> bytes:
    return rpc_pb2.RPC(
        subscriptions=[rpc_pb2.RPC.SubOpts(subscribe=True, topicid=topic) for topic in topics]
    ).SerializeToString()


# One RPC each; the first four and the last end a stock node.


async def garbage(attacker: Attacker) -> None:
    await attacker.send(b"\xff" * 50)


async def key_that_is_none(attacker: Attacker) -> None:
    hashed = bytes.fromhex("1220") + bytes(32)  # an id that does not contain its key
    message = attacker.message(b"x")
    message.from_id, message.key = hashed, b"garbage"
    await attacker.send(publish(message))


async def nobody_wrote_it(attacker: Attacker) -> None:
    message = attacker.message(b"x")
    message.from_id, message.key = b"", b"garbage"
    await attacker.send(publish(message))


async def no_signature(attacker: Attacker) -> None:
    message = attacker.message(b"x")
    message.ClearField("signature")
    await attacker.send(publish(message))


async def another_signature(attacker: Attacker) -> None:
    message = attacker.message(b"x")
    message.signature = bytes(64)
    await attacker.send(publish(message))


async def topic_that_is_no_text(attacker: Attacker) -> None:
    message = attacker.message(b"x", "T" * len(CONSENTS))
    await attacker.send(publish(message).replace(b"T" * len(CONSENTS), b"\xff" * len(CONSENTS)))


async def two_topics(attacker: Attacker) -> None:
    await attacker.send(publish(attacker.message(b"x", CONSENTS, "another")))


async def empty_frame(attacker: Attacker) -> None:
    await attacker.send(publish(attacker.message(b"")))


async def large_frame(attacker: Attacker) -> None:
    await attacker.send(publish(attacker.message(bytes(900_000))))


async def record_that_is_none(attacker: Attacker) -> None:
    await attacker.send(rpc_pb2.RPC(senderRecord=b"garbage").SerializeToString())


async def oversized_rpc(attacker: Attacker) -> None:
    stream = await attacker.stream()
    await stream.write(varint(64 * 1024 * 1024) + bytes(100_000))


async def endless_length(attacker: Attacker) -> None:
    stream = await attacker.stream()
    await stream.write(b"\xff" * 64)


async def half_an_rpc(attacker: Attacker) -> None:
    stream = await attacker.stream()
    await stream.write(varint(1000) + bytes(10))
    await stream.reset()


async def many_subscriptions(attacker: Attacker) -> None:
    await attacker.send(*(subscribe(*(f"{n}/{i}" for i in range(9000))) for n in range(5)))


async def coming_and_going(attacker: Attacker) -> None:
    opinions = [
        rpc_pb2.RPC.SubOpts(subscribe=number % 2 == 0, topicid=CONSENTS) for number in range(5000)
    ]
    await attacker.send(rpc_pb2.RPC(subscriptions=opinions).SerializeToString())


async def many_messages(attacker: Attacker) -> None:
    message = rpc_pb2.Message(topicIDs=[CONSENTS])
    await attacker.send(publish(*[message] * 20_000))


async def many_topics_pruned(attacker: Attacker) -> None:
    names = [f"topic {n}" for n in range(20_000)]
    await attacker.send(
        control(prune=[rpc_pb2.ControlPrune(topicID=n, backoff=2**62) for n in names]),
        control(graft=[rpc_pb2.ControlGraft(topicID=n) for n in names]),
        control(ihave=[rpc_pb2.ControlIHave(topicID=n, messageIDs=[b"x"]) for n in names]),
    )


async def many_messages_offered(attacker: Attacker) -> None:
    ids = [os.urandom(40) for _ in range(20_000)]
    await attacker.send(control(ihave=[rpc_pb2.ControlIHave(topicID=CONSENTS, messageIDs=ids)]))


PACKETS: list[tuple[Attack, str]] = [  # and what the victim counts
    (garbage, "streams_malformed"),
    (key_that_is_none, "messages_malformed"),
    (nobody_wrote_it, "messages_malformed"),
    (no_signature, ""),
    (another_signature, ""),
    (topic_that_is_no_text, ""),
    (two_topics, "messages_malformed"),
    (empty_frame, "messages_malformed"),
    (large_frame, "messages_malformed"),
    (record_that_is_none, ""),
    (oversized_rpc, ""),
    (endless_length, ""),
    (half_an_rpc, ""),
    (many_subscriptions, ""),
    (coming_and_going, ""),
    (many_messages, "frames_dropped_inbound"),
    (many_topics_pruned, ""),
    (many_messages_offered, ""),
]


# Streams and connections.


async def protocol_that_is_none(attacker: Attacker) -> None:
    stream = await attacker.host.get_network().new_stream(attacker.victim)
    await stream.write(os.urandom(1000))


async def request_of_endless_length(attacker: Attacker) -> None:
    stream = await attacker.stream("/sayso/sync/1")
    await stream.write(b"\xff" * 64)


async def request_announced_too_large(attacker: Attacker) -> None:
    stream = await attacker.stream("/sayso/sync/1")
    await stream.write(varint(2**34))


async def request_broken_off(attacker: Attacker) -> None:
    stream = await attacker.stream("/sayso/sync/1")
    await stream.write(varint(1000) + b"half")
    await stream.reset()


async def many_streams(attacker: Attacker) -> None:
    for _ in range(300):
        await attacker.host.get_network().new_stream(attacker.victim)


async def garbage_below_the_streams(attacker: Attacker) -> None:
    (connection,) = attacker.host.get_network().get_connections(attacker.victim)
    await connection.muxed_conn.secured_conn.write(os.urandom(5000))  # type: ignore[attr-defined]


STREAMS: list[tuple[Attack, str]] = [
    (protocol_that_is_none, ""),
    (request_of_endless_length, "streams_failed"),
    (request_announced_too_large, "streams_failed"),
    (request_broken_off, "streams_failed"),
    (many_streams, "streams_refused"),
    (garbage_below_the_streams, ""),
]


async def mute_listener(attacker: Attacker) -> None:
    """Subscribe and join the mesh; an attacker reads nothing of what comes."""
    graft = [rpc_pb2.ControlGraft(topicID=CONSENTS)]
    await attacker.send(subscribe(CONSENTS), control(graft=graft))


def referral(port: int) -> bytes:
    """A PRUNE that sends the victim to an address of the attacker's choice."""
    keys = create_new_key_pair(os.urandom(32))
    peer = ID.from_pubkey(keys.public_key)
    record = create_signed_peer_record(peer, [Multiaddr(f"/ip4/127.0.0.1/tcp/{port}")], keys.private_key)
    other = rpc_pb2.PeerInfo(peerID=peer.to_bytes(), signedPeerRecord=record.marshal_envelope())
    return control(prune=[rpc_pb2.ControlPrune(topicID=CONSENTS, peers=[other])])


def tcp(port: int, source: str = "127.0.0.1") -> socket.socket:
    """A bare TCP connection from a loopback address of one's choice."""
    return socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S, source_address=(source, 0))
