"""Fetches proofs of the registry's storage (EIP-1186) from chain endpoints with `eth_getProof`.

The node only passes them on. A client that trusts nobody checks them against the state root in the
block's header, and gets that header elsewhere.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from sayso_node.chain.rpc.block_receipts import header_of, result_of
from sayso_node.chain.rpc.eth_call import Links, ask_at, ask_links
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_protocol.primitives import address_text, bytes_from_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint

PROOF_ANSWER_BYTES: Final = 1_048_576
_QUANTITY: Final = re.compile(r"0x[0-9a-f]{1,64}", re.ASCII)


class StorageProofs:
    """Asks the endpoints in order."""

    def __init__(self, endpoints: Links, registry: bytes) -> None:
        self._endpoints = endpoints
        self._registry = registry

    async def proof(self, slots: Sequence[bytes], block: ChainPoint) -> dict[str, Any]:
        """Return the proof of some slots after a block, in the form of EIP-1186.

        Raises:
            ProofUnavailable: No endpoint supports the method or has the state of that block.
            ChainUnreachable: No endpoint has a proof, and at least the first failed.
        """
        return await ask_links(self._endpoints, lambda link: self._ask(link, slots, block))

    async def header(self, block: ChainPoint) -> bytes:
        """Return the RLP of a block's header, which has the block's hash; raises as proof() does."""
        return await ask_links(self._endpoints, lambda link: _ask_header(link, block))

    async def _ask(self, link: JsonRpc, slots: Sequence[bytes], block: ChainPoint) -> dict[str, Any]:
        place = [address_text(self._registry).lower(), [hex_text(one) for one in slots]]
        answer = await ask_at(link, "eth_getProof", place, block, PROOF_ANSWER_BYTES)
        return _checked(result_of(answer), slots)


async def _ask_header(link: JsonRpc, block: ChainPoint) -> bytes:
    question = [hex_text(block.hash), False]
    answer = await link.ask("eth_getBlockByHash", question, PROOF_ANSWER_BYTES)
    return header_of(result_of(answer), block)


def _checked(result: Any, slots: Sequence[bytes]) -> dict[str, Any]:
    """Return the fields of EIP-1186 in their form, for the requested slots in order."""
    proofs = {int(one["key"], 16): one for one in result["storageProof"]}
    found = [proofs[int.from_bytes(slot)] for slot in slots]
    return {
        "account_proof": _nodes(result["accountProof"]),
        "balance": _quantity(result["balance"]),
        "nonce": _quantity(result["nonce"]),
        "code_hash": _hex(result["codeHash"]),
        "storage_hash": _hex(result["storageHash"]),
        "slots": [
            {
                "slot": hex_text(slot),
                "value": _quantity(one["value"]),
                "proof": _nodes(one["proof"]),
            }
            for slot, one in zip(slots, found, strict=True)
        ],
    }


def _quantity(value: Any) -> str:
    """Return a number without leading zeros, with which some endpoints fill storage values up."""
    if not _QUANTITY.fullmatch(value):
        raise ValueError("not in the form of EIP-1186")
    return hex(int(value, 16))


def _nodes(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("not a list of trie nodes")
    return [_hex(one) for one in value]


def _hex(value: Any) -> str:
    if not bytes_from_text(value):
        raise ValueError("empty where EIP-1186 has bytes")
    text: str = value
    return text
