"""A peer in JavaScript, written from docs/protocol.md alone, is a peer like any other."""

import asyncio
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from node.gossip.harness import until
from sayso_protocol.envelope import Envelope
from support.gossiping import GossipingNode
from support.node_rig import consent, revocation

FOLDER = Path(__file__).parent


class JavaScriptPeer:
    """The process, what it said, and what it is told."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._events: list[dict[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def dialling(cls, node: GossipingNode) -> AsyncIterator["JavaScriptPeer"]:
        assert (FOLDER / "node_modules/libp2p").is_dir(), "run `make interop`"
        (address,) = await node.network.listen_addresses()
        process = await asyncio.create_subprocess_exec(
            *("node", "--import", "./peer/polyfill.js", "peer/peer.js"),
            *(str(node.place.chain_id), "0x" + node.place.registry.hex(), address),
            cwd=FOLDER,
            stdin=PIPE,
            stdout=PIPE,
        )
        peer = cls(process)
        reading = asyncio.create_task(peer._read())
        try:
            yield peer
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
            await reading

    async def _read(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self._events.append(json.loads(line))

    def said(self, event: str, **values: object) -> dict[str, Any] | None:
        """An event with these values, once it came."""
        failed = [one for one in self._events if one["event"] in ("failed", "refused")]
        assert not failed
        assert self._process.returncode is None
        wanted = {"event": event, **values}.items()
        return next((one for one in self._events if wanted <= one.items()), None)

    async def hears(self, event: str, **values: object) -> dict[str, Any]:
        await until(lambda: self.said(event, **values))
        found = self.said(event, **values)
        assert found
        return found

    async def do(self, event: str, command: str, **values: object) -> dict[str, Any]:
        """Tell it something; what it says then."""
        self._events = [one for one in self._events if one["event"] != event]
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"command": command, **values}).encode() + b"\n")
        return await self.hears(event)


async def _arrives(node: GossipingNode, peer: JavaScriptPeer, message: Envelope) -> None:
    """The first time, perhaps nobody has subscribed yet; gossip does not repair that."""

    async def heard() -> bool:
        await node.publish(message)
        return peer.said("heard", digest="0x" + message.digest.hex()) is not None

    await until(heard)


async def test_a_peer_in_javascript(tmp_path: Path) -> None:
    async with GossipingNode.running(tmp_path) as node, JavaScriptPeer.dialling(node) as peer:
        name = (await peer.hears("ready"))["peer"]

        # Gossip, ours to it: checked there, signatures and all.
        now = int(time.time())
        dates: dict[str, Any] = {"issued_at": now - 60, "expires_at": now + 86_400}
        ours = consent(1, count=3, **dates)
        taken_back = revocation("everything for resale")
        for one in (ours, taken_back):
            await node.hand_in(one)
            await _arrives(node, peer, one)

        # Gossip, its to us: signed by viem, sponsored by its own key.
        made = await peer.do("made", "make", name="alice", publish=True)
        for digest in (made["consent"], made["revocation"]):
            await until(lambda digest=digest: node.holds(digest))  # type: ignore[misc]

        # Sync, both ways: what neither published.
        hidden = await peer.do("made", "make", name="bob", publish=False)
        kept = consent(2, **dates)
        await node.hand_in(kept, publish=False)
        assert (await peer.do("compared", "compare"))["equal"] is False
        assert await node.rounds.round(name)
        assert node.holds(hidden["consent"])
        assert node.holds(hidden["revocation"])
        await peer.hears("offered", digest="0x" + kept.digest.hex())
        assert (await peer.do("compared", "compare"))["equal"] is True

        # And it is told of peers: of the one that it asks.
        assert (await peer.do("peers", "peers"))["told"] == await node.network.listen_addresses()
