"""What a rollup takes for publishing data counts: in the day's budget, and in what was paid."""

from pathlib import Path

import pytest

from node.chain.anvil_world import PayingNode
from node.chain.paying.test_trouble_on_anvil import World, look, promised
from node.chain.rpc.test_lying_endpoint import NETWORK, PAYER
from node.chain.rpc.test_raw_blocks import CHAIN
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.chain.paying.web3_account import ORACLE, Web3Account
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.freshness import Freshness
from sayso_node.store.chain import intents
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_protocol.primitives import address_text, hex_text
from support.anvil import anvil
from support.endpoint import HASH, endpoint

BUDGET = Allowance(200 * GWEI, 6 * ETHER, ETHER // 100)


def oracle(fee: int) -> str:
    """Code that answers every call with this number."""
    return hex_text(b"\x7f" + fee.to_bytes(32) + bytes.fromhex("5f5260205ff3"))


@pytest.mark.parametrize("dear", [True, False])
async def test_a_relay_counts_the_fee_for_its_data_against_the_budget(
    tmp_path: Path, *, dear: bool
) -> None:
    """On the commit before, only gas counted: a rollup whose data is dear emptied the account."""
    with anvil(**CHAIN) as url:
        world = World(url)
        fee = 4 * ETHER if dear else ETHER
        world.registry.ask("anvil_setCode", address_text(ORACLE), oracle(fee))
        async with world.node(tmp_path) as paying:
            paying.payer._allowance = BUDGET
            await promised(paying, world)
            for _ in range(3):
                await look(paying)
            assert ("budget-spent" in paying.alarms.active()) == dear
            assert world.nonce == (0 if dear else 1)
            with paying.rig.store.read() as db:
                [intent] = intents.open_intents(db)
                signed = intents.signed_for(db, intent)
            assert [one.data_fee for one in signed] == ([] if dear else [2 * fee])


async def test_without_an_oracle_nothing_is_added(tmp_path: Path) -> None:
    with anvil(**CHAIN) as url:
        world = World(url)
        async with PayingNode(tmp_path, [url], world.registry.network) as paying:
            assert await paying.account.data_fee(b"\1" * 100) == 0


async def test_what_was_paid_for_data_is_in_the_cost() -> None:
    receipt = {
        "transactionHash": HASH,
        "blockNumber": "0x5",
        "blockHash": HASH,
        "gasUsed": "0x64",
        "effectiveGasPrice": "0x3",
        "status": "0x1",
        "logs": [],
    }
    async with endpoint() as rpc:
        chain = Web3Chain(rpc.url, NETWORK)
        endpoints = Endpoints([chain], Freshness([]), Alarms(), Counters(), finality=0)
        account = Web3Account(PAYER, NETWORK, endpoints)
        for fee, cost in ((None, 300), ("0x7", 307)):
            rpc.answers["eth_getTransactionReceipt"] = receipt | ({"l1Fee": fee} if fee else {})
            landed = await account.landed(bytes.fromhex(HASH[2:]))
            assert landed
            assert landed.cost == cost
        await endpoints.close()
