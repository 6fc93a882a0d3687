"""When sync runs: with every connected peer, on connect and on a timer.

A peer whose rounds break off is asked less and less often, so that a liar costs little; once it gives
what it shows, or somebody has connected, it is as good as any other.
"""

import asyncio
import contextlib

from sayso_node.interfaces import Network
from sayso_node.sync.asking import SyncRounds

MOST_RESTS = 32  # turns that a peer is passed over after many rounds that broke off


class SyncLoop:
    """Runs rounds for ever, one at a time for each peer; a slow peer holds up nobody else."""

    def __init__(self, network: Network, rounds: SyncRounds, interval_s: float) -> None:
        self._network = network
        self._rounds = rounds
        self._interval_s = interval_s
        self._wake = asyncio.Event()
        self._busy: set[str] = set()
        self._again: set[str] = set()  # came back while their round was under way
        self._failures: dict[str, int] = {}  # rounds in a row
        self._rests: dict[str, int] = {}  # turns to pass over

    def wake(self) -> None:
        """Begin a round now: a peer has connected."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as rounds:
            while True:
                woken = self._wake.is_set()
                self._wake.clear()
                connected = {peer.peer_id for peer in await self._network.peers() if peer.connected}
                if woken:
                    self._again |= connected & self._busy
                for peer_id in sorted(connected - self._busy):
                    if not woken and self._rests.get(peer_id, 0):
                        self._rests[peer_id] -= 1
                        continue
                    self._busy.add(peer_id)
                    rounds.create_task(self._round(peer_id))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._interval_s):
                        await self._wake.wait()

    async def _round(self, peer_id: str) -> None:
        try:
            self._note(peer_id, given=await self._rounds.round(peer_id))
        finally:
            self._busy.discard(peer_id)
            if peer_id in self._again:
                self._again.discard(peer_id)
                self._wake.set()

    def _note(self, peer_id: str, *, given: bool) -> None:
        if given:
            self._failures.pop(peer_id, None)
            self._rests.pop(peer_id, None)
            return
        failures = self._failures[peer_id] = self._failures.get(peer_id, 0) + 1
        self._rests[peer_id] = min(2 ** min(failures, 16) - 2, MOST_RESTS)
