"""The demo's chain: the embedded chain in its own process, or a named endpoint.

On a named endpoint, an unlocked account pays, such as one of anvil's ten. Where blocks come only with
transactions, the demo requests one every second, because a node judges the age of its view by blocks.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso.demo.processes import Child
from sayso.devchain.accounts import dev_account
from sayso.errors import DemoFailed
from sayso_contracts.deploy import Deployment, deploy
from sayso_contracts.registry.calls import Call
from sayso_contracts.rpc import rpc_errors
from sayso_contracts.transactions import prepare, sign, submit, wait

CHAIN_START_S: Final = 30.0
BLOCK_S: Final = 1.0
TRANSACTION_S: Final = 60.0
ALLOWANCE_WEI: Final = 10**17  # for one account of the demo


@dataclass
class DemoChain:
    """DemoChain is a chain endpoint with an account that pays."""

    url: str
    chain_id: int
    w3: Any
    payer: LocalAccount
    process: Child | None = None
    pulse: asyncio.Task[None] | None = None

    async def deploy(self) -> Deployment:
        """Deploy the registry, or find the existing one."""
        return await deploy(self.w3, self.payer, expected_chain_id=self.chain_id)

    async def fund(self, account: LocalAccount) -> None:
        """Send an account coins for gas."""
        call = Call(account.address, b"")
        transaction = await prepare(
            self.w3, self.chain_id, self.payer.address, call, value=ALLOWANCE_WEI
        )
        sent = await submit(self.w3, sign(transaction, self.payer).raw)
        await wait(self.w3, sent, TRANSACTION_S)

    async def pass_time(self, seconds: int) -> None:
        """Move the time of all further blocks forward; raises DemoFailed where the chain cannot."""
        for method, parameters in (("evm_increaseTime", [seconds]), ("evm_mine", [])):
            answer = await self.w3.provider.make_request(method, parameters)
            if "error" in answer:
                raise DemoFailed(f"the chain does not know {method}")

    async def stop(self) -> None:
        """Stop the tasks and the process of the chain."""
        if self.pulse:
            self.pulse.cancel()
            await asyncio.gather(self.pulse, return_exceptions=True)
        await self.w3.provider.disconnect()
        if self.process:
            await self.process.stop()


async def embedded_chain(folder: Path) -> DemoChain:
    """Start the embedded chain in its own process."""
    arguments = ("sayso.devchain", "--port", "0", "--block-time", str(BLOCK_S))
    child = await Child.start("the chain", folder / "chain.log", *arguments)
    try:
        described = json.loads(await child.first_line(CHAIN_START_S))
    except BaseException:
        await child.stop()
        raise
    w3 = _web3(described["url"])
    return DemoChain(described["url"], described["chain_id"], w3, dev_account(0), child)


async def named_chain(url: str) -> DemoChain:
    """Use a running endpoint; raises DemoFailed if it has no unlocked account."""
    w3 = _web3(url)
    payer: LocalAccount = Account.create()
    try:
        with rpc_errors():
            chain_id = await w3.eth.chain_id
            purse = await _unlocked_account(w3, url)
            gift = {"from": purse, "to": payer.address, "value": 20 * ALLOWANCE_WEI}
            sent = await w3.eth.send_transaction(gift)
        await wait(w3, bytes(sent), TRANSACTION_S)
    except BaseException:
        await w3.provider.disconnect()
        raise
    return DemoChain(url, chain_id, w3, payer, pulse=asyncio.create_task(_pulse(w3)))


async def _unlocked_account(w3: Any, url: str) -> str:
    for account in await w3.eth.accounts:
        return str(account)
    raise DemoFailed(f"{url} has no unlocked account to pay for the demo")


def _web3(url: str) -> Any:
    from web3 import AsyncHTTPProvider, AsyncWeb3  # noqa: PLC0415 - takes a second to import

    return AsyncWeb3(AsyncHTTPProvider(url))


async def _pulse(w3: Any) -> None:
    """Request a block whenever the chain made none; endpoints without evm_mine make their own."""
    seen = -1
    while True:
        with contextlib.suppress(Exception):
            number = await w3.eth.block_number
            if number == seen:
                await w3.provider.make_request("evm_mine", [])
            seen = number
        await asyncio.sleep(BLOCK_S)
