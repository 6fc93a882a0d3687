"""The table of discovered peers: addresses heard of, addresses verified, and the choice among them.

It implements rules 14.3 to 14.7 without I/O; clock and random numbers are passed in. A *heard* address
comes from a peer; it is *met* once the peer there has proved its identity. Only met peers are connected
to and named to others.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.network_groups import can_be_dialled, group_of, parse_told
from sayso_node.supervision.retrying import backoff

MOST_HEARD: Final = 256  # addresses waiting to be dialled
MOST_HEARD_OF_SOURCE: Final = 32
MOST_HEARD_IN_GROUP: Final = 8
MOST_MET: Final = 1_024  # peers
MOST_MET_IN_GROUP: Final = 8
MOST_CHOSEN_IN_GROUP: Final = 2  # connections
MOST_FAILURES: Final = 8  # in a row; then the peer is forgotten
MOST_REDIAL_S: Final = 3_600.0
TOLD_S: Final = 86_400.0  # peers not met for so long are not named to others
MEET_AGAIN_S: Final = 21_600.0


@dataclass
class _Met:
    where: str
    at: float  # time of the last meeting; minus infinity if not since the start
    failures: int = 0
    retry_at: float = -inf


class AddressManager:
    """AddressManager is the table. Addresses in and out are multiaddrs ending in /p2p/<id>.

    Args:
        us: Our own peer ID.
        private: Whether addresses in private networks are useful to us.
        redial_s: Seconds until the first new attempt; doubled after each further failure.
        now: Monotonic clock, in seconds.
    """

    def __init__(
        self, us: str, *, private: bool, redial_s: float, now: Callable[[], float], rng: Random
    ) -> None:
        self._us = us
        self._private = private
        self._redial_s = redial_s
        self._now = now
        self._rng = rng
        self._heard: dict[str, dict[str, str]] = {}  # source -> peer id -> address
        self._met: dict[str, _Met] = {}

    def remember(self, addresses: Iterable[str]) -> None:
        """Add peers known before a restart; they are dialled, but not named to others until met."""
        for address in addresses:
            self._take(address, -inf)

    def hear(self, address: str, source: str) -> bool:
        """Queue an address for dialling; False if it is not useful or there is no room.

        Raises InvalidNodeConfig if it is not an address.
        """
        where, peer_id = parse_told(address)
        known = self._met.get(peer_id)
        own = self._heard.setdefault(source, {})
        if (
            peer_id != self._us
            and not (known and known.where == where)
            and can_be_dialled(where, private=self._private)
            and (len(own) < MOST_HEARD_OF_SOURCE or peer_id in own)
            and self._heard_in(group_of(where)) < MOST_HEARD_IN_GROUP
        ):
            own[peer_id] = where
            self._shed()
        if not own:
            del self._heard[source]
        return self._heard.get(source, {}).get(peer_id) == where

    def next_to_meet(self) -> str | None:
        """Return the next address to dial, a heard one or one not met for long; None without any.

        A source is drawn first, so a source that names many addresses has no advantage.
        """
        if self._heard:
            source = self._rng.choice(sorted(self._heard))
            own = self._heard[source]
            peer_id = self._rng.choice(sorted(own))
            where = own.pop(peer_id)
            if not own:
                del self._heard[source]
            return f"{where}/p2p/{peer_id}"
        due = [(met.at, peer_id) for peer_id, met in self._met.items() if self._is_due(met)]
        if not due:
            return None
        _, peer_id = min(due)
        return f"{self._met[peer_id].where}/p2p/{peer_id}"

    def met(self, address: str) -> bool:
        """Record that the peer at this address proved its identity; False if there is no room for it."""
        return self._take(address, self._now())

    def failed(self, address: str, *, counts: bool = True) -> bool:
        """Record that dialling an address failed; returns whether it is forgotten now.

        `counts` is False if we reach no peer at all, which points to our own connection.
        """
        where, peer_id = parse_told(address)
        known = self._met.get(peer_id)
        if known is None or known.where != where:
            return False
        known.failures += counts
        if known.failures >= MOST_FAILURES:
            del self._met[peer_id]
            return True
        known.retry_at = self._now() + backoff(self._redial_s, known.failures, MOST_REDIAL_S)
        return False

    def sample(self, most: int) -> list[str]:
        """Return a random sample of the peers met within a day."""
        since = self._now() - TOLD_S
        fit = sorted(f"{one.where}/p2p/{name}" for name, one in self._met.items() if one.at >= since)
        return self._rng.sample(fit, min(most, len(fit)))

    def choose(self, chosen: Collection[str], busy: Collection[str]) -> str | None:
        """Choose a peer to connect to besides the `chosen` addresses and `busy` peers, or None.

        14.6 A group is drawn first, so a group with many addresses is not drawn more often.
        """
        groups = Counter(group_of(parse_told(address)[0]) for address in chosen)
        fit: dict[str, list[str]] = {}
        for peer_id, one in self._met.items():
            group = group_of(one.where)
            free = groups[group] < MOST_CHOSEN_IN_GROUP and one.retry_at <= self._now()
            if free and peer_id not in busy:
                fit.setdefault(group, []).append(f"{one.where}/p2p/{peer_id}")
        return self._rng.choice(sorted(fit[self._rng.choice(sorted(fit))])) if fit else None

    def sizes(self) -> tuple[int, int]:
        """Return how many addresses wait to be dialled and how many peers were met."""
        return sum(map(len, self._heard.values())), len(self._met)

    def _is_due(self, met: _Met) -> bool:
        now = self._now()
        return met.at <= now - MEET_AGAIN_S and met.retry_at <= now

    def _heard_in(self, group: str) -> int:
        return sum(group_of(where) == group for own in self._heard.values() for where in own.values())

    def _shed(self) -> None:
        """Above the total limit, remove an address of the source with the most."""
        if self.sizes()[0] > MOST_HEARD:
            most = max(sorted(self._heard), key=lambda source: len(self._heard[source]))
            del self._heard[most][self._rng.choice(sorted(self._heard[most]))]

    def _take(self, address: str, at: float) -> bool:
        try:
            where, peer_id = parse_told(address)
        except InvalidNodeConfig:  # a peer listed by DNS name needs no place here
            return False
        if peer_id == self._us or not can_be_dialled(where, private=self._private):
            return False
        others = {name: one for name, one in self._met.items() if name != peer_id}
        group = group_of(where)
        crowd = [name for name, one in others.items() if group_of(one.where) == group]
        if len(crowd) >= MOST_MET_IN_GROUP and not self._evict(crowd):
            return False
        if len(others) >= MOST_MET and not self._evict(others):
            return False
        self._met[peer_id] = _Met(where, at)
        return True

    def _evict(self, names: Iterable[str]) -> bool:
        """Remove a peer that failed last or was not met since the start; False if there is none."""
        poor = [n for n in names if self._met[n].failures or self._met[n].at == -inf]
        if not poor:
            return False
        worst = max(poor, key=lambda name: (self._met[name].failures, name))
        del self._met[worst]
        return True
