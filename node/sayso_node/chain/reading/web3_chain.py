"""The chain by web3: one JSON-RPC endpoint, over HTTP or WebSocket.

Whatever an endpoint does wrong becomes ChainUnreachable, so that its users know one failure. One kind of
it is told apart: RangeRefused, when the endpoint answers, but not for so many blocks.
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

LARGEST = (1 << 63) - 1  # what the store can hold, of blocks and seconds


@contextmanager
def chain_errors(*but: type[Exception]) -> Iterator[None]:
    """Every failure of an endpoint is one to its users, but for these."""
    try:
        with rpc_errors():
            yield
    except ChainUnreachable:
        raise
    except Exception as error:  # web3 raises whatever an answer provokes
        if isinstance(error, but):
            raise
        raise ChainUnreachable(f"{type(error).__name__}: {error}") from error


def _head(block: Mapping[str, Any]) -> ChainHead:
    """A block as it was answered; raises ValueError or what its form provokes."""
    number, block_hash, time = int(block["number"]), bytes(block["hash"]), int(block["timestamp"])
    if not (0 <= number <= LARGEST and 0 <= time <= LARGEST and len(block_hash) == HASH_BYTES):
        raise ValueError("this is no block")
    return ChainHead(ChainPoint(number, block_hash), float(time))


class LinkProvider(AsyncJSONBaseProvider):
    """web3 over our own link: nothing is tried again behind our back."""

    def __init__(self, link: JsonRpc) -> None:
        super().__init__()
        self._link = link

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """See JsonRpc.ask; web3 tells results from errors."""
        return cast("RPCResponse", await self._link.ask(method, params))


class Web3Chain:
    """See chain/interface.py."""

    def __init__(self, url: str, network: Network, timeout_s: float = TIMEOUT_S) -> None:
        self.link = JsonRpc(url, timeout_s)
        self.w3: AsyncWeb3[Any] = AsyncWeb3(LinkProvider(self.link))
        self._network = network
        self._checked = False

    @property
    def name(self) -> str:
        """The endpoint, for logs."""
        return self.link.name

    async def close(self) -> None:
        """Close the connections."""
        await self.link.close()

    async def head(self) -> ChainHead:
        """The newest block; refuses an endpoint of another chain."""
        await self.check_chain()
        with chain_errors():
            return _head(await self.w3.eth.get_block("latest"))

    async def check_chain(self) -> None:
        """Once for each connection: it is the chain that was asked for; raises ChainUnreachable."""
        with chain_errors():
            if not self._checked:
                await check_chain(self.w3, self._network.chain_id)
                self._checked = True

    async def block_hash(self, number: int) -> bytes | None:
        """The hash at a height, or None above the head."""
        with chain_errors():
            try:
                point = _head(await self.w3.eth.get_block(number)).point
            except BlockNotFound:
                return None
            if point.number != number:
                raise ValueError(f"asked for block {number}, answered with {point.number}")
            return point.hash

    async def events(self, first: int, last: int) -> list[Event]:
        """The registry's events in these blocks, in order; raises RangeRefused also."""
        question = log_filter(self._network.registry, first, last)
        answer = await self.link.ask("eth_getLogs", [question])
        if last > first and answer.get("error") is not None:
            raise RangeRefused(f"{self.name}: {str(answer['error'])[:200]}")
        return self._read_logs(answer, first, last)

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """The registry's events in one block, named by its hash (EIP-234).

        An endpoint behind a balancer that does not have this block must say so, and not "no logs".
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
