"""Deployment of the registry, which finds an existing one.

Example: `deployment = await deploy(w3, account, expected_chain_id=1)`
"""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3
from web3.exceptions import Web3RPCError

from sayso_contracts.errors import CallReverted, NotDeployed, TransactionFailed, WrongBytecode
from sayso_contracts.registry.artifact import creation_code, runtime_code
from sayso_contracts.registry.calls import Call
from sayso_contracts.registry.create2 import (
    DEPLOYER,
    DEPLOYER_CODE,
    DEPLOYER_FUNDS,
    DEPLOYER_SENDER,
    DEPLOYER_TRANSACTION,
    deployment_call,
    registry_address,
)
from sayso_contracts.rpc import rpc_errors
from sayso_contracts.transactions import (
    Receipt,
    check_chain,
    estimate_gas,
    prepare,
    sign,
    submit,
    suggest_fees,
    wait,
)

TIMEOUT_S = 300.0  # for each of at most three transactions
TRANSFER_GAS = 21_000


@dataclass(frozen=True)
class Deployment:
    """Deployment is a registry on a chain.

    Attributes:
        address: The registry's address, the same on every chain.
        block_number: A block that is not after the registry's first log.
        tx_hash: The transaction that created the registry, 32 bytes; None if it existed before.
    """

    address: str
    block_number: int
    tx_hash: bytes | None


@dataclass(frozen=True)
class Cost:
    """Cost is the maximum cost of a deployment at present prices."""

    gas: int
    wei: int


async def deploy(w3: AsyncWeb3[Any], account: LocalAccount, *, expected_chain_id: int) -> Deployment:
    """Create or find the registry; raises WrongChain, WrongBytecode, TransactionFailed."""
    await check_chain(w3, expected_chain_id)
    address = registry_address()
    if await _code(w3, address):
        return await _existing(w3, address)
    if not await has_deployer(w3):
        await _install_deployer(w3, account, expected_chain_id)
    try:
        done = await _send(w3, account, expected_chain_id, deployment_call())
    except (CallReverted, TransactionFailed):
        if await _code(w3, address):  # another sender created it first
            return await _existing(w3, address)
        raise
    await verify(w3, address)
    return Deployment(address, done.block_number, done.tx_hash)


async def verify(w3: AsyncWeb3[Any], address: str) -> None:
    """Raise NotDeployed or WrongBytecode unless `address` has exactly the code of this release."""
    code = await _code(w3, address)
    if not code:
        raise NotDeployed(f"there is no contract at {address}")
    if code != runtime_code():
        raise WrongBytecode(f"the code at {address} is not the registry of this release")


async def cost(w3: AsyncWeb3[Any], payer: str) -> Cost:
    """Return the maximum cost of `deploy` for `payer`; zero if the registry exists."""
    if await _code(w3, registry_address()):
        return Cost(0, 0)
    fees = await suggest_fees(w3)
    if await has_deployer(w3):
        call = deployment_call()
        gas = await estimate_gas(w3, {"from": payer, "to": call.to, "data": call.data})
        return Cost(gas, gas * fees.max_fee)
    # Without the deployer there is no estimate: add a plain creation and the deployer's own creation.
    creation = await estimate_gas(w3, {"from": payer, "data": creation_code()})
    gas = creation + TRANSFER_GAS
    return Cost(gas, gas * fees.max_fee + DEPLOYER_FUNDS)


async def _existing(w3: AsyncWeb3[Any], address: str) -> Deployment:
    await verify(w3, address)
    return Deployment(address, await _first_block_with(w3, address), None)


async def _code(w3: AsyncWeb3[Any], address: str) -> bytes:
    with rpc_errors():
        return bytes(await w3.eth.get_code(w3.to_checksum_address(address), "latest"))


async def has_deployer(w3: AsyncWeb3[Any]) -> bool:
    """Return whether a chain has CREATE2's deployer; raises WrongBytecode if it has something else."""
    code = await _code(w3, DEPLOYER)
    if code and code != DEPLOYER_CODE:
        raise WrongBytecode(f"the code at {DEPLOYER} is not the CREATE2 deployer")
    return bool(code)


async def _install_deployer(w3: AsyncWeb3[Any], account: LocalAccount, chain_id: int) -> None:
    with rpc_errors():
        funds = await w3.eth.get_balance(w3.to_checksum_address(DEPLOYER_SENDER), "latest")
    if funds < DEPLOYER_FUNDS:
        gift = Call(DEPLOYER_SENDER, b"")
        await _send(w3, account, chain_id, gift, DEPLOYER_FUNDS - funds)
    await wait(w3, await submit(w3, DEPLOYER_TRANSACTION), TIMEOUT_S)


async def _send(
    w3: AsyncWeb3[Any], account: LocalAccount, chain_id: int, call: Call, value: int = 0
) -> Receipt:
    transaction = await prepare(w3, chain_id, account.address, call, value=value)
    return await wait(w3, await submit(w3, sign(transaction, account).raw), TIMEOUT_S)


async def _first_block_with(w3: AsyncWeb3[Any], address: str) -> int:
    """Find the block that created a contract, by bisection; an earlier block if old state is pruned."""
    low = 0
    with rpc_errors():
        high: int = await w3.eth.block_number
    while low < high:
        middle = (low + high) // 2
        if await _may_be_there(w3, address, middle):
            high = middle
        else:
            low = middle + 1
    return low


async def _may_be_there(w3: AsyncWeb3[Any], address: str, block: int) -> bool:
    """Return whether the contract exists at a block; True if the endpoint has pruned the state."""
    with rpc_errors():
        try:
            return bool(await w3.eth.get_code(w3.to_checksum_address(address), block))
        except Web3RPCError:
            return True
