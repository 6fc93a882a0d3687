"""One address on every chain, found again by whoever comes second."""

import asyncio
from typing import Any

import pytest
from eth_account import Account
from web3 import AsyncWeb3
from web3.types import RPCEndpoint

from contracts.harness import Chain, Refusing, connect
from sayso_contracts.deploy import TRANSFER_GAS, Cost, cost, deploy, verify
from sayso_contracts.errors import NotDeployed, WrongBytecode, WrongChain
from sayso_contracts.registry.artifact import runtime_code
from sayso_contracts.registry.create2 import (
    DEPLOYER,
    DEPLOYER_CODE,
    DEPLOYER_FUNDS,
    DEPLOYER_SENDER,
    DEPLOYER_TRANSACTION,
    registry_address,
)
from sayso_protocol.primitives import address_from_text, address_text, keccak
from support.anvil import CHAIN_ID, RICH_KEY, anvil

OTHER_RICH_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


async def anvil_rpc(chain: Chain, method: str, *params: Any) -> None:
    await chain.w3.manager.coro_request(RPCEndpoint(method), list(params))


def test_the_deployers_sender_signed_and_creates_the_deployer() -> None:
    assert Account.recover_transaction(DEPLOYER_TRANSACTION) == DEPLOYER_SENDER
    first = keccak(b"\xd6\x94" + address_from_text(DEPLOYER_SENDER) + b"\x80")  # CREATE, nonce 0
    assert address_text(first[12:]) == DEPLOYER


async def test_the_registry_is_where_it_was_computed_to_be(chain: Chain) -> None:
    deployment = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    assert deployment.address == registry_address()
    assert bytes(await chain.w3.eth.get_code(chain.w3.to_checksum_address(deployment.address))) == (
        runtime_code()
    )
    await verify(chain.w3, deployment.address)
    assert deployment.tx_hash is not None


async def test_who_comes_second_finds_it_and_pays_nothing(chain: Chain) -> None:
    first = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    for _ in range(3):  # blocks on top
        await deploy_nothing(chain)
    money = await chain.w3.eth.get_balance(chain.account.address)
    second = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    assert second.tx_hash is None
    assert (second.address, second.block_number) == (first.address, first.block_number)
    assert await chain.w3.eth.get_balance(chain.account.address) == money


async def deploy_nothing(chain: Chain) -> None:
    """A block with a transaction that moves nothing."""
    transaction: dict[str, Any] = {
        "to": chain.account.address,
        "value": 0,
        "gas": TRANSFER_GAS,
        "maxFeePerGas": 10**10,
        "maxPriorityFeePerGas": 1,
        "nonce": await chain.w3.eth.get_transaction_count(chain.account.address),
        "chainId": chain.chain_id,
    }
    raw = chain.account.sign_transaction(transaction).raw_transaction
    await chain.w3.eth.wait_for_transaction_receipt(await chain.w3.eth.send_raw_transaction(raw))


async def test_the_block_is_early_rather_than_late_where_old_state_is_gone(chain: Chain) -> None:
    first = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    await deploy_nothing(chain)

    def old_code(method: str, params: Any) -> bool:
        return method == "eth_getCode" and params[1] != "latest"

    pruned = AsyncWeb3(Refusing(chain.w3.provider, old_code))
    second = await deploy(pruned, chain.account, expected_chain_id=chain.chain_id)
    assert pruned.provider.refused
    assert second.block_number == 0 < first.block_number


@pytest.fixture
def no_deployer(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded chain without it."""
    monkeypatch.setattr("sayso.devchain.chain.CODE", {})


async def test_a_chain_without_deployer_gets_one(no_deployer: None, chain: Chain) -> None:
    await remove_deployer_from_anvil(chain)
    assert not await chain.w3.eth.get_code(chain.w3.to_checksum_address(DEPLOYER))
    await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    code = await chain.w3.eth.get_code(chain.w3.to_checksum_address(DEPLOYER))
    assert bytes(code) == DEPLOYER_CODE
    await verify(chain.w3, registry_address())


async def remove_deployer_from_anvil(chain: Chain) -> None:
    if "anvil" in await chain.w3.client_version:
        await anvil_rpc(chain, "anvil_setCode", DEPLOYER, "0x")
        await anvil_rpc(chain, "anvil_setNonce", DEPLOYER, "0x0")


async def test_the_deployers_sender_gets_only_what_it_lacks(
    no_deployer: None, embedded_chain: Chain
) -> None:
    chain = embedded_chain
    sender = chain.w3.to_checksum_address(DEPLOYER_SENDER)
    transaction: dict[str, Any] = {
        "to": sender,
        "value": DEPLOYER_FUNDS - 1,
        "gas": TRANSFER_GAS,
        "gasPrice": 10**10,
        "nonce": 0,
        "chainId": chain.chain_id,
    }
    raw = chain.account.sign_transaction(transaction).raw_transaction
    await chain.w3.eth.wait_for_transaction_receipt(await chain.w3.eth.send_raw_transaction(raw))
    await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    before = await chain.w3.eth.get_balance(sender, 1)
    assert before == DEPLOYER_FUNDS - 1
    assert await chain.w3.eth.get_balance(sender, 2) == DEPLOYER_FUNDS


async def test_on_another_chain_nothing_is_sent(chain: Chain) -> None:
    with pytest.raises(WrongChain):
        await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id + 1)
    assert await chain.w3.eth.get_transaction_count(chain.account.address) == 0


async def test_verify_tells_nothing_from_something_else(chain: Chain) -> None:
    with pytest.raises(NotDeployed):
        await verify(chain.w3, registry_address())
    await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    with pytest.raises(WrongBytecode):
        await verify(chain.w3, DEPLOYER)


async def test_foreign_code_is_never_taken_for_the_registry_or_its_deployer(
    anvil_chain: Chain,
) -> None:
    chain = anvil_chain
    await anvil_rpc(chain, "anvil_setCode", DEPLOYER, "0x00")
    with pytest.raises(WrongBytecode):
        await deploy(chain.w3, chain.account, expected_chain_id=CHAIN_ID)
    await anvil_rpc(chain, "anvil_setCode", registry_address(), "0x00")
    with pytest.raises(WrongBytecode):
        await deploy(chain.w3, chain.account, expected_chain_id=CHAIN_ID)


async def test_two_who_deploy_at_once_both_end_with_it() -> None:
    with anvil(options=("--block-time", "1")) as url:
        async with (
            connect(url, Account.from_key(RICH_KEY), CHAIN_ID) as one,
            connect(url, Account.from_key(OTHER_RICH_KEY), CHAIN_ID) as two,
        ):
            done = await asyncio.gather(
                *(deploy(each.w3, each.account, expected_chain_id=CHAIN_ID) for each in (one, two))
            )
    assert done[0].block_number == done[1].block_number
    assert sorted(deployment.tx_hash is None for deployment in done) == [False, True]


async def test_cost_is_an_upper_bound_and_no_wild_one(chain: Chain) -> None:
    expected = await cost(chain.w3, chain.account.address)
    before = await chain.w3.eth.get_balance(chain.account.address)
    await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    spent = before - await chain.w3.eth.get_balance(chain.account.address)
    assert spent <= expected.wei <= 3 * spent
    assert await cost(chain.w3, chain.account.address) == Cost(0, 0)
