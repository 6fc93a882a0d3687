"""Asks a chain endpoint what a contract would answer, at a block named by its hash.

Nothing is sent to the chain. Whatever goes wrong, also an answer that is too long, is ChainUnreachable;
then the next endpoint is asked.
"""

from typing import Any, Protocol

from sayso_node.chain.reading.json_rpc import JsonRpc
from sayso_node.errors import ChainUnreachable
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import ChainPoint

ANSWER_BYTES = 65_536


class Links(Protocol):
    """Links are the ways to the chain, the one that is in use first."""

    @property
    def links(self) -> tuple[JsonRpc, ...]:
        """At least one."""
        ...


class EthCall:
    """See contract_wallets.Prober."""

    def __init__(self, endpoints: Links) -> None:
        self._endpoints = endpoints

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """What the constructor in `code` returns if it is run after this block (EIP-1898)."""
        call = {"data": hex_text(code), "gas": hex(gas)}
        at = {"blockHash": hex_text(block.hash), "requireCanonical": True}
        failure: ChainUnreachable | None = None
        for link in self._endpoints.links:
            try:
                return _result(await link.ask("eth_call", [call, at], ANSWER_BYTES))
            except ChainUnreachable as error:
                failure = failure or error
        assert failure  # noqa: S101 - there is at least one endpoint
        raise failure


def _result(answer: dict[str, Any]) -> bytes:
    try:
        return bytes.fromhex(answer["result"].removeprefix("0x"))
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ChainUnreachable("the endpoint answered with an error or with nonsense") from error
