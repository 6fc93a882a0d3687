"""Which chain and which contract an endpoint serves, how far its head moves, and nonsense in between."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from node.chain.following.test_follower import Following
from node.chain.rpc.test_lying_endpoint import HEADS, LOGS, NETWORK, NO_JSON_RPC, NO_NUMBER
from sayso_node.chain.following.follower import Follower
from sayso_node.chain.rpc import json_rpc, web3_chain
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable
from sayso_node.store.chain import chain_state
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.receipts.receipt import ChainPoint
from support.endpoint import CHAIN_ID, SILENT, Endpoint, Raw, block, endpoint
from support.fake_chain import revoked
from support.node_rig import NodeRig
from support.protocol_strategies import ADA

FINALITY = 12


@dataclass
class Reading:
    """A follower of an endpoint that answers as a test says."""

    rig: NodeRig
    rpc: Endpoint
    chain: Web3Chain
    follower: Follower

    @property
    def cursor(self) -> ChainPoint | None:
        with self.rig.store.read() as db:
            return chain_state.newest(db)

    def grow(self, height: int) -> None:
        """Let the chain have this height; each block has a hash of its own."""

        def answer(asked: list[Any]) -> Any:
            number = height if asked[0] == "latest" else int(asked[0], 16)
            name, before = (f"0x{one:064x}" for one in (number, max(number - 1, 0)))
            return block(number, hash=name, parentHash=before) if number <= height else None

        self.rpc.answers["eth_getBlockByNumber"] = answer


@pytest.fixture
async def reading(rig: NodeRig) -> AsyncIterator[Reading]:
    async with endpoint() as rpc:
        chain = Web3Chain(rpc.url, NETWORK)
        endpoints = Endpoints([chain], rig.freshness, Alarms(), rig.counters, finality=FINALITY)
        follower = Follower(
            *(endpoints, rig.store, rig.freshness, rig.clock, rig.counters, rig.alarms, Random(1)),
            registry=NETWORK.registry,
            finality=FINALITY,
            deploy_block=1,
            interval_s=1,
        )
        made = Reading(rig, rpc, chain, follower)
        made.grow(7)
        yield made
        await endpoints.close()


WRONG = {
    **{f"eth_getBlockByNumber {name}": value for name, value in HEADS.items()},
    **{f"eth_getLogs {name}": value for name, value in LOGS.items()},
    **{
        f"{method} {name}": value
        for method in ("eth_getBlockByNumber", "eth_getLogs")
        for name, value in (NO_JSON_RPC | {"silence": SILENT, "too much": Raw(b" " * 70_000)}).items()
    },
}


@pytest.mark.parametrize("name", WRONG)
async def test_no_wrong_answer_moves_the_cursor(
    reading: Reading, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rpc, "RPC_ANSWER_BYTES", 65_536)
    await reading.follower.read()
    before = reading.cursor
    assert before
    # Only now: right answers may take their time.
    monkeypatch.setattr(json_rpc, "PATIENCES", 1)
    monkeypatch.setattr(reading.chain.link, "_timeout_s", 0.3)
    reading.grow(9)
    reading.rpc.answers[name.split(maxsplit=1)[0]] = WRONG[name]
    with pytest.raises(ChainUnreachable):
        await reading.follower.read()
    assert reading.cursor == before


async def test_logs_of_blocks_that_were_not_asked_for_do_not_move_it(reading: Reading) -> None:
    await reading.follower.read()
    before = reading.cursor
    reading.grow(9)
    reading.rpc.answers["eth_getBlockByNumber"] = block(9, number="0x8")
    with pytest.raises(ChainUnreachable):
        await reading.follower.read()
    assert reading.cursor == before


@pytest.mark.parametrize("name", NO_NUMBER)
async def test_a_contract_that_is_not_ours_is_not_read(reading: Reading, name: str) -> None:
    """On the commit before, any contract at the address was followed, and none as well."""
    for code in ("0x", "0x6001", NO_NUMBER[name]):
        reading.rpc.answers["eth_getCode"] = code
        with pytest.raises(ChainUnreachable):
            await reading.follower.read()
    assert reading.cursor is None


async def test_another_chain_behind_a_new_connection_is_not_read(reading: Reading) -> None:
    """On the commit before, the chain was asked for once in the life of the process."""
    await reading.follower.read()
    reading.rpc.answers["eth_chainId"] = hex(CHAIN_ID + 1)
    link = reading.chain.link
    assert link._session
    await link._session.close()  # the endpoint hung up; close() would be for good
    link._session = None
    with pytest.raises(ChainUnreachable, match="chain"):
        await reading.follower.read()
    reading.rpc.answers["eth_chainId"] = hex(CHAIN_ID)
    await reading.follower.read()


async def test_another_chain_is_found_out_when_the_head_jumps(reading: Reading) -> None:
    for height in (7, 8):  # the second is read by as many connections as there will be
        reading.grow(height)
        await reading.follower.read()
    asked = reading.rpc.asked.count("eth_chainId")
    reading.grow(9)
    await reading.follower.read()
    assert reading.rpc.asked.count("eth_chainId") == asked
    reading.grow(9 + web3_chain.JUMP_BLOCKS + 1)
    reading.rpc.answers["eth_chainId"] = hex(CHAIN_ID + 1)
    before = reading.cursor
    with pytest.raises(ChainUnreachable, match="chain"):
        await reading.follower.read()
    assert reading.cursor == before


async def test_an_endpoint_that_closes_each_connection_is_asked_once_more(reading: Reading) -> None:
    await reading.follower.read()
    for height in range(8, 18):
        reading.chain.link.connections += 1
        reading.grow(height)
        await reading.follower.read()
    assert reading.rpc.asked.count("eth_chainId") <= 14


async def test_a_frozen_head_is_an_alarm(rig: NodeRig) -> None:
    """On the commit before, the node became silent and no alarm said why."""
    following = Following(rig)
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    rig.clock.time += 120
    await following.read()
    assert rig.alarms.active() == {}
    rig.clock.time += 120
    await following.read()
    assert list(rig.alarms.active()) == ["chain-frozen"]
    assert rig.freshness.view(rig.clock.now(), 60).silence is not None
    following.chain.time = rig.clock.time
    following.chain.mine()
    await following.read()
    assert rig.alarms.active() == {}


@pytest.mark.parametrize("depth", [FINALITY, FINALITY + 1])
async def test_a_reorganisation_deeper_than_finality_is_an_alarm(rig: NodeRig, depth: int) -> None:
    following = Following(rig)
    for _ in range(30):
        following.chain.mine()
        await following.read()
    following.chain.drop(depth)
    for _ in range(depth + 1):
        following.chain.mine()
    await following.read()
    assert ("chain-reorganised" in rig.alarms.active()) == (depth > FINALITY)
    rig.clock.time += 3_601
    following.chain.time = rig.clock.time
    following.chain.mine()
    await following.read()
    assert rig.alarms.active() == {}


async def test_a_chain_that_was_started_anew_is_an_alarm(rig: NodeRig) -> None:
    following = Following(rig)
    for _ in range(30):
        following.chain.mine()
        await following.read()
    following.chain.drop(30)
    for _ in range(40):
        following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    assert "chain-reorganised" in rig.alarms.active()
