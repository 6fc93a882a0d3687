"""An endpoint that leaves events out of its logs: what its headers and transaction receipts prove."""

import pytest

from node.chain.following.test_follower import Following
from sayso_node.chain.following import log_audit
from sayso_node.chain.following.block_speed import HEADS
from sayso_node.errors import ChainUnreachable
from sayso_node.store.chain import late_blocks
from sayso_protocol.ethereum.blooms import bloom_of, may_hold
from support.fake_chain import anchored, revoked
from support.node_rig import NodeRig
from support.protocol_strategies import ADA, NETWORK

SLOW_S, FAST_S = 12.0, 0.25
ROOT = b"\x11" * 32


@pytest.fixture
def following(rig: NodeRig) -> Following:
    found = Following(rig)
    found.chain.now = rig.clock.now
    return found


def pass_time(following: Following, blocks: int, block_s: float) -> None:
    """Mine empty blocks, as time goes by."""
    for _ in range(blocks):
        following.chain.time += block_s
        following.rig.clock.time = following.chain.time
        following.chain.mine()


async def read_fast(following: Following) -> None:
    """Read heads until the chain is known as a fast one, and all that was not tested is."""
    for _ in range(HEADS + 2):
        pass_time(following, 8, FAST_S)
        await following.read()


async def read_slow(following: Following) -> None:
    """Let the node learn that the chain is slow."""
    pass_time(following, 80, SLOW_S)
    await following.read()


def alarms(following: Following) -> set[str]:
    return set(following.rig.alarms.active())


async def test_what_is_left_out_for_good_is_caught_on_a_slow_chain(following: Following) -> None:
    """On the commit before, the node never knew of it, and said `granted` without an alarm."""
    await read_slow(following)
    following.chain.mine(revoked(ADA, 7, 1), anchored(ROOT)).is_left_out = True
    pass_time(following, 1, SLOW_S)
    await following.read()
    assert following.bits() == {7: 1}
    assert following.anchors() == {ROOT: 81}
    assert following.rig.count("chain_logs_left_out") == 1
    assert alarms(following) == set()  # logs come late, too
    pass_time(following, 11, SLOW_S)
    await following.read()
    assert alarms(following) == {"chain-logs-missing"}
    pass_time(following, 50, SLOW_S)
    with pytest.raises(ChainUnreachable, match="block 81"):
        await following.read()
    assert following.rig.freshness.view(following.rig.clock.now() + 61, 60).silence is not None


async def test_the_node_is_silent_while_nothing_is_proved(following: Following) -> None:
    await read_slow(following)
    following.chain.has_receipts = False
    following.chain.mine(revoked(ADA, 7, 1)).is_left_out = True
    for _ in range(20):
        pass_time(following, 1, SLOW_S)
        with pytest.raises(ChainUnreachable, match="block 81"):
            await following.read()
    assert following.rig.freshness.view(following.rig.clock.now(), 60).silence is not None
    assert alarms(following) == {"chain-logs-missing"}
    following.chain.has_receipts = True
    following.chain.blocks[81].is_left_out = False
    pass_time(following, 6, SLOW_S)
    await following.read()
    assert following.bits() == {7: 1}
    assert alarms(following) == set()
    assert following.rig.freshness.view(following.rig.clock.now(), 60).silence is None


async def test_a_restart_forgets_no_doubt(following: Following) -> None:
    await read_slow(following)
    following.chain.has_receipts = False
    following.chain.mine(revoked(ADA, 7, 1)).is_left_out = True
    with pytest.raises(ChainUnreachable):
        await following.read()
    again = Following(following.rig, chain=following.chain)
    with pytest.raises(ChainUnreachable, match="block 81"):
        await again.read()
    following.chain.has_receipts = True
    pass_time(following, 1, SLOW_S)
    await again.read()
    assert again.bits() == {7: 1}


async def test_a_doubt_ends_with_its_block(following: Following) -> None:
    await read_slow(following)
    following.chain.has_receipts = False
    following.chain.mine(revoked(ADA, 7, 1)).is_left_out = True
    with pytest.raises(ChainUnreachable):
        await following.read()
    following.chain.drop(1)
    pass_time(following, 2, SLOW_S)
    await following.read()
    assert following.bits() == {}


@pytest.mark.parametrize("late_s", [1.0, 20.0, 60.0])
async def test_late_logs_are_not_waited_for_where_receipts_prove_them(
    following: Following, late_s: float
) -> None:
    await read_slow(following)
    following.chain.late_s = late_s
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    assert following.bits() == {7: 1}
    for _ in range(12):
        pass_time(following, 1, SLOW_S)
        await following.read()
    assert alarms(following) == set()
    with following.rig.store.read() as db:
        assert db.execute("SELECT count(*) FROM doubted_blocks").fetchone() == (0,)


