"""A client of the chain under test, and a few hand-made contracts."""

from dataclasses import dataclass
from typing import Any

import aiohttp
from eth_account.signers.local import LocalAccount
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.types import TxReceipt

from sayso.devchain import DevChain
from support.waiting import DEADLINE_S

LONG_S = 3600.0  # a block time that no test outlasts: only what the test does makes blocks


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


# Runtime code, assembled by hand.
STORE_TIMESTAMP = "4260005500"  # storage[0] = block.timestamp
REVERT_DEADBEEF = "63deadbeef6000526004601cfd"  # revert with the four bytes 0xdeadbeef
REVERT_EMPTY = "60006000fd"
TWO_LOGS = "5f355f5fa160205f5fa100"  # topics: the first word of the call; 0x20


def init_code(runtime: str) -> str:
    """Init code that deploys `runtime` (hex, up to 255 bytes)."""
    size = f"{len(runtime) // 2:02x}"
    return f"0x60{size}600c60003960{size}6000f3{runtime}"


@dataclass
class Client:
    chain: DevChain
    web3: AsyncWeb3[AsyncHTTPProvider]
    http: aiohttp.ClientSession

    async def post(self, body: bytes) -> tuple[int, Any]:
        async with self.http.post(self.chain.url, data=body) as response:
            text = await response.text()
            return response.status, await response.json() if text else None

    async def rpc(self, method: str, *params: Any) -> Any:
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self.http.post(self.chain.url, json=request) as response:
            return await response.json()

    async def send(self, account: LocalAccount, **fields: Any) -> TxReceipt:
        tx: dict[str, Any] = {
            "chainId": self.chain.chain_id,
            "nonce": await self.web3.eth.get_transaction_count(account.address, "pending"),
            "maxPriorityFeePerGas": await self.web3.eth.max_priority_fee,
            "maxFeePerGas": self.web3.to_wei(5, "gwei"),
            "value": 0,
            "gas": 200_000,
            **fields,
        }
        raw = account.sign_transaction(tx).raw_transaction
        sent = await self.web3.eth.send_raw_transaction(raw)
        return await self.web3.eth.wait_for_transaction_receipt(sent, timeout=DEADLINE_S)

    async def deploy(self, runtime: str) -> str:
        receipt = await self.send(self.chain.accounts[0], data=init_code(runtime))
        assert receipt["status"] == 1
        return str(receipt["contractAddress"])
