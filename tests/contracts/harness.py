"""A chain under test, and an endpoint that lacks or refuses methods."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import AsyncBaseProvider, AsyncHTTPProvider, AsyncWeb3
from web3.types import RPCEndpoint, RPCResponse

NO_METHOD = -32601
Refuses = Callable[[str, Any], bool]  # (method, parameters)


@dataclass(frozen=True)
class Chain:
    w3: AsyncWeb3[Any]
    account: LocalAccount  # has money
    chain_id: int


@asynccontextmanager
async def connect(url: str, account: LocalAccount, chain_id: int) -> AsyncIterator[Chain]:
    w3 = AsyncWeb3(AsyncHTTPProvider(url))
    try:
        yield Chain(w3, account, chain_id)
    finally:
        await w3.provider.disconnect()


class Refusing(AsyncBaseProvider):
    """Answers as `behind` does, except for what it refuses."""

    def __init__(self, behind: AsyncBaseProvider, refuses: Refuses) -> None:
        super().__init__()
        self._behind = behind
        self._refuses = refuses
        self.refused: list[str] = []

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        if self._refuses(method, params):
            self.refused.append(method)
            return {"jsonrpc": "2.0", "id": 1, "error": {"code": NO_METHOD, "message": "no"}}
        return await self._behind.make_request(method, params)
