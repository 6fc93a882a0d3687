"""Blocks follow the clock that was passed in, and come by themselves."""

import asyncio
import tracemalloc

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from cli.devchain.harness import STORE_TIMESTAMP, Client, Clock
from sayso.devchain import DevChain, dev_account
from sayso.devchain.chain import Chain
from support.waiting import DEADLINE_S


async def test_a_block_carries_the_time_of_the_clock(client: Client, clock: Clock) -> None:
    sender = client.chain.accounts[0]
    for now in (clock.now + 0.4, clock.now + 1, clock.now + 1, clock.now + 86_400):
        clock.now = now
        receipt = await client.send(sender, to=sender.address)
        block = await client.web3.eth.get_block(receipt["blockNumber"])
        assert block["timestamp"] == int(now)


async def test_a_contract_sees_the_timestamp_of_its_block(client: Client, clock: Clock) -> None:
    address = await client.deploy(STORE_TIMESTAMP)
    clock.now += 1000
    await client.send(client.chain.accounts[0], to=address)
    stored = await client.web3.eth.get_storage_at(client.web3.to_checksum_address(address), 0)
    assert int.from_bytes(stored) == int(clock.now)


async def test_time_never_runs_backwards(client: Client, clock: Clock) -> None:
    sender = client.chain.accounts[0]
    await client.send(sender, to=sender.address)
    before = (await client.web3.eth.get_block("latest"))["timestamp"]
    clock.now -= 3600
    await client.send(sender, to=sender.address)
    assert (await client.web3.eth.get_block("latest"))["timestamp"] == before


async def test_blocks_link_to_their_parents(client: Client) -> None:
    sender = client.chain.accounts[0]
    for _ in range(3):
        await client.send(sender, to=sender.address)
    blocks = [await client.web3.eth.get_block(number) for number in range(4)]
    assert [b["parentHash"] for b in blocks[1:]] == [b["hash"] for b in blocks[:-1]]


@pytest.mark.parametrize("label", ["latest", "safe", "finalized"])
async def test_what_is_mined_is_final(client: Client, label: str) -> None:
    sender = client.chain.accounts[0]
    receipt = await client.send(sender, to=sender.address)
    answer = await client.rpc("eth_getBlockByNumber", label, False)
    assert int(answer["result"]["number"], 16) == receipt["blockNumber"]


async def test_the_other_labels_and_unknown_blocks(client: Client) -> None:
    earliest = await client.rpc("eth_getBlockByNumber", "earliest", False)
    pending = await client.rpc("eth_getBlockByNumber", "pending", False)
    assert (earliest["result"]["number"], pending["result"]["number"]) == ("0x0", "0x1")
    assert (await client.rpc("eth_getBlockByNumber", "0x63", False))["result"] is None
    assert (await client.rpc("eth_getBlockByHash", "0x" + "11" * 32, False))["result"] is None


async def test_blocks_come_without_transactions(clock: Clock) -> None:
    async with DevChain(block_time_s=0.01, clock=clock) as chain:
        web3 = AsyncWeb3(AsyncHTTPProvider(chain.url))
        async with asyncio.timeout(DEADLINE_S):
            while await web3.eth.block_number < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert len((await web3.eth.get_block(2))["transactions"]) == 0
        await web3.provider.disconnect()


def test_an_empty_block_costs_little_memory() -> None:
    """Measured: 1.7 kB a block, so 6 MB an hour."""
    chain = Chain(31337, [dev_account(0).address], Clock(1_700_000_000.0))
    for _ in range(50):
        chain.mine()
    tracemalloc.start()
    try:
        for _ in range(200):
            chain.mine()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 200 * 8192
