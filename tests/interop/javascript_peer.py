"""The peer in JavaScript as tests see it: a process that is told commands, and tells events."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sayso_protocol.network import Network
from support.waiting import until

FOLDER = Path(__file__).parent


class JavaScriptPeer:
    """The process, what it said, and what it is told."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._events: list[dict[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def running(
        cls, place: Network, *address: str, listen: str = "/ip4/127.0.0.1/tcp/0"
    ) -> AsyncIterator["JavaScriptPeer"]:
        """Start it in a network; it dials the address, if any, and is ready once it is connected."""
        assert (FOLDER / "node_modules/libp2p").is_dir(), "run `make interop`"
        process = await asyncio.create_subprocess_exec(
            # Node 20 has WebSocket behind this flag. That of `ws` loses what comes along with the answer
            # to an upgrade, while libp2p is not listening yet.
            *("node", "--experimental-websocket", "--import", "./peer/polyfill.js", "peer/peer.js"),
            *(str(place.chain_id), "0x" + place.registry.hex(), listen, *address),
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
