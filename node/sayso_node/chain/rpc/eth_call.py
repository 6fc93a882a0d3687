"""Runs a contract's code on a chain endpoint, at a block named by its hash, without a transaction.

Some endpoints take no hash (EIP-1898). They are asked by number, and the block that they have at that
height is compared afterwards. `/readyz` says so (the alarm `chain-by-number`).

Any failure, also an answer that is too long, is ChainUnreachable; then the next endpoint is asked.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, TypeVar

from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.pace import TEXT_CHARS
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.supervision.retrying import first_answer
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.receipt import ChainPoint

CALL_ANSWER_BYTES = 65_536
REVERTED: Final = 3
INVALID_PARAMS: Final = -32_602
_FORM_WORDS: Final = ("invalid", "argument", "unmarshal", "parse", "param")
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


async def ask_at(
    link: JsonRpc, method: str, params: list[Any], block: ChainPoint, limit: int
) -> dict[str, Any]:
    """Return the answer about the state after a block, which is the last parameter of the method.

    Raises ChainUnreachable if the endpoint takes numbers only and has another block at this height.
    """
    if not link.takes_numbers_only:
        name = {"blockHash": hex_text(block.hash), "requireCanonical": True}
        answer = await link.ask(method, [*params, name], limit)
        error = answer.get("error")
        if error is None or _is_reverted(error):
            return answer
    by_number = await link.ask(method, [*params, hex(block.number)], limit)
    refused = by_number.get("error")
    if refused is not None and not _is_reverted(refused):
        return by_number  # which says nothing about any block
    there = await link.ask("eth_getBlockByNumber", [hex(block.number), False])
    if str(there["result"]["hash"]).lower() != hex_text(block.hash):
        raise ChainUnreachable(f"{link.name} has another block at the height {block.number}")
    if refused is None and not link.takes_numbers_only:
        link.takes_numbers_only = _is_about_form(error)
    return by_number


def _is_reverted(error: Any) -> bool:
    return isinstance(error, dict) and (error.get("code") == REVERTED or "data" in error)


def _is_about_form(error: Any) -> bool:
    """Return whether an endpoint refuses the form of a parameter, and not a block that it lacks."""
    if not isinstance(error, dict):
        return False
    text = str(error.get("message"))[:TEXT_CHARS].lower()
    return error.get("code") == INVALID_PARAMS or any(word in text for word in _FORM_WORDS)


class EthCall:
    """Prober (contract_wallets.py) over chain endpoints."""

    def __init__(self, endpoints: Links) -> None:
        self._endpoints = endpoints

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        """Return the output of the constructor in `code` if it runs after this block (EIP-1898)."""
        call = {"data": hex_text(code), "gas": hex(gas)}

        async def ask(link: JsonRpc) -> bytes:
            answer = await ask_at(link, "eth_call", [call], block, CALL_ANSWER_BYTES)
            return bytes.fromhex(answer["result"].removeprefix("0x"))

        return await ask_links(self._endpoints, ask)
