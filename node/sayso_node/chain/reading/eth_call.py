"""Asks a chain endpoint what a contract would answer, at a block named by its hash.

Nothing is sent to the chain. Whatever goes wrong, also an answer that is too long, is ChainUnreachable;
then the next endpoint is asked.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from sayso_node.chain.reading.json_rpc import JsonRpc
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.retrying import first_answer
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import ChainPoint

CALL_ANSWER_BYTES = 65_536
T = TypeVar("T")


class Links(Protocol):
    """Links are the ways to the chain, the one that is in use first."""

    @property
    def links(self) -> tuple[JsonRpc, ...]:
        """At least one."""
        ...


async def ask_links(endpoints: Links, ask: Callable[[JsonRpc], Awaitable[T]]) -> T:
    """What the first endpoint answers that has an answer.

    Raises:
        ProofUnavailable: As `ask` does, of the first endpoint, when none has an answer.
        ChainUnreachable: The first one did not answer, or with nonsense, and no other has an answer.
    """

    async def sensible(link: JsonRpc) -> T:
        try:
            return await ask(link)
        except (ChainUnreachable, ProofUnavailable):
            raise
        except Exception as error:  # whatever an answer provokes
            raise ChainUnreachable(f"{link.name} answered with nonsense: {error}") from error

    return await first_answer(endpoints.links, sensible, ChainUnreachable, ProofUnavailable)


class EthCall:
    """See contract_wallets.Prober."""

    def __init__(self, endpoints: Links) -> None:
        self._endpoints = endpoints

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """What the constructor in `code` returns if it is run after this block (EIP-1898)."""
        call = {"data": hex_text(code), "gas": hex(gas)}
        at = {"blockHash": hex_text(block.hash), "requireCanonical": True}

        async def ask(link: JsonRpc) -> bytes:
            answer = await link.ask("eth_call", [call, at], CALL_ANSWER_BYTES)
            return bytes.fromhex(answer["result"].removeprefix("0x"))

        return await ask_links(self._endpoints, ask)
