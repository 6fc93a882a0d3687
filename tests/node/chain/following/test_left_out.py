"""A real EVM behind a proxy that leaves events out: of the logs, and of the receipts as well."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hexbytes import HexBytes

from node.chain.anvil_world import PayingNode
from node.chain.proofs.test_archivist import World
from node.chain.proxies import Proxy, proxy
from sayso_node.errors import ChainUnreachable
from support.anvil import anvil
from support.held_bits import bits_of

SLOW_S, FAST_S = 12, 0
GAS_PRICE = {"gasPrice": 3 * 10**9}


class LeavingOut(Proxy):
    """Gives no logs; `everywhere` also means in receipts."""

    everywhere = False

    def _wrong_events(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        return {"result": []} if self.hides_events else None

    async def _forward(self, question: Any) -> Any:
        answer = await super()._forward(question)
        if self.everywhere and question["method"] == "eth_getBlockReceipts":
            for one in answer["result"]:
                one["logs"] = []
        return answer


CHAINS: dict[str, dict[str, Any]] = {
    "ethereum": {},
    "optimism": {"hardfork": "isthmus", "options": ("-n", "optimism")},
}


@pytest.fixture(params=list(CHAINS.values()), ids=list(CHAINS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with anvil(**request.param) as url:
        yield World(url)


@pytest.fixture
async def lying(world: World) -> AsyncIterator[LeavingOut]:
    async with proxy(world.url, LeavingOut) as made:
        assert isinstance(made, LeavingOut)
        yield made


def pass_time(world: World, blocks: int, block_s: int) -> None:
    for _ in range(blocks):
        if block_s:
            world.registry.ask("evm_increaseTime", block_s)
        world.registry.ask("anvil_mine")


def known(paying: PayingNode, world: World) -> dict[int, int]:
    with paying.rig.store.read() as db:
        return bits_of(db, world.person.address)


async def test_an_endpoint_alone_that_leaves_events_out_of_its_logs_is_found_out(
    world: World, lying: LeavingOut, tmp_path: Path
) -> None:
    pass_time(world, 70, SLOW_S)
    async with PayingNode(tmp_path, [lying.url], world.registry.network) as paying:
        await paying.follower.read()
        lying.hides_events = True
        world.by_herself(world.calls.revoke_scopes(["everything"]).data, GAS_PRICE)
        pass_time(world, 3, SLOW_S)
        await paying.follower.read()
        assert len(known(paying, world)) == 1
        paying.rig.clock.time += 601
        with pytest.raises(ChainUnreachable, match="leave out"):
            await paying.follower.read()
        assert "chain-logs-missing" in paying.alarms.active()
        lying.hides_events = False
        paying.rig.clock.time += 61
        await paying.follower.read()
        assert "chain-logs-missing" not in paying.alarms.active()


async def test_also_if_it_leaves_them_out_of_receipts(
    world: World, lying: LeavingOut, tmp_path: Path
) -> None:
    pass_time(world, 70, SLOW_S)
    async with PayingNode(tmp_path, [lying.url], world.registry.network) as paying:
        await paying.follower.read()
        lying.hides_events = lying.everywhere = True
        world.by_herself(world.calls.revoke_scopes(["everything"]).data, GAS_PRICE)
        pass_time(world, 3, SLOW_S)
        for _ in range(3):
            with pytest.raises(ChainUnreachable, match="leave out"):
                await paying.follower.read()
        assert known(paying, world) == {}
        paying.rig.clock.time += 121
        view = paying.rig.freshness.view(paying.rig.clock.now(), 60)
        assert view.silence is not None
        lying.everywhere = False
        await paying.follower.read()
        assert len(known(paying, world)) == 1


async def test_on_a_fast_chain_it_is_caught_by_chance(
    world: World, lying: LeavingOut, tmp_path: Path
) -> None:
    pass_time(world, 70, FAST_S)
    async with PayingNode(tmp_path, [lying.url], world.registry.network) as paying:
        await paying.follower.read()
        lying.hides_events = True
        own = world.by_herself(world.calls.revoke_scopes(["everything"]).data, GAS_PRICE)
        world.registry.w3.eth.wait_for_transaction_receipt(HexBytes(own))
        await paying.follower.read()  # the only block of this reading is the one that is tested
        assert len(known(paying, world)) == 1
        assert paying.rig.count("chain_logs_left_out") == 1
