"""Several endpoints: one that fails, lags, limits, hides events, or tells another history."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.anvil_world import FINALITY, PayingNode, Registry
from node.chain.proxies import proxy
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable
from sayso_protocol.primitives import address_from_text
from support.anvil import anvil
from support.held_bits import bits_of
from support.node_rig import NodeRig


@pytest.fixture(scope="module")
def chain() -> Iterator[tuple[str, Registry]]:
    with anvil() as url:
        yield url, Registry(url)


def revoke(registry: Registry, word: int) -> None:
    """By the account that sends."""
    call = registry.contract.functions.revoke(word, 1)
    sent = call.transact({"from": registry.rich})
    registry.w3.eth.wait_for_transaction_receipt(sent)


def words(rig: NodeRig, registry: Registry) -> set[int]:
    with rig.store.read() as db:
        return set(bits_of(db, address_from_text(registry.rich)))


async def test_one_that_fails_is_replaced_and_taken_back_when_the_other_fails(
    chain: tuple[str, Registry], tmp_path: Path
) -> None:
    url, registry = chain
    async with (
        proxy(url) as first,
        PayingNode(tmp_path, [first.url, url], registry.network) as node,
    ):
        await node.follower.read()
        assert node.alarms.active() == {}
        first.dead = True
        revoke(registry, 101)
        await node.follower.read()
        assert 101 in words(node.rig, registry)
        assert "chain-endpoint-down" in node.alarms.active()
        assert node.rig.count("chain_failovers") == 1
        first.dead = False
        await node.follower.read()
        assert node.alarms.active() == {}
        assert node.endpoints.in_use.name != first.url  # there is no reason to change again


async def test_none_that_answers_is_said_and_nothing_is_claimed(
    chain: tuple[str, Registry], tmp_path: Path
) -> None:
    url, registry = chain
    async with proxy(url) as only, PayingNode(tmp_path, [only.url], registry.network) as node:
        only.dead = True
        with pytest.raises(ChainUnreachable):
            await node.follower.read()
        assert set(node.alarms.active()) == {"chain-unreachable"}
        assert node.rig.freshness.view(node.rig.clock.now(), 10**9).silence


async def test_one_that_lags_is_not_used(chain: tuple[str, Registry], tmp_path: Path) -> None:
    url, registry = chain
    async with (
        proxy(url) as first,
        PayingNode(tmp_path, [first.url, url], registry.network) as node,
    ):
        first.lags = 5
        registry.ask("anvil_mine", 6)
        revoke(registry, 102)
        await node.follower.read()
        assert 102 in words(node.rig, registry)
        assert "chain-endpoint-down" in node.alarms.active()
        assert node.rig.freshness.dispute is None


async def test_one_that_answers_empty_logs_hides_nothing_and_is_found_out(
    chain: tuple[str, Registry], tmp_path: Path
) -> None:
    """What was told of is kept; nothing is clear until both tell the same."""
    url, registry = chain
    async with (
        proxy(url) as first,
        PayingNode(tmp_path, [first.url, url], registry.network) as node,
    ):
        first.hides_events = True
        revoke(registry, 103)
        await node.follower.read()
        assert 103 in words(node.rig, registry)
        assert "chain-disagreement" in node.alarms.active()
        now = node.rig.clock.now()
        assert node.rig.freshness.view(now, 10**6).silence
        registry.ask("anvil_mine")
        await node.follower.read()
        assert node.rig.freshness.view(now, 10**6).silence
        first.hides_events = False
        registry.ask("anvil_mine")
        await node.follower.read()
        assert node.alarms.active() == {}
        assert node.rig.freshness.view(now, 10**6).silence is None


async def test_two_histories_of_what_is_final_make_everything_stale(
    chain: tuple[str, Registry], tmp_path: Path
) -> None:
    url, registry = chain
    async with (
        proxy(url) as second,
        PayingNode(tmp_path, [url, second.url], registry.network) as node,
    ):
        await node.follower.read()
        now = node.rig.clock.now()
        assert node.rig.freshness.view(now, 10**6).silence is None
        second.forged = True
        registry.ask("anvil_mine", FINALITY + 1)
        await node.follower.read()
        assert node.rig.freshness.view(now, 10**6).silence
        assert node.rig.count("chain_disputes") == 1
        second.dead = True  # nobody is left who could settle it
        await node.follower.read()
        assert node.rig.freshness.view(now, 10**6).silence
        second.dead = second.forged = False
        await node.follower.read()
        assert node.rig.freshness.view(now, 10**6).silence is None


@pytest.mark.parametrize("widest", [1, 3, 10])
async def test_one_that_limits_ranges(
    chain: tuple[str, Registry], tmp_path: Path, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, registry = chain
    revoke(registry, 200 + widest)
    registry.ask("anvil_mine", 12)
    monkeypatch.setattr("sayso_node.chain.following.follower.LATE_BLOCKS", 0)
    async with proxy(url) as only, PayingNode(tmp_path, [only.url], registry.network) as node:
        only.widest = widest
        await node.follower.read()
        assert 200 + widest in words(node.rig, registry)


async def test_one_that_hangs_up_in_the_middle_of_a_back_fill(
    chain: tuple[str, Registry], tmp_path: Path
) -> None:
    """What was read before is kept, with how far; the rest is read next time."""
    url, registry = chain
    revoke(registry, 301)
    registry.ask("anvil_mine", 20)
    revoke(registry, 302)
    async with proxy(url) as only, PayingNode(tmp_path, [only.url], registry.network) as node:
        node.follower._range = 4
        only.drops_after = 2
        with pytest.raises(ChainUnreachable):
            await node.follower.read()
        only.drops_after = None
        asked = len(only.asked)
        await node.follower.read()
        assert {301, 302} <= words(node.rig, registry)
        assert len(only.asked) > asked


async def test_by_websocket(chain: tuple[str, Registry], tmp_path: Path) -> None:
    url, registry = chain
    socket = url.replace("http", "ws")
    revoke(registry, 401)
    async with PayingNode(tmp_path, [socket], registry.network) as node:
        await node.follower.read()
        assert 401 in words(node.rig, registry)
        assert node.endpoints.in_use.link._socket
        await node.endpoints.in_use.link._socket.close()  # and connects again
        registry.ask("anvil_mine")
        await node.follower.read()
    elsewhere = Web3Chain(socket.replace("ws", "wss"), registry.network, 2.0)
    with pytest.raises(ChainUnreachable):
        await elsewhere.head()
    await elsewhere.close()
