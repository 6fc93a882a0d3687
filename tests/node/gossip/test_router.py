"""What a peer may ask the router for is bounded by what it reads."""

import os
from collections import Counter

import trio
from libp2p.peer.id import ID
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.rpc_queue import RpcQueue

from node.gossip.harness import CONSENTS, configuration
from sayso_node.gossip.host.host import GossipHost
from sayso_node.gossip.host.router import MAX_UNREAD, MAX_WANTED

FRAME_BYTES = 64 * 1024
ASKED = 40


def ignore(_peer: str, _connected: bool) -> None:
    """Nobody connects."""


def test_who_reads_nothing_is_not_answered_without_end() -> None:
    host = GossipHost.build(configuration(1, []), Counter(), ignore)
    messages = [
        rpc_pb2.Message(
            data=os.urandom(FRAME_BYTES), topicIDs=[CONSENTS], from_id=b"\xff", seqno=bytes([number])
        )
        for number in range(MAX_WANTED)
    ]
    for message in messages:
        host.router.mcache.put(message)
    mute = ID(b"mute")
    queue = host.pubsub.peer_queues[mute] = RpcQueue()
    wanted = rpc_pb2.ControlIWant(messageIDs=[one.from_id + one.seqno for one in messages])

    async def ask(times: int) -> int:
        for _ in range(times):
            await host.router.handle_iwant(wanted, mute)
        return len(queue)

    assert 0 < (once := trio.run(ask, 1)) < MAX_UNREAD
    assert trio.run(ask, ASKED) < MAX_UNREAD + once

    async def read() -> None:
        while len(queue):
            await queue.pop()

    trio.run(read)
    assert trio.run(ask, 1) == once
