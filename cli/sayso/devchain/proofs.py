"""EIP-1186 proofs, and all header fields that a block hash covers.

A verifier hashes the RLP of the header to the block hash, and follows the proof from the state root.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any

import rlp  # type: ignore[import-untyped]
from eth.rlp.accounts import Account
from trie.hexary import HexaryTrie

from sayso_protocol.primitives import keccak

HASHED_FROM = 32  # bytes; a shorter node is embedded in its parent

Json = dict[str, Any]
Nodes = MutableMapping[bytes, bytes]  # encoded trie nodes by their hash


def header_json(header: Any) -> Json:
    """Return the fields of a Prague header that alysis omits from a block, or pads (`extraData`)."""
    return {
        "extraData": _hex(header.extra_data),
        "mixHash": _hex(header.mix_hash),
        "withdrawals": [],
        "withdrawalsRoot": _hex(header.withdrawals_root),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": _hex(header.parent_beacon_block_root),
        "requestsHash": _hex(header.requests_hash),
    }


def account_proof(nodes: Nodes, state_root: bytes, address: bytes, keys: Sequence[str]) -> Json:
    """Return the EIP-1186 answer for storage keys (hex numbers), with proofs of absence."""
    state = HexaryTrie(nodes, state_root)
    leaf = state[keccak(address)]
    account = rlp.decode(leaf, sedes=Account) if leaf else Account()
    storage = HexaryTrie(nodes, account.storage_root)
    return {
        "address": _hex(address),
        "accountProof": _path(state, keccak(address)),
        "balance": hex(account.balance),
        "nonce": hex(account.nonce),
        "codeHash": _hex(account.code_hash),
        "storageHash": _hex(account.storage_root),
        "storageProof": [_slot_proof(storage, key) for key in keys],
    }


def _slot_proof(storage: HexaryTrie, key: str) -> Json:
    place = keccak(int(key, 16).to_bytes(32))
    value = int.from_bytes(rlp.decode(storage[place])) if storage[place] else 0
    return {"key": key, "value": hex(value), "proof": _path(storage, place)}


def _path(trie: HexaryTrie, key: bytes) -> list[str]:
    encoded = [rlp.encode(node) for node in trie.get_proof(key)]  # type: ignore[no-untyped-call]
    return [_hex(node) for place, node in enumerate(encoded) if not place or len(node) >= HASHED_FROM]


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
