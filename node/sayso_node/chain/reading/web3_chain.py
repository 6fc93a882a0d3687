"""One chain endpoint over web3, using JSON-RPC by HTTP or WebSocket.

Any failure of the endpoint becomes ChainUnreachable. Only RangeRefused is distinguished: the endpoint
answers, but refuses so many blocks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from web3 import AsyncWeb3
from web3.exceptions import BlockNotFound
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from sayso_contracts.events import Event, decode_log, log_filter
from sayso_contracts.rpc import rpc_errors
from sayso_contracts.transactions import check_chain
from sayso_node.chain.reading.json_rpc import TIMEOUT_S, JsonRpc
from sayso_node.errors import ChainUnreachable, RangeRefused
from sayso_node.freshness import ChainHead
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, hex_text
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.redaction import redacted

LARGEST = (1 << 63) - 1  # the store's largest number for blocks and seconds


@contextmanager
def chain_errors(*but: type[Exception]) -> Iterator[None]:
    """Convert any failure of an endpoint to ChainUnreachable, except these errors."""
    try:
        with rpc_errors():
            yield
    except ChainUnreachable:
        raise
    except Exception as error:  # web3 raises many kinds of errors
        if isinstance(error, but):
            raise
        raise ChainUnreachable(f"{type(error).__name__}: {redacted(str(error))}") from error


def _head(block: Mapping[str, Any]) -> ChainHead:
    """Read a block from an answer; raises ValueError and other errors for invalid input."""
    number, block_hash, time = int(block["number"]), bytes(block["hash"]), int(block["timestamp"])
    if not (0 <= number <= LARGEST and 0 <= time <= LARGEST and len(block_hash) == HASH_BYTES):
        raise ValueError("this is no block")
    return ChainHead(ChainPoint(number, block_hash), float(time))


class LinkProvider(AsyncJSONBaseProvider):
    """A web3 provider over our own JsonRpc, without web3's retries."""

    def __init__(self, link: JsonRpc) -> None:
        super().__init__()
        self._link = link

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """See JsonRpc.ask; web3 separates results from errors."""
        return cast("RPCResponse", await self._link.ask(method, params))


class Web3Chain:
    """Chain (chain/interface.py) over one endpoint."""

    def __init__(self, url: str, network: Network, timeout_s: float = TIMEOUT_S) -> None:
        self.link = JsonRpc(url, timeout_s)
        self.w3: AsyncWeb3[Any] = AsyncWeb3(LinkProvider(self.link))
        self._network = network
        self._checked = False

    @property
    def name(self) -> str:
        """The endpoint's name for logs."""
        return self.link.name

    async def close(self) -> None:
        """Close the connections."""
        await self.link.close()

    async def head(self) -> ChainHead:
        """Return the newest block; raises ChainUnreachable for an endpoint of another chain."""
        await self.check_chain()
        with chain_errors():
            return _head(await self.w3.eth.get_block("latest"))

    async def check_chain(self) -> None:
        """Check once per connection that the chain is the expected one; raises ChainUnreachable."""
        with chain_errors():
            if not self._checked:
                await check_chain(self.w3, self._network.chain_id)
                self._checked = True

    async def block_hash(self, number: int) -> bytes | None:
        """Return the hash at a height, or None above the head."""
        block = await self._block(number)
        return block.point.hash if block else None

    async def block_time(self, number: int) -> float | None:
        """Return the time of the block at a height, or None above the head."""
        block = await self._block(number)
        return block.time if block else None

    async def _block(self, number: int) -> ChainHead | None:
        with chain_errors():
            try:
                block = _head(await self.w3.eth.get_block(number))
            except BlockNotFound:
                return None
            if block.point.number != number:
                raise ValueError(f"requested block {number}, got {block.point.number}")
            return block

    async def events(self, first: int, last: int) -> list[Event]:
        """Return the registry's events in these blocks, in order; also raises RangeRefused."""
        question = log_filter(self._network.registry, first, last)
        answer = await self.link.ask("eth_getLogs", [question])
        if last > first and answer.get("error") is not None:
            raise RangeRefused(f"{self.name}: {str(answer['error'])[:200]}")
        return self._read_logs(answer, first, last)

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """Return the registry's events in one block, named by its hash (EIP-234).

        An endpoint behind a load balancer that lacks the block must report that, and not return no logs.
        """
        question = log_filter(self._network.registry, block.number, block.number)
        question = {name: question[name] for name in ("address", "topics")}
        question["blockHash"] = hex_text(block.hash)
        answer = await self.link.ask("eth_getLogs", [question])
        events = self._read_logs(answer, block.number, block.number)
        if any(event.block_hash != block.hash for event in events):
            raise ChainUnreachable("the endpoint answered with logs of another block")
        return events

    def _read_logs(self, answer: Mapping[str, Any], first: int, last: int) -> list[Event]:
        with chain_errors():
            if answer.get("error") is not None or not isinstance(answer.get("result"), list):
                raise ValueError(f"no logs: {str(answer)[:200]}")
            decoded = [decode_log(raw, self._network.registry) for raw in answer["result"]]
            events = [event for event in decoded if event is not None]
            if any(not first <= event.block_number <= last for event in events):
                raise ValueError("the endpoint answered with logs of other blocks")
            return sorted(events, key=lambda event: (event.block_number, event.log_index))
