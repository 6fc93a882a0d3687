"""One chain endpoint over web3, using JSON-RPC by HTTP or WebSocket.

Any failure of the endpoint becomes ChainUnreachable. Only RangeRefused is distinguished: the endpoint
answers, but refuses so many blocks.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from web3 import AsyncWeb3
from web3.providers.async_base import AsyncJSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from sayso_contracts.deploy import verify
from sayso_contracts.registry.events import Event, decode_log, log_filter
from sayso_contracts.rpc import quantity_from_text, rpc_errors
from sayso_contracts.transactions import check_chain
from sayso_node.chain.interface import BlockHeader
from sayso_node.chain.rpc.block_receipts import BlockReceipts, proved_receipts
from sayso_node.chain.rpc.json_rpc import TIMEOUT_S, JsonRpc
from sayso_node.chain.rpc.raw_blocks import bytes_of, has_hash
from sayso_node.errors import ChainUnreachable, ProofUnavailable, RangeRefused
from sayso_protocol.ethereum.transactions import all_logs
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, address_text, hex_text
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.redaction import reason_of, redacted

JUMP_BLOCKS = 64  # between two heads, in either direction
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
        raise ChainUnreachable(redacted(reason_of(error))) from error


def _header(block: Any) -> BlockHeader:
    """Read a block from an answer; raises ValueError and other errors for invalid input."""
    number, time = (quantity_from_text(block[name]) for name in ("number", "timestamp"))
    block_hash = bytes_of(block["hash"])
    if not (0 <= number <= LARGEST and 0 <= time <= LARGEST and len(block_hash) == HASH_BYTES):
        raise ValueError("this is no block")
    parent, bloom = (bytes_of(block.get(name) or "0x") for name in ("parentHash", "logsBloom"))
    return BlockHeader(
        ChainPoint(number, block_hash), float(time), parent, bloom, has_hash(block, block_hash)
    )


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
        self._checked = -1  # connections of the link when its chain was last checked
        self._newest: ChainPoint | None = None

    @property
    def name(self) -> str:
        """The endpoint's name for logs."""
        return self.link.name

    async def close(self) -> None:
        """Close the connections."""
        await self.link.close()

    async def head(self) -> BlockHeader:
        """Return the newest block; raises ChainUnreachable for an endpoint of another chain."""
        await self.check_chain()
        head = await self._block("latest")
        if head is None:
            raise ChainUnreachable(f"{self.name} has no newest block")
        await self.check_chain()  # if that was another connection
        if self._newest is None or abs(head.point.number - self._newest.number) > JUMP_BLOCKS:
            await self._check_registry()
        self._newest = head.point
        return head

    async def _check_registry(self) -> None:
        """Check chain and contract, at the start and when the head jumps; raises ChainUnreachable."""
        self._checked = -1
        await self.check_chain()
        with chain_errors():
            await verify(self.w3, address_text(self._network.registry))

    async def check_chain(self) -> None:
        """Check once per connection that the chain is the expected one; raises ChainUnreachable."""
        with chain_errors():
            if self._checked != self.link.connections:
                self._checked = -1
                await check_chain(self.w3, self._network.chain_id)
                self._checked = self.link.connections

    async def header(self, number: int) -> BlockHeader | None:
        """Return the block at a height, or None above the head."""
        block = await self._block(hex(number))
        if block and block.point.number != number:
            raise ChainUnreachable(f"{self.name}: requested block {number}, got {block.point.number}")
        return block

    async def _block(self, which: str) -> BlockHeader | None:
        answer = await self.link.ask("eth_getBlockByNumber", [which, False])
        with chain_errors():
            if answer.get("error") is not None:
                raise ValueError(f"no block: {str(answer['error'])[:200]}")
            found = answer["result"]
            return None if found is None else _header(found)

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

    async def proved_events(self, block: ChainPoint) -> list[Event]:
        """Return the registry's events in one block from its transaction receipts, which are proved.

        Also raises ProofUnavailable.
        """
        with chain_errors(ProofUnavailable):
            found = await proved_receipts(self.link, block)
            return self._proved_events(block, found)

    def _proved_events(self, block: ChainPoint, found: BlockReceipts) -> list[Event]:
        """Read events from proved bytes; the hashes of their transactions are the endpoint's word."""
        events, index = list[Event](), 0
        for given, raw in zip(found.given, found.encoded, strict=True):
            for log in all_logs(raw):
                place = {"blockNumber": block.number, "blockHash": block.hash, "logIndex": index}
                value = log._asdict() | place | {"transactionHash": given["transactionHash"]}
                if event := decode_log(value, self._network.registry):
                    events.append(event)
                index += 1
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
