"""The gossip process: `python -m sayso_node.gossip.child FD`, spawned by life.py only.

It learns everything from the socket FD and ends when that closes, even when trio no longer turns.
SIGINT and SIGTERM are the parent's business.
"""

import logging
import os
import resource
import select
import signal
import socket
import sys
import threading
from collections import Counter
from random import Random
from typing import Final

import trio

from sayso_node.errors import GossipDown
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.frame_validator import Judge
from sayso_node.gossip.host.host import Node
from sayso_node.gossip.ipc.parent import Parent
from sayso_node.gossip.outbox import Outbox
from sayso_node.gossip.peers.discovery import Discovery
from sayso_node.gossip.requests import Requests
from sayso_protocol.errors import Malformed

TALLY_EVERY_S: Final = 0.5
GRACE_S: Final = 3.0  # from the closed socket to the end by force


class Child:
    """Child does what the node asks and tells it what peers say."""

    def __init__(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        self.parent = Parent(stream, self._serve)
        self._nursery = nursery
        self._tally: Counter[str] = Counter()
        self._answer_s = 0.0
        self._parts: tuple[Node, Outbox, Requests] | None = None

    async def _serve(self, method: str, arguments: list[object]) -> object:
        match method, arguments:
            case "probe", []:
                return None
            case "run", [dict(values)]:
                return await self._run(GossipConfig.from_wire(values))
            case "publish", [str(topic), bytes(frame)]:
                return self._publish(topic, frame)
            case "request", [str(peer), str(protocol), bytes(body), float(timeout_s)]:
                return await self._running()[2].send(peer, protocol, body, timeout_s)
        raise Malformed(f"no such call: {method}")

    def _running(self) -> tuple[Node, Outbox, Requests]:
        if self._parts is None:
            raise GossipDown("the gossip process is not configured yet")
        return self._parts

    def _publish(self, topic: str, frame: bytes) -> int:
        node, outbox, _ = self._running()
        outbox.put(topic, frame)
        return len(node.pubsub.peer_topics.get(topic, ()))

    async def _run(self, config: GossipConfig) -> list[str]:
        _limit(resource.RLIMIT_DATA, config.max_memory_bytes)
        _limit(resource.RLIMIT_NOFILE, config.max_files)
        send, receive = trio.open_memory_channel[list[str] | GossipDown](1)
        self._nursery.start_soon(self._libp2p, config, send)
        outcome = await receive.receive()
        if isinstance(outcome, GossipDown):
            raise outcome
        return outcome

    async def _libp2p(
        self, config: GossipConfig, outcome: trio.MemorySendChannel[list[str] | GossipDown]
    ) -> None:
        node = Node.build(config, self._tally, self._tell_peer)
        outbox = Outbox(config, node.pubsub.publish, node.pubsub.peer_queues, self._tally)
        requests = Requests(node.host, config, node.dialer.reach, self._tally)
        requests.serve(self._ask)
        Judge(self.parent, node.pubsub, config, self._tally, node.blame).sit()
        self._answer_s = config.answer_s
        discovery = Discovery(
            *(node.network, node.dialer, requests, config, self._tally),
            Random(),  # noqa: S311  # whom to ask first is no secret
            self.parent.tell,
        )
        async with node.running(), trio.open_nursery() as nursery:
            try:
                addresses = await node.listen()
            except GossipDown as error:
                outcome.send_nowait(error)
                return
            self._parts = node, outbox, requests
            if config.discovered_peers:
                discovery.begin(addresses)
                nursery.start_soon(discovery.run)
            nursery.start_soon(outbox.run)
            nursery.start_soon(node.dialer.run)
            nursery.start_soon(self._report)
            outcome.send_nowait(addresses)

    async def _ask(self, protocol: str, body: bytes, peer: str) -> bytes:
        answer = await self.parent.call("request", protocol, body, peer, timeout_s=self._answer_s)
        if not isinstance(answer, bytes):
            raise GossipDown("the node gave no answer")
        return answer

    async def _tell_peer(self, peer: str, connected: bool) -> None:  # noqa: FBT001
        await self.parent.tell("peer", peer, connected)

    async def _report(self) -> None:
        last: dict[str, int] = {}
        while True:
            await trio.sleep(TALLY_EVERY_S)
            if last != self._tally:
                last = dict(self._tally)
                await self.parent.tell("tally", last)


async def _main(end: socket.socket) -> None:
    stream = trio.SocketStream(trio.socket.from_stdlib_socket(end))
    async with trio.open_nursery() as nursery:
        child = Child(stream, nursery)
        await child.parent.run()
        nursery.cancel_scope.cancel()


def _limit(what: int, most: int) -> None:
    """Take no more of something than this, nor than was allowed already; 0 is no limit."""
    _, hard = resource.getrlimit(what)
    if most and not 0 <= hard < most:  # RLIM_INFINITY is negative
        resource.setrlimit(what, (most, hard))


def _die_with_parent(descriptor: int) -> None:
    poller = select.poll()
    poller.register(descriptor, getattr(select, "POLLRDHUP", select.POLLHUP))
    poller.poll()
    threading.Event().wait(GRACE_S)
    os._exit(1)


def main() -> None:
    """Serve the parent on the socket whose descriptor is the only argument."""
    descriptor = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # py-libp2p logs a line or a traceback for much of what strangers send: that would fill disks.
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger().handlers[0].addFilter(logging.Filter("sayso_node"))
    logging.lastResort = None
    threading.Thread(target=_die_with_parent, args=(descriptor,), daemon=True).start()
    trio.run(_main, socket.socket(fileno=descriptor))


if __name__ == "__main__":
    main()
