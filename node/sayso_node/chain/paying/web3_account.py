"""The paying account over web3: reads prices and nonces, signs, sends and finds transactions."""

from collections.abc import Mapping
from typing import Any, Final, cast

from eth_abi.abi import encode as abi_encode
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound

from sayso_contracts.errors import CallReverted, TransactionTooLarge
from sayso_contracts.rpc import quantity_from_text
from sayso_contracts.transactions import (
    Fees,
    SignedTransaction,
    estimate_gas,
    sign,
    submit,
    suggest_fees,
)
from sayso_node.chain.interface import Landed
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import LARGEST, Web3Chain, chain_errors
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead
from sayso_node.supervision.retrying import first_answer
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, address_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint

# The GasPriceOracle of the OP Stack (specs.optimism.io, predeploys).
ORACLE: Final = bytes.fromhex("420000000000000000000000000000000000000f")
L1_FEE: Final = keccak(b"getL1Fee(bytes)")[:4]
ENVELOPE_BYTES: Final = 64  # of a transaction besides its data; the oracle adds the signature


class Web3Account:
    """Account (chain/interface.py) that uses the endpoint in use."""

    def __init__(self, account: LocalAccount, network: Network, endpoints: Endpoints) -> None:
        self._account = account
        self._network = network
        self._endpoints = endpoints
        self._to = address_text(network.registry)
        self._posts_data: bool | None = None  # unknown before the first question

    @property
    def _chain(self) -> Web3Chain:
        return self._endpoints.in_use

    async def head(self) -> ChainHead:
        """See Account."""
        return await self._chain.head()

    async def used_nonces(self, at: int | None = None) -> int:
        """See Account."""
        return await self._count("latest" if at is None else at)

    async def pending_nonces(self) -> int:
        """See Account."""
        return await self._count("pending")

    async def _count(self, block: Any) -> int:
        with chain_errors():
            found = await self._chain.w3.eth.get_transaction_count(self._account.address, block)
            return _natural(found)

    async def balance(self) -> int:
        """See Account."""
        with chain_errors():
            return _natural(await self._chain.w3.eth.get_balance(self._account.address, "latest"))

    async def suggest_fees(self) -> Fees:
        """See Account."""
        with chain_errors():
            return await suggest_fees(self._chain.w3)

    async def has_code(self, address: bytes) -> bool:
        """See Account."""
        with chain_errors():
            where = self._chain.w3.to_checksum_address(address_text(address))
            return len(await self._chain.w3.eth.get_code(where, "latest")) > 0

    async def estimate(self, data: bytes, *, creates: bool = False) -> int:
        """See Account."""
        question: dict[str, Any] = {"from": self._account.address, "data": data}
        if not creates:
            question["to"] = self._to
        # The registry never reverts our calls, so a revert points to the endpoint.
        refusals = (TransactionTooLarge, CallReverted) if creates else (TransactionTooLarge,)
        with chain_errors(*refusals):
            return _natural(await estimate_gas(self._chain.w3, question))

    async def data_fee(self, data: bytes) -> int:
        """Return twice what the OP Stack's oracle says, as a base fee may double; 0 on other chains."""
        if self._posts_data is None:
            self._posts_data = await self.has_code(ORACLE)
        if not self._posts_data:
            return 0
        question = abi_encode(["bytes"], [b"\xff" * ENVELOPE_BYTES + data])
        with chain_errors():
            call: Any = {"to": address_text(ORACLE), "data": L1_FEE + question}
            found = await self._chain.w3.eth.call(call, "latest")
            fee = 2 * int.from_bytes(found)
            if len(found) != HASH_BYTES or fee > LARGEST:
                raise ValueError("the oracle of data fees gives no price")
            return fee

    async def sign(
        self, data: bytes, nonce: int, gas: int, fees: Fees, *, creates: bool = False
    ) -> SignedTransaction:
        """Sign a transaction, a call or a creation, for this network's chain only; it is not sent."""
        await self._chain.check_chain()
        with chain_errors():
            transaction = {
                "type": 2,
                "chainId": self._network.chain_id,
                "nonce": nonce,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.priority_fee,
                "to": b"" if creates else self._to,
                "value": 0,
                "data": data,
            }
            return sign(transaction, self._account)

    async def knows(self, tx_hash: bytes) -> bool:
        """See Account."""
        return await self._transaction(tx_hash) is not None

    async def is_mined(self, tx_hash: bytes) -> bool:
        """See Account."""
        known = await self._transaction(tx_hash)
        return known is not None and known.get("blockNumber") is not None

    async def _transaction(self, tx_hash: bytes) -> Mapping[str, Any] | None:
        with chain_errors():
            try:
                known = await self._chain.w3.eth.get_transaction(HexBytes(tx_hash))
            except TransactionNotFound:
                return None
            if known["hash"] != tx_hash:
                raise ValueError("the endpoint answered with another transaction")
            return known

    async def send(self, raw_transaction: bytes) -> None:
        """Broadcast a transaction through the first endpoint that accepts it."""

        async def send_to(chain: Web3Chain) -> None:
            with chain_errors():
                await submit(chain.w3, raw_transaction)

        await first_answer(self._endpoints.in_order, send_to, ChainUnreachable)

    async def landed(self, tx_hash: bytes) -> Landed | None:
        """See Account."""
        with chain_errors():
            try:
                found = await self._chain.w3.eth.get_transaction_receipt(HexBytes(tx_hash))
            except TransactionNotFound:
                return None
            receipt = cast("Mapping[str, Any]", found)
            if receipt["transactionHash"] != tx_hash:
                raise ValueError("the endpoint answered with another receipt")
            block = ChainPoint(_natural(receipt["blockNumber"]), bytes(receipt["blockHash"]))
            cost = _natural(receipt["gasUsed"]) * _natural(receipt["effectiveGasPrice"])
            cost += _quantity(receipt.get("l1Fee"))
            return Landed(block, receipt["status"] == 1, cost, receipt["logs"])


def _quantity(value: Any) -> int:
    """Read a field that web3 does not know; one that is missing is 0."""
    return _natural(quantity_from_text(value) if isinstance(value, str) else value or 0)


def _natural(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 256:
        raise ValueError(f"expected a number, got {str(value)[:40]!r}")
    return value
