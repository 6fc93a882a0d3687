"""When a node may speak: the chain and enough peers were read, lately, by its own clock (rule 8.9)."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.freshness import GENESIS, QUORUM, ChainHead, Freshness
from sayso_protocol.receipts.receipt import ChainPoint
from support.node_rig import NOW

AGE_S = 60.0


def head(time: float = NOW) -> ChainHead:
    return ChainHead(ChainPoint(7, bytes(32)), time)


def read(*peers: float, chain: float = NOW, block: float = NOW, silent: int = 0) -> Freshness:
    """Peers that were synced at these times, and some that never were."""
    names = [f"peer {number}" for number in range(len(peers) + silent)]
    freshness = Freshness(names)
    freshness.chain_read(chain, head(block))
    for name, begun in zip(names, peers, strict=False):
        freshness.peer_synced(name, begun)
    return freshness


def test_who_has_read_nothing_is_never_current() -> None:
    """Not even for a buyer who accepts any age: 2**32 seconds reach back before 1970."""
    for freshness in (Freshness([]), Freshness(["a"]), Freshness(["a", "b", "c"])):
        assert freshness.head == GENESIS
        assert freshness.view(NOW, 2.0**32).silence
        assert freshness.view(NOW, math.inf).confirmed == -math.inf


def test_a_node_without_peers_needs_the_chain_only() -> None:
    freshness = read()
    assert freshness.view(NOW, 0).silence is None
    assert freshness.view(NOW, math.inf).confirmed == NOW


@pytest.mark.parametrize(
    ("freshness", "current"),
    [
        (read(NOW, NOW), True),
        (read(NOW - AGE_S, NOW), True),
        (read(NOW - AGE_S - 1, NOW), False),
        (read(NOW, silent=1), False),  # one of two
        (read(NOW, NOW, silent=5), True),  # two are enough
        (read(NOW, silent=5), False),
        (read(NOW), True),  # all of one
        (read(silent=1), False),
        (read(NOW, NOW, chain=NOW - AGE_S - 1), False),
        (read(NOW, NOW, block=NOW - AGE_S), True),
        (read(NOW, NOW, block=NOW - AGE_S - 1), False),  # the chain stands still
        (read(NOW, NOW, block=NOW + AGE_S), True),
        (read(NOW, NOW, block=NOW + AGE_S + 1), False),  # our clock lags the chain
        (read(NOW + 5, NOW), False),  # our clock was put back since
        (read(NOW, NOW, chain=NOW + 5), False),
    ],
)
def test_what_is_current(freshness: Freshness, current: bool) -> None:
    assert (freshness.view(NOW, AGE_S).silence is None) is current


def test_a_peer_synced_by_a_clock_that_was_ahead_does_not_count_for_years() -> None:
    """It would, if the largest time were the latest: its peer may be gone since."""
    freshness = read(NOW + 1e8, NOW)
    assert freshness.view(NOW, AGE_S).silence
    freshness.peer_synced("peer 0", NOW)
    assert freshness.view(NOW, AGE_S).silence is None


def test_a_clock_that_is_no_number_makes_nothing_current() -> None:
    assert read(NOW, NOW).view(math.nan, AGE_S).silence


def test_only_configured_peers_count() -> None:
    freshness = read(silent=2)
    for number in range(5):
        freshness.peer_synced(f"stranger {number}", NOW)
    assert freshness.view(NOW, AGE_S).silence


times = st.one_of(st.none(), st.integers(int(NOW) - 200, int(NOW) + 50).map(float))


@settings(deadline=None)
@given(st.lists(times, max_size=5), times, st.integers(0, 300))
def test_current_means_a_quorum_within_the_age(
    peers: list[float | None], chain: float | None, age: int
) -> None:
    """Counted by hand: so many peers and the chain, neither too old nor ahead of the clock."""
    freshness = Freshness([str(number) for number in range(len(peers))])
    if chain is not None:
        freshness.chain_read(chain, head())
    for number, begun in enumerate(peers):
        if begun is not None:
            freshness.peer_synced(str(number), begun)

    def within(begun: float | None) -> bool:
        return begun is not None and 0 <= NOW - begun <= age

    enough = sum(map(within, peers)) >= min(QUORUM, len(peers))
    assert (freshness.view(NOW, age).silence is None) is (enough and within(chain))
    past = sorted((one for one in peers if one is not None and one <= NOW), reverse=True)
    quorum = past[min(QUORUM, len(peers)) - 1 : min(QUORUM, len(peers))] if peers else [math.inf]
    read_at = chain if chain is not None and chain <= NOW else -math.inf
    assert freshness.view(NOW, math.inf).confirmed == min(quorum[0] if quorum else -math.inf, read_at)
