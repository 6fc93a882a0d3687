"""When sync runs: with every connected peer, on connect and on a timer."""

import asyncio

from sayso_node.interfaces import Network
from sayso_node.sync.asking import SyncRounds


class SyncLoop:
    """Runs rounds for ever, one at a time for each peer."""

    def __init__(self, network: Network, rounds: SyncRounds, interval_s: float) -> None:
        self._network = network
        self._rounds = rounds
        self._interval_s = interval_s
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Begin a round now: a peer has connected."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._wake.clear()
            peers = await self._network.peers()
            connected = [peer.peer_id for peer in peers if peer.connected]
            await asyncio.gather(*(self._rounds.round(peer_id) for peer_id in connected))
            try:
                async with asyncio.timeout(self._interval_s):
                    await self._wake.wait()
            except TimeoutError:
                continue