async def test_a_header_without_our_bits_costs_nothing_more(following: Following) -> None:
    await read_slow(following)
    for _ in range(80):  # until history is tested and read again
        pass_time(following, 1, SLOW_S)
        await following.read()
    following.chain.calls.clear()
    for _ in range(100):
        pass_time(following, 1, SLOW_S)
        await following.read()
    asked = following.chain.calls
    late = asked.count("events") - 100
    assert asked.count("head") == 100
    assert 0 < late <= 40  # two passes over all that is due, at most once a minute
    assert len(asked) == 200 + late


async def test_one_block_of_a_reading_is_tested_on_a_fast_chain(following: Following) -> None:
    """Which block is not known beforehand; what is left out in all of them is found soon."""
    await read_fast(following)
    tested = following.rig.count("chain_headers_tested")
    found = 0
    for number in range(40):
        for _ in range(8):
            following.chain.time += FAST_S
            following.rig.clock.time = following.chain.time
            following.chain.mine(revoked(ADA, number, 1)).is_left_out = True
        await following.read()
        found = following.rig.count("chain_logs_left_out")
        if found:
            break
    assert following.rig.count("chain_headers_tested") - tested == number + 1
    assert found == 1


async def test_how_often_an_omission_is_missed_on_a_fast_chain(following: Following) -> None:
    """One of eight blocks is tested: SECURITY.md says so."""
    await read_fast(following)
    runs = 400
    for number in range(runs):
        for place in range(8):
            following.chain.time += FAST_S
            events = [revoked(ADA, number, 1)] if place == number % 8 else []
            following.chain.mine(*events).is_left_out = True
        following.rig.clock.time = following.chain.time
        await following.read()
        with following.rig.store.read() as db:
            assert db.execute("SELECT count(*) FROM untested_ranges").fetchone() == (0,)
        await following.rig.store.write(lambda db: db.execute("DELETE FROM doubted_blocks"))
    assert 0.06 * runs < following.rig.count("chain_logs_left_out") < 0.19 * runs


async def test_headers_that_do_not_link_are_refused(following: Following) -> None:
    await read_slow(following)
    ask = following.chain.header

    async def other(number: int) -> object:
        following.chain._forks += 1
        found = await ask(number)
        assert found
        return type(found)(**(vars(found) | {"parent": b"\7" * 32}))

    pass_time(following, 3, SLOW_S)
    following.chain.header = other  # type: ignore[method-assign, assignment]
    with pytest.raises(ChainUnreachable, match="not the parent"):
        await following.read()
    following.chain.header = ask  # type: ignore[method-assign]
    await following.read()


async def test_a_chain_with_strange_headers_is_followed_with_an_alarm(following: Following) -> None:
    following.chain.has_whole_headers = False
    await read_slow(following)
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    assert following.bits() == {7: 1}
    assert alarms(following) == {"chain-unproved"}


async def test_history_is_tested_a_few_headers_a_reading(following: Following) -> None:
    following.chain.mine(revoked(ADA, 7, 1)).is_left_out = True
    pass_time(following, 200, SLOW_S)
    readings = 0
    while following.bits() == {}:
        await following.read()
        readings += 1
    assert readings == (200 - log_audit.LIVE_BLOCKS) // log_audit.HEADERS_AT_ONCE
    assert following.chain.calls.count("header") <= 202


def test_a_bloom_has_no_false_negatives() -> None:
    values = [bytes([one]) * 20 for one in range(20)]
    assert all(may_hold(bloom_of(*values), one) for one in values)
    assert not any(may_hold(bloom_of(NETWORK.registry), one) for one in values)
    assert late_blocks.PASSES_S[-1] > log_audit.ALARM_S


async def test_old_blocks_without_receipts_are_an_alarm_only(following: Following) -> None:
    """Endpoints delete old receipts; a node that starts there is not silent for ever."""
    following.chain.mine(revoked(ADA, 7, 1))
    pass_time(following, log_audit.YOUNG_BLOCKS + 100, SLOW_S)
    following.chain.has_receipts = False
    for _ in range(400):
        await following.read()
    assert following.bits() == {7: 1}
    pass_time(following, 20, SLOW_S)
    await following.read()
    assert alarms(following) == {"chain-logs-missing"}
    assert following.rig.freshness.view(following.rig.clock.now(), 60).silence is None
