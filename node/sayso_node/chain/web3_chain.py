"""The chain by web3: one JSON-RPC endpoint over HTTP.

Whatever an endpoint does wrong becomes ChainUnreachable, so that its users know one failure.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from eth_account.signers.local import LocalAccount
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import BlockNotFound, TransactionNotFound
from web3.types import FilterParams, RPCResponse

from sayso_contracts.events import Event, decode_log, log_filter
from sayso_contracts.registry import Registry
from sayso_contracts.rpc import rpc_errors
from sayso_contracts.transactions import check_chain, sign, submit
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead
from sayso_protocol.json_text import parse_json
from sayso_protocol.primitives import HASH_BYTES, address_text, keccak
from sayso_protocol.receipts import ChainPoint
from sayso_protocol.typed_data import Network

TIMEOUT_S = 10.0
LARGEST = (1 << 63) - 1  # what the store can hold, of blocks and seconds


@contextmanager
def _chain_errors() -> Iterator[None]:
    """Every failure of an endpoint is one to its users."""
    try:
        with rpc_errors():
            yield
    except Exception as error:  # web3 raises whatever an answer provokes
        raise ChainUnreachable(f"{type(error).__name__}: {error}") from error


def _head(block: Mapping[str, Any]) -> ChainHead:
    """A block as it was answered; raises ValueError or what its form provokes."""
    number, block_hash, time = int(block["number"]), bytes(block["hash"]), int(block["timestamp"])
    if not (0 <= number <= LARGEST and 0 <= time <= LARGEST and len(block_hash) == HASH_BYTES):
        raise ValueError("this is no block")
    return ChainHead(ChainPoint(number, block_hash), float(time))


class _Provider(AsyncHTTPProvider):
    """Reads answers as what they are: bytes that somebody else wrote."""

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """The JSON-RPC object; raises Malformed or TypeError."""
        answer = parse_json(raw_response)
        if not isinstance(answer, dict):
            raise TypeError("not a JSON-RPC object")
        return cast("RPCResponse", answer)


class Web3Chain:
    """See chain/interface.py; `account` signs and pays anchors, None for a node that does not anchor."""

    def __init__(self, url: str, network: Network, account: LocalAccount | None) -> None:
        # Not tried again by web3: its users do, and they know what else may have changed.
        provider = _Provider(url, {"timeout": TIMEOUT_S}, exception_retry_configuration=None)
        self._w3 = AsyncWeb3(provider)
        self._provider = provider
        self._network = network
        self._registry = Registry(self._w3, address_text(network.registry), network.chain_id)
        self._account = account
        self._checked = False

    async def close(self) -> None:
        """Close the connections."""
        await self._provider.disconnect()

    async def head(self) -> ChainHead:
        """The newest block; refuses an endpoint of another chain."""
        with _chain_errors():
            if not self._checked:
                await check_chain(self._w3, self._network.chain_id)
                self._checked = True
            return _head(await self._w3.eth.get_block("latest"))

    async def block_hash(self, number: int) -> bytes | None:
        """The hash at a height, or None above the head."""
        with _chain_errors():
            try:
                point = _head(await self._w3.eth.get_block(number)).point
            except BlockNotFound:
                return None
            if point.number != number:
                raise ValueError(f"asked for block {number}, answered with {point.number}")
            return point.hash

    async def events(self, first: int, last: int) -> list[Event]:
        """The registry's events in these blocks, in order."""
        with _chain_errors():
            question = cast("FilterParams", log_filter(self._network.registry, first, last))
            logs = await self._w3.eth.get_logs(question)
            decoded = [decode_log(cast("Any", raw), self._network.registry) for raw in logs]
        events = [event for event in decoded if event is not None]
        if any(not first <= event.block_number <= last for event in events):
            raise ChainUnreachable("the endpoint answered with logs of other blocks")
        return sorted(events, key=lambda event: (event.block_number, event.log_index))

    async def sign_anchor(self, root: bytes) -> bytes:
        """A signed transaction that anchors a root, not sent yet."""
        if self._account is None:
            raise ChainUnreachable("this node has no account to pay for anchors")
        with _chain_errors():
            call = self._registry.anchor(root)
            return sign(await self._registry.prepare(call, self._account.address), self._account).raw

    async def send(self, raw_transaction: bytes) -> bool:
        """Broadcast a transaction unless the endpoint has it; True if it was broadcast now."""
        with _chain_errors():
            name = keccak(raw_transaction)
            try:
                known = await self._w3.eth.get_transaction(cast("Any", name))
            except TransactionNotFound:
                await submit(self._w3, raw_transaction)
                return True
            if known["hash"] != name:
                raise ValueError("the endpoint answered with another transaction")
            return False
