"""The gauges of a node: what each is called, what it means, and from what it is read.

Units are suffixes of names, as Prometheus wants them. Labels have values from lists of ours, or are the
peers of the settings, of which at most MOST_PEERS are shown.
"""

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from sayso_node.errors import StoreUnusable
from sayso_node.freshness import NEVER, Freshness
from sayso_node.interfaces import Clock, PeerState
from sayso_node.readiness import Readiness
from sayso_node.store import queues
from sayso_node.store.chain import chain_state, intents
from sayso_node.store.interface import Store
from sayso_node.store.opening import size_of
from sayso_node.supervision.alarms import NAMES, Alarms

MOST_PEERS: Final = 64
WEI: Final = 10**18  # in an ether
GAUGES: Final = {
    "build_info": "Always 1; the labels are the version of Sayso and of Python.",
    "ready": "1 while the node is ready, as /readyz says.",
    "unready": "1 for each reason why the node is not ready.",
    "alarm": "1 while the alarm is active",
    "part_up": "1 while the part of the node runs.",
    "chain_head_block": "Height of the newest block that the endpoint knows.",
    "chain_lag_blocks": "Blocks between the newest one and the one up to which events were read.",
    "chain_head_age_seconds": "Age of the newest block that was read to its end.",
    "chain_read_age_seconds": "Seconds since the last complete reading of the chain began.",
    "clock_offset_seconds": "How far this machine's clock is ahead of those of its peers.",
    "peers": "Number of peers: configured, connected, or discovered and connected.",
    "peer_connected": "1 while the configured peer is connected.",
    "peer_synced_timestamp_seconds": "When the last complete round with a configured peer began.",
    "queue_length": f"Rows that wait in the store, counted up to {queues.MOST_COUNTED}.",
    "store_bytes": "Size of the store's files.",
    "disk_free_bytes": "Free space on the disk of the node's folder.",
    "disk_size_bytes": "Size of the disk of the node's folder.",
    "account_balance_ether": "Last known balance of the account that pays.",
    "budget_ether": "Most that anchors and relays may cost in a day.",
    "spent_ether": "Cost of anchors and relays in the last day.",
    "budget_left_seconds": "How long the balance lasts if every day costs the whole budget.",
}


class Sample(NamedTuple):
    """A value of a gauge, without the prefix, and its labels."""

    name: str
    value: float
    labels: Mapping[str, str] = {}


class Money(NamedTuple):
    """What a node that pays has, in wei; the balance is None before it was asked for."""

    balance: int | None
    budget: int


class Gauges:
    """Reads all gauges at once; what cannot be read at the moment is left out."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        alarms: Alarms,
        readiness: Readiness,
        parts_up: Callable[[], Mapping[str, bool]],
        money: Callable[[], Money | None],
    ) -> None:
        self._folder = folder
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._alarms = alarms
        self._readiness = readiness
        self._parts_up = parts_up
        self._money = money

    def known(self, peers: list[PeerState]) -> Iterator[Sample]:
        """Yield what the process knows."""
        labels = {"version": version("sayso"), "python": platform.python_version()}
        yield Sample("build_info", 1, labels)
        yield from self._states()
        yield from self._chain()
        yield from self._peers(peers)

    def stored(self) -> Iterator[Sample]:
        """Yield what store and disk know; usable in any thread."""
        yield from self._stored()
        yield from self._disk()
        yield from self._paying()

    def _states(self) -> Iterator[Sample]:
        reasons = self._readiness.reasons()
        yield Sample("ready", not reasons)
        for one in reasons:
            yield Sample("unready", 1, {"reason": one.code})
        active = self._alarms.active()
        for name in NAMES:
            yield Sample("alarm", name in active, {"name": name})
        for name, is_up in self._parts_up().items():
            yield Sample("part_up", is_up, {"part": name})

    def _chain(self) -> Iterator[Sample]:
        freshness, now = self._freshness, self._clock.now()
        if freshness.head_seen is not None:
            yield Sample("chain_head_block", freshness.head_seen)
        if freshness.chain_begun != NEVER:
            yield Sample("chain_head_age_seconds", now - freshness.head.time)
            yield Sample("chain_read_age_seconds", now - freshness.chain_begun)
        if freshness.clock_offset is not None:
            yield Sample("clock_offset_seconds", freshness.clock_offset)

    def _peers(self, peers: list[PeerState]) -> Iterator[Sample]:
        rounds = self._freshness.rounds()
        connected = {one.peer_id for one in peers if one.connected}
        counts = {
            "configured": len(rounds),
            "connected": len(connected),
            "discovered": len(connected - rounds.keys()),
        }
        for state, count in counts.items():
            yield Sample("peers", count, {"state": state})
        for peer in sorted(rounds)[:MOST_PEERS]:
            yield Sample("peer_connected", peer in connected, {"peer": peer})
            yield Sample("peer_synced_timestamp_seconds", max(rounds[peer], 0.0), {"peer": peer})

    def _stored(self) -> Iterator[Sample]:
        try:
            with self._store.read() as db:
                lengths, read = queues.lengths(db), chain_state.newest(db)
        except StoreUnusable:
            return
        for queue, length in lengths.items():
            yield Sample("queue_length", length, {"queue": queue})
        if read and self._freshness.head_seen is not None:
            yield Sample("chain_lag_blocks", max(self._freshness.head_seen - read.number, 0))

    def _disk(self) -> Iterator[Sample]:
        try:
            size, disk = size_of(self._store.location), shutil.disk_usage(self._folder)
        except OSError:
            return
        if size is not None:
            yield Sample("store_bytes", size)
        yield Sample("disk_free_bytes", disk.free)
        yield Sample("disk_size_bytes", disk.total)

    def _paying(self) -> Iterator[Sample]:
        money = self._money()
        if money is None:
            return
        yield Sample("budget_ether", money.budget / WEI)
        try:
            with self._store.read() as db:
                yield Sample("spent_ether", intents.spent(db, self._clock.now()) / WEI)
        except StoreUnusable:
            pass
        if money.balance is not None:
            yield Sample("account_balance_ether", money.balance / WEI)
            if money.budget:
                yield Sample("budget_left_seconds", intents.DAY_S * money.balance / money.budget)
