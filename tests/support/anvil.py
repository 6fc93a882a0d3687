"""A real Ethereum node for tests: anvil, from contracts/node_modules, on a free port of this machine."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eth_account import Account
from web3 import AsyncHTTPProvider, AsyncWeb3

from sayso.demo.ports import free_ports
from sayso_contracts.deploy import deploy
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text
from support.waiting import DEADLINE_S

REPOSITORY = Path(__file__).resolve().parents[2]
CHAIN_ID = 31_337
STOP_TIMEOUT_S = 10.0

# The accounts that anvil funds, from the mnemonic it publishes. Known to everybody: for tests only.
RICH_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"


def binary() -> Path:
    """Where npm put anvil; fails when it did not."""
    path = REPOSITORY / "contracts" / "node_modules" / ".bin" / "anvil"
    if not path.exists():
        raise AssertionError("these tests need anvil: run `npm ci` in contracts/")
    return path


@contextmanager
def anvil(
    *, chain_id: int = CHAIN_ID, hardfork: str = "prague", options: tuple[str, ...] = ()
) -> Iterator[str]:
    """Run a fresh chain that mines a block a transaction; yields its HTTP URL.

    Finality is two blocks behind the head. `options` are further arguments of anvil's; WebSocket
    is served on the same port.
    """
    (port,) = free_ports(1)
    command = [str(binary()), "--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)]
    fixed = ["--hardfork", hardfork, "--slots-in-an-epoch", "1", "--quiet"]
    process = subprocess.Popen([*command, *fixed, *options])
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, url, chain_id)
        yield url
    finally:
        _stop(process)


async def registry_on(rpc: str) -> tuple[Network, int]:
    """Deploy the registry, as its operators do; the network that it makes, and its block."""
    web3 = AsyncWeb3(AsyncHTTPProvider(rpc))
    try:
        made = await deploy(web3, Account.from_key(RICH_KEY), expected_chain_id=CHAIN_ID)
    finally:
        await web3.provider.disconnect()
    return Network(CHAIN_ID, address_from_text(made.address)), made.block_number


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, chain_id: int) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"anvil ended at once with code {process.returncode}")
        if _chain_id(url) == chain_id:
            return
        time.sleep(0.02)
    raise AssertionError(f"anvil did not answer within {DEADLINE_S} s")


def _chain_id(url: str) -> int | None:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return int(json.load(answer)["result"], 16)
    except (urllib.error.URLError, OSError):
        return None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
