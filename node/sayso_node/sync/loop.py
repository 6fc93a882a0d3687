"""Schedules sync rounds with every connected peer, on connect and on a timer.

A peer whose rounds fail and bring nothing is asked less and less often, so that a dishonest one costs
little; after a successful round it is treated like any other.
"""

import asyncio
from collections.abc import Collection

from sayso_node.interfaces import Transport
from sayso_node.supervision.retrying import backoff, every
from sayso_node.sync.asking import SyncRounds

MOST_RESTS = 32  # turns that a peer is skipped after many failed rounds


class SyncLoop:
    """Runs rounds until cancelled, one at a time per peer; a slow peer does not delay others."""

    def __init__(self, transport: Transport, rounds: SyncRounds, interval_s: float) -> None:
        self._transport = transport
        self._rounds = rounds
        self._interval_s = interval_s
        self._woken = asyncio.Event()
        self._come: set[str] = set()  # connected since the last turn
        self._busy: set[str] = set()
        self._again: set[str] = set()  # connected again during their round
        self._failures: dict[str, int] = {}  # failed rounds in a row
        self._rests: dict[str, int] = {}  # turns to skip

    def wake(self, peer_id: str) -> None:
        """Start a round with a peer that has connected; the turns of other peers do not change."""
        self._come.add(peer_id)
        self._woken.set()

    async def run(self) -> None:
        """Run rounds until cancelled."""
        async with asyncio.TaskGroup() as rounds:
            async for is_turn in every(self._interval_s, self._woken):
                come, self._come = self._come, set()
                connected = {peer.peer_id for peer in await self._transport.peers() if peer.connected}
                self._forget_all_but(connected)
                self._again |= come & self._busy
                for peer_id in sorted(connected - self._busy):
                    if peer_id in come or (is_turn and self._has_its_turn(peer_id)):
                        self._busy.add(peer_id)
                        rounds.create_task(self._round(peer_id))

    def _forget_all_but(self, connected: Collection[str]) -> None:
        """Forget peers that have gone: identities cost nothing, so there may be any number."""
        for noted in (self._failures, self._rests):
            for gone in noted.keys() - connected:
                del noted[gone]

    def _has_its_turn(self, peer_id: str) -> bool:
        """Return whether a peer is due; a skipped turn is counted."""
        rests = self._rests.get(peer_id, 0)
        if rests:
            self._rests[peer_id] = rests - 1
        return not rests

    async def _round(self, peer_id: str) -> None:
        try:
            is_complete = await self._rounds.round(peer_id)
            self._note(peer_id, given=self._rounds.has_moved(peer_id) or is_complete)
        finally:
            self._busy.discard(peer_id)
            if peer_id in self._again:
                self._again.discard(peer_id)
                self.wake(peer_id)

    def _note(self, peer_id: str, *, given: bool) -> None:
        if given:
            self._failures.pop(peer_id, None)
            self._rests.pop(peer_id, None)
            return
        failures = self._failures[peer_id] = self._failures.get(peer_id, 0) + 1
        self._rests[peer_id] = int(backoff(1, failures, MOST_RESTS + 2)) - 2
