"""Starts, configures, watches and stops one gossip child process.

The child inherits its end of a socket pair as a descriptor; no secret is in its arguments or
environment. It runs in a session of its own, so a Ctrl-C for the node does not reach it, and it dies
when the socket closes, however the node ends.
"""

import asyncio
import socket
from asyncio.subprocess import DEVNULL, Process
from typing import Final, Self

from sayso_node.errors import GossipDown
from sayso_node.gossip.config import GossipConfig
from sayso_node.gossip.ipc.channel import Channel, Serve
from sayso_node.supervision.children import start_module
from sayso_node.supervision.logs import logger
from sayso_protocol.errors import SaysoError

MISSES: Final = 2  # a single miss may be ours: a blocked loop can time out before it reads the answer

_log = logger(__name__)


class ChildProcess:
    """ChildProcess is one running child."""

    def __init__(self, process: Process, channel: Channel, config: GossipConfig) -> None:
        self._process = process
        self._config = config
        self._reading = asyncio.create_task(channel.run())
        self.channel = channel
        self.is_silent = False  # it owes an answer for longer than it may

    @classmethod
    async def start(cls, config: GossipConfig, serve: Serve) -> Self:
        """Start a child, which does nothing before `configure`."""
        ours, theirs = socket.socketpair()
        with theirs:
            channel = await Channel.over(ours, serve)
            try:
                process = await start_module(
                    "sayso_node.gossip.child",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdout=DEVNULL,
                    start_new_session=True,
                )
            except BaseException:
                await channel.close()
                raise
        return cls(process, channel, config)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    async def configure(self, listen: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
        """Make the child listen and dial; returns its listening addresses. Raises GossipDown."""
        values = self._config.to_wire() | {"listen": listen, "known": known}
        answer = await self.channel.call("run", values, timeout_s=self._config.start_s)
        if not isinstance(answer, list):
            raise GossipDown("the gossip process did not report its listening addresses")
        return [str(address) for address in answer]

    async def watch(self) -> None:
        """Return when the child is dead or no longer answers."""
        missed = 0
        while not self._reading.done() and missed < MISSES:
            missed = 0 if await self._answers() else missed + 1
            await asyncio.wait([self._reading], timeout=self._config.probe_every_s)

    async def _answers(self) -> bool:
        """Return whether the child answers in time; before that time is over it is called silent."""
        probe = asyncio.create_task(self.channel.call("probe", timeout_s=self._config.probe_s))
        try:
            await asyncio.wait({probe, self._reading}, timeout=self._config.silent_s)
            if not probe.done():
                self.is_silent = True
                _log.warning("gossip-silent")
            await probe
        except SaysoError:
            return False
        finally:
            probe.cancel()
        self.is_silent = False
        return True

    async def stop(self) -> None:
        """Close the socket and return when the process has ended; kill it if necessary."""
        try:
            await self.channel.close()
            async with asyncio.timeout(self._config.stop_s):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
