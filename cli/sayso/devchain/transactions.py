"""Mined transactions in the form of the Ethereum JSON-RPC specification.

The renderer of alysis fails for contract creations, which have no `to`.
"""

from typing import Any

from eth.abc import SignedTransactionAPI
from eth_utils.address import to_checksum_address

LEGACY = 0  # before EIP-2718
ACCESS_LIST = 1  # EIP-2930
Json = dict[str, Any]


def transaction_type(transaction: SignedTransactionAPI) -> int:
    """Return the EIP-2718 type; 0 for legacy transactions."""
    return transaction.type_id or LEGACY


def transaction_json(transaction: SignedTransactionAPI, receipt: Json, chain_id: int) -> Json:
    """Render a transaction for eth_getTransactionByHash, with its position from the receipt."""
    kind = transaction_type(transaction)
    place = {key: receipt[key] for key in ("blockHash", "blockNumber", "transactionIndex", "from")}
    signature: int = getattr(transaction, "v", transaction.y_parity)
    return (
        place
        | _fees(transaction, kind, chain_id)
        | {
            "type": hex(kind),
            "hash": receipt["transactionHash"],
            "to": to_checksum_address(transaction.to) if transaction.to else None,
            "nonce": hex(transaction.nonce),
            "value": hex(transaction.value),
            "gas": hex(transaction.gas),
            "gasPrice": receipt["effectiveGasPrice"],
            "input": "0x" + transaction.data.hex(),
            "v": hex(signature),
            "r": hex(transaction.r),
            "s": hex(transaction.s),
        }
    )


def _fees(transaction: SignedTransactionAPI, kind: int, chain_id: int) -> Json:
    if kind == LEGACY:
        return {}
    typed: Json = {"chainId": hex(chain_id), "accessList": _access_list(transaction)}
    if kind > ACCESS_LIST:
        typed["maxFeePerGas"] = hex(transaction.max_fee_per_gas)
        typed["maxPriorityFeePerGas"] = hex(transaction.max_priority_fee_per_gas)
    return typed


def _access_list(transaction: SignedTransactionAPI) -> list[Json]:
    return [
        {
            "address": to_checksum_address(address),
            "storageKeys": [f"0x{slot:064x}" for slot in slots],
        }
        for address, slots in transaction.access_list
    ]
