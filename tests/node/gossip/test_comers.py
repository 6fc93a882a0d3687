"""Nothing is kept of a peer that has gone: identities cost nothing, so a stranger has any number."""

import os
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import trio
from libp2p.host.ping import ID as PING
from libp2p.host.ping import perform_ping_roundtrip
from libp2p.pubsub.pb import rpc_pb2

from node.gossip import hostile
from node.gossip.harness import CONSENTS, configuration
from sayso_node.gossip.host.host import GossipHost
from support.waiting import DEADLINE_S

COMERS = 3
ENDS_BY_TIME = {"pubsub.seen_messages.cache"}  # after SEEN_S
OURS = ("libp2p", "sayso_node", "cachetools")
DEPTH = 8


def sizes(what: Any, name: str, seen: set[int], depth: int = DEPTH) -> Iterator[tuple[str, int]]:
    """The containers below an object of ours, by name, and how much each has."""
    if id(what) in seen or not depth:
        return
    seen.add(id(what))
    if isinstance(what, dict | set | list | deque):
        yield name, len(what)
    inside = dict(what) if isinstance(what, dict) else getattr(what, "__dict__", {})
    if isinstance(what, dict) or type(what).__module__.split(".")[0] in OURS:
        for key, value in list(inside.items()):
            yield from sizes(getattr(value, "__self__", value), f"{name}.{key}", seen, depth - 1)


def kept(host: GossipHost) -> dict[str, int]:
    seen = {id(host.config)}
    parts = ("pubsub", "router", "swarm", "host", "dialer", "score")
    return dict(pair for part in parts for pair in sizes(getattr(host, part), part, seen))


async def come_and_go(address: str) -> None:
    """Say a little of everything, and leave."""
    async with hostile.connected(address) as comer:
        await comer.send(
            hostile.subscribe(CONSENTS),
            hostile.control(graft=[rpc_pb2.ControlGraft(topicID=CONSENTS)]),
            hostile.control(ihave=[rpc_pb2.ControlIHave(topicID=CONSENTS, messageIDs=[b"x"])]),
            hostile.control(iwant=[rpc_pb2.ControlIWant(messageIDs=[os.urandom(40)])]),
            hostile.control(prune=[rpc_pb2.ControlPrune(topicID=CONSENTS, backoff=1)]),
            hostile.publish(comer.message(b"")),
        )
        await perform_ping_roundtrip(await comer.stream(PING))
        await comer.host.disconnect(comer.victim)


def test_nothing_is_kept_of_peers_that_have_gone() -> None:
    gone: list[str] = []

    def tell(peer: str, connected: bool) -> None:
        if not connected:
            gone.append(peer)

    async def main() -> None:
        host = GossipHost.build(configuration(1, []), Counter(), tell)
        async with host.running():
            (address,) = await host.listen()
            address = f"{address}/p2p/{host.host.get_id()}"
            await come_and_go(address)
            before = kept(host)
            for _ in range(COMERS):
                await come_and_go(address)
            with trio.fail_after(DEADLINE_S):
                while (  # noqa: ASYNC110  # the library has no event for this
                    len(gone) < COMERS + 1 or grown(before, host)
                ):
                    await trio.sleep(0.1)

    def grown(before: dict[str, int], host: GossipHost) -> set[str]:
        host.tidy()
        now = kept(host)
        return {name for name in now if now[name] >= before.get(name, 0) + COMERS} - ENDS_BY_TIME

    trio.run(main)
