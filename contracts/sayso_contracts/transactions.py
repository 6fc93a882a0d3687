"""Pricing, signing and sending of transactions. All prices are in wei.

Signing and submitting are two steps, so that a caller can store the signed bytes in between and does not
pay twice after a crash.
"""

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import AsyncWeb3
from web3.exceptions import TransactionNotFound, Web3RPCError
from web3.types import RPCEndpoint, Wei

from sayso_contracts.errors import TransactionFailed, TransactionTooLarge, WrongChain
from sayso_contracts.registry.calls import Call
from sayso_contracts.rpc import rpc_errors
from sayso_protocol.primitives import hex_text, keccak

Transaction = dict[str, Any]  # unsigned, with the keys of JSON-RPC

MAX_TRANSACTION_GAS = 16_777_216  # gas, EIP-7825
GAS_MARGIN_PERCENT = 10  # the state may change between the estimate and the block
POLL_S = 0.1


@dataclass(frozen=True)
class Fees:
    """Fees holds the EIP-1559 prices of one gas in wei."""

    max_fee: int
    priority_fee: int


@dataclass(frozen=True)
class SignedTransaction:
    """SignedTransaction holds the signed bytes and the transaction's hash."""

    raw: bytes
    hash: bytes
    nonce: int


@dataclass(frozen=True)
class Receipt:
    """Receipt describes a successful transaction.

    Attributes:
        tx_hash: The hash of the transaction, 32 bytes.
        block_number: The number of its block.
        block_hash: The hash of its block, 32 bytes.
        gas_used: The gas that it used.
    """

    tx_hash: bytes
    block_number: int
    block_hash: bytes
    gas_used: int


async def check_chain(w3: AsyncWeb3[Any], chain_id: int) -> None:
    """Raise WrongChain unless the endpoint serves `chain_id`."""
    with rpc_errors():
        served = await w3.eth.chain_id
    if served != chain_id:
        raise WrongChain(f"the endpoint serves chain {served}, not chain {chain_id}")


async def suggest_fees(w3: AsyncWeb3[Any]) -> Fees:
    """Return fees that are sufficient until the base fee doubles, which takes six full blocks."""
    with rpc_errors():
        base = (await w3.eth.get_block("latest")).get("baseFeePerGas", Wei(0))
        try:
            method = RPCEndpoint("eth_maxPriorityFeePerGas")
            priority = int(await w3.manager.coro_request(method, []), 16)
        except Web3RPCError:  # some chains lack the method, but every chain has a gas price
            priority = max(await w3.eth.gas_price - base, 0)
    return Fees(max_fee=2 * base + priority, priority_fee=priority)


async def estimate_gas(w3: AsyncWeb3[Any], question: Any) -> int:
    """Return the gas limit for a call: eth_estimateGas and a margin.

    Raises CallReverted and TransactionTooLarge.
    """
    with rpc_errors():
        estimate = await w3.eth.estimate_gas(question, "latest")
    if estimate > MAX_TRANSACTION_GAS:
        raise TransactionTooLarge(f"the call needs {estimate} gas; the limit is {MAX_TRANSACTION_GAS}")
    return min(estimate + estimate * GAS_MARGIN_PERCENT // 100, MAX_TRANSACTION_GAS)


async def prepare(
    w3: AsyncWeb3[Any],
    chain_id: int,
    sender: str,
    call: Call,
    *,
    value: int = 0,
    nonce: int | None = None,
    fees: Fees | None = None,
    gas: int | None = None,
) -> Transaction:
    """Return an unsigned transaction; `nonce`, `fees` and `gas` come from the endpoint if None.

    Raises TransactionTooLarge if `gas` exceeds the limit of a transaction.
    """
    if gas is not None and gas > MAX_TRANSACTION_GAS:
        raise TransactionTooLarge(f"the call needs {gas} gas; the limit is {MAX_TRANSACTION_GAS}")
    await check_chain(w3, chain_id)
    fees = fees or await suggest_fees(w3)
    what = {"to": call.to, "data": call.data, "value": value}
    if gas is None:
        gas = await estimate_gas(w3, {"from": sender, **what})
    if nonce is None:
        with rpc_errors():
            address = w3.to_checksum_address(sender)
            nonce = await w3.eth.get_transaction_count(address, "pending")
    return {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "gas": gas,
        "maxFeePerGas": fees.max_fee,
        "maxPriorityFeePerGas": fees.priority_fee,
        **what,
    }


def sign(transaction: Transaction, account: LocalAccount) -> SignedTransaction:
    """Sign a prepared transaction."""
    signed = account.sign_transaction(transaction)
    return SignedTransaction(
        raw=bytes(signed.raw_transaction), hash=bytes(signed.hash), nonce=transaction["nonce"]
    )


async def submit(w3: AsyncWeb3[Any], raw: bytes) -> bytes:
    """Submit a signed transaction and return its hash; submitting it twice is harmless."""
    tx_hash = HexBytes(keccak(raw))  # the same for legacy and EIP-2718 transactions
    with rpc_errors():
        try:
            await w3.eth.send_raw_transaction(raw)
        except Web3RPCError:
            # Endpoints have many texts for "already known", so ask for the transaction instead.
            if not await _knows(w3, tx_hash):
                raise
    return bytes(tx_hash)


async def _knows(w3: AsyncWeb3[Any], tx_hash: HexBytes) -> bool:
    try:
        return bool(await w3.eth.get_transaction(tx_hash))
    except TransactionNotFound:
        return False


async def wait(w3: AsyncWeb3[Any], tx_hash: bytes, timeout_s: float) -> Receipt:
    """Wait until the transaction is in a block; raises TransactionFailed, and RpcFailed if late."""
    with rpc_errors():
        receipt = await w3.eth.wait_for_transaction_receipt(
            HexBytes(tx_hash), timeout=timeout_s, poll_latency=POLL_S
        )
    if receipt["status"] != 1:
        raise TransactionFailed(f"transaction {hex_text(tx_hash)} was reverted")
    return Receipt(tx_hash, receipt["blockNumber"], bytes(receipt["blockHash"]), receipt["gasUsed"])
