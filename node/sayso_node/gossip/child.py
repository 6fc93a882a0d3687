"""The gossip process: `python -m sayso_node.gossip.child FD`, started by child_process.py only.

It gets its configuration over the socket FD and ends when the socket closes, even if trio hangs. It
ignores SIGINT and SIGTERM, which its parent handles.
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

from sayso_contracts.start.collector import collector_off

with collector_off():  # libp2p consists of hundreds of modules
    import trio

    from sayso_node.errors import GossipDown
    from sayso_node.gossip.config import GossipConfig
    from sayso_node.gossip.frame_validator import FrameValidator
    from sayso_node.gossip.host.host import GossipHost
    from sayso_node.gossip.ipc.channel import Channel
    from sayso_node.gossip.outbox import Outbox
    from sayso_node.gossip.peers.discovery import Discovery
    from sayso_node.gossip.requests import Requests
    from sayso_node.supervision.logs import set_up_log
    from sayso_protocol.errors import Malformed

TALLY_EVERY_S: Final = 0.5
GRACE_S: Final = 3.0  # from the closing of the socket until the process is killed


class Child:
    """Child runs libp2p for the node and reports frames, requests and connections to it."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._tally: Counter[str] = Counter()
        self._answer_s = 0.0
        self._parts: tuple[GossipHost, Outbox, Requests] | None = None

    async def run(self, end: socket.socket) -> None:
        """Serve the node until the socket closes."""
        self._node = await Channel.over(end, self._serve)
        await self._node.run()

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
        raise Malformed(f"there is no call {method}")

    def _running(self) -> tuple[GossipHost, Outbox, Requests]:
        if self._parts is None:
            raise GossipDown("the gossip process is not configured yet")
        return self._parts

    def _publish(self, topic: str, frame: bytes) -> int:
        host, outbox, _ = self._running()
        outbox.put(topic, frame)
        return len(host.pubsub.peer_topics.get(topic, ()))

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
        host = GossipHost.build(config, self._tally, self._tell_peer)
        outbox = Outbox(config, host.pubsub.publish, host.pubsub.peer_queues, self._tally)
        requests = Requests(host.host, config, host.dialer.reach, self._tally)
        requests.serve(self._ask)
        FrameValidator(self._node, host.pubsub, config, self._tally, host.penalize).install()
        self._answer_s = config.answer_s
        discovery = Discovery(
            *(host.swarm, host.dialer, requests, config, self._tally),
            Random(),  # noqa: S311  # the choice of peers is not secret
            self._node.tell,
        )
        async with host.running(), trio.open_nursery() as nursery:
            try:
                addresses = await host.listen()
            except GossipDown as error:
                outcome.send_nowait(error)
                return
            self._parts = host, outbox, requests
            if config.discovered_peers:
                discovery.begin(addresses)
                nursery.start_soon(discovery.run)
            nursery.start_soon(outbox.run)
            nursery.start_soon(host.dialer.run)
            nursery.start_soon(self._report)
            outcome.send_nowait(addresses)

    async def _ask(self, protocol: str, body: bytes, peer: str) -> bytes:
        channel = self._node.make_room()
        answer = await channel.call("request", protocol, body, peer, timeout_s=self._answer_s)
        if not isinstance(answer, bytes):
            raise GossipDown("the node gave no answer")
        return answer

    def _tell_peer(self, peer: str, connected: bool) -> None:  # noqa: FBT001
        self._node.tell("peer", peer, connected)

    async def _report(self) -> None:
        last: dict[str, int] = {}
        while True:
            await trio.sleep(TALLY_EVERY_S)
            if last != self._tally:
                last = dict(self._tally)
                self._node.tell("tally", last)


async def _main(end: socket.socket) -> None:
    async with trio.open_nursery() as nursery:
        await Child(nursery).run(end)
        nursery.cancel_scope.cancel()


def _limit(what: int, most: int) -> None:
    """Lower a resource limit to `most`, never raise it; 0 sets no limit."""
    _, hard = resource.getrlimit(what)
    if most and not 0 <= hard < most:  # RLIM_INFINITY is negative
        resource.setrlimit(what, (most, hard))


def _die_with_parent(descriptor: int) -> None:
    poller = select.poll()
    poller.register(descriptor, getattr(select, "POLLRDHUP", select.POLLHUP))
    poller.poll()
    threading.Event().wait(GRACE_S)
    os._exit(1)


def quieten() -> None:
    """Log our own lines only: what py-libp2p logs of strangers, with tracebacks, would fill disks."""
    set_up_log(verbose=False)
    logging.getLogger().handlers[0].addFilter(logging.Filter("sayso_node"))
    logging.getLogger("libp2p").addHandler(logging.NullHandler())  # it hands on nothing to the root
    logging.lastResort = None


def main() -> None:
    """Serve the parent on the socket whose descriptor is the only argument."""
    descriptor = int(sys.argv[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    quieten()
    threading.Thread(target=_die_with_parent, args=(descriptor,), daemon=True).start()
    trio.run(_main, socket.socket(fileno=descriptor))


if __name__ == "__main__":
    main()
