"""Fetches all transaction receipts of a block, and proves them by the root in the block's header."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.raw_blocks import encode_header, encode_receipt
from sayso_node.errors import ProofUnavailable
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.trie_building import trie_over
from sayso_protocol.primitives import hex_text, keccak
from sayso_protocol.receipts.receipt import ChainPoint


class BlockReceipts(NamedTuple):
    """All transaction receipts of a block: as the endpoint gave them, and as bytes that are proved."""

    given: list[Mapping[str, Any]]
    encoded: list[bytes]


async def proved_receipts(link: JsonRpc, block: ChainPoint) -> BlockReceipts:
    """Return a block's receipts, which give the root in the header that has the block's hash.

    Raises ProofUnavailable, ChainUnreachable, and other errors for answers that make no sense.
    """
    answer = result_of(await link.ask("eth_getBlockByHash", [hex_text(block.hash), False]))
    given = await receipts_of(link, block, answer["transactions"])
    return await asyncio.to_thread(_proved, block, answer, given)


async def receipts_of(link: JsonRpc, block: ChainPoint, names: Sequence[str]) -> list[Any]:
    """Return all receipts of a block, in one request if the endpoint supports that; nothing is proved.

    Args:
        link: The endpoint.
        block: The block.
        names: The hashes of its transactions, for endpoints that give one receipt at a time.
    """
    answer = await link.ask("eth_getBlockReceipts", [hex_text(block.hash)])
    if answer.get("error") is None and isinstance(answer.get("result"), list):
        return list(answer["result"])
    return [result_of(await link.ask("eth_getTransactionReceipt", [one])) for one in names]


def result_of(answer: Mapping[str, Any]) -> Any:
    """Return the result in an answer; raises ProofUnavailable without one."""
    if answer.get("error") is not None or answer.get("result") is None:
        raise ProofUnavailable("the endpoint does not have the block, or not what proves it")
    return answer["result"]


def header_of(answer: Any, block: ChainPoint) -> bytes:
    """Return the RLP of the header in an answer, which has the block's hash; raises ProofUnavailable."""
    header = encode_header(answer)
    if keccak(header) != block.hash:
        raise ProofUnavailable("the block's header has fields that this release does not know")
    return header


def _proved(block: ChainPoint, answer: Any, given: list[Any]) -> BlockReceipts:
    raw = header_of(answer, block)
    encoded = [encode_receipt(one) for one in given]
    if trie_over(encoded).root != read_header(raw, block.hash).receipts:
        raise ProofUnavailable(
            f"the receipts of block {block.number} do not give the root in its header"
        )
    return BlockReceipts(given, encoded)
