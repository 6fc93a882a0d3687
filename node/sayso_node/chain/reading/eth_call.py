"""Runs a contract's code on a chain endpoint, at a block named by its hash, without a transaction.

Any failure, also an answer that is too long, is ChainUnreachable; then the next endpoint is asked.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sayso_node.chain.reading.json_rpc import JsonRpc
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.supervision.retrying import first_answer
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import ChainPoint

CALL_ANSWER_BYTES = 65_536
T = TypeVar("T")


class Links(Protocol):
    """Links has the connections to chain endpoints, that of the endpoint in use first."""

    @property
    def links(self) -> tuple[JsonRpc, ...]:
        """Return at least one connection."""
        ...


async def ask_links(endpoints: Links, ask: Callable[[JsonRpc], Awaitable[T]]) -> T:
    """Ask the endpoints in order and return the first answer.

    Raises:
        ProofUnavailable: As `ask` raises for the first endpoint, if no endpoint has an answer.
        ChainUnreachable: The first one failed or its answer made no sense, and no other has an answer.
    """

    async def sensible(link: JsonRpc) -> T:
        try:
            return await ask(link)
        except (ChainUnreachable, ProofUnavailable):
            raise
        except Exception as error:  # any error that an answer causes
            raise ChainUnreachable(f"the answer of {link.name} makes no sense: {error}") from error

    return await first_answer(endpoints.links, sensible, ChainUnreachable, ProofUnavailable)


class EthCall:
    """Prober (contract_wallets.py) over chain endpoints."""

    def __init__(self, endpoints: Links) -> None:
        self._endpoints = endpoints

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """Return the output of the constructor in `code` if it runs after this block (EIP-1898)."""
        call = {"data": hex_text(code), "gas": hex(gas)}
        at = {"blockHash": hex_text(block.hash), "requireCanonical": True}

        async def ask(link: JsonRpc) -> bytes:
            answer = await link.ask("eth_call", [call, at], CALL_ANSWER_BYTES)
            return bytes.fromhex(answer["result"].removeprefix("0x"))

        return await ask_links(self._endpoints, ask)
