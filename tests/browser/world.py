"""A world for the page: anvil with the registry, two real nodes that know each other, people with keys.

with world(folder) as w:
    w.north.url      # serves the page
    w.license(ada, 3, grantee=..., purposes=("train-ai",))
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso.contributor.licensing import Terms, build_consents, sign_message
from sayso.demo.ports import LOOPBACK, free_ports
from sayso.node_client.client import NodeClient
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_protocol.messages.envelope import Envelope, decode
from sayso_protocol.messages.message import Message
from sayso_protocol.network_file import Named, NetworkFile
from sayso_protocol.primitives import address_from_text, address_text, keccak, sha256
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.anvil import RICH_KEY, anvil, registry_on

DEADLINE_S = 90.0  # generous: only a failure waits for it
DAY_S = 86_400
RICH_WEI = hex(10**19)
CONTRACTS = Path(__file__).parents[2] / "contracts"
# Who the network file names: one as it should, and one whose name mixes scripts.
KLED: LocalAccount = Account.create()
IMITATOR: LocalAccount = Account.create()
NAMES = (
    Named(address_from_text(KLED.address), "Kled", "kled.ai", "marketplace"),
    Named(address_from_text(IMITATOR.address), "Kl\N{CYRILLIC SMALL LETTER IE}d", "k1ed.ai"),
)
WALLET = CONTRACTS / "out" / "Wallets.sol" / "OwnedWallet.json"
T = TypeVar("T")


def eventually(condition: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Return when the condition holds; fail at the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s"
        time.sleep(0.1)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine beside the loop that Playwright keeps running in this thread."""
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, work).result(DEADLINE_S)


@dataclass
class RealNode:
    """A node's folder and, when it runs, its process."""

    folder: Path
    url: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sayso_node", str(self.folder)], stdin=subprocess.PIPE
        )
        eventually(self._answers)

    def stop(self) -> None:
        if self.process and self.process.stdin:
            self.process.stdin.close()
            self.process.wait(DEADLINE_S)
            self.process = None

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=DEADLINE_S) as answer:
            return json.load(answer)

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, "the node has ended"
        try:
            return bool(self.get("/healthz")["ok"])
        except OSError:
            return False


@dataclass
class World:
    """Chain, nodes, and the network file that names them."""

    rpc: str
    trusted: NetworkFile
    north: RealNode
    south: RealNode
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 20)))

    def call(self, method: str, *params: Any) -> Any:
        """Ask the chain; raises AssertionError with what it says."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.rpc, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            told = json.load(answer)
        assert "error" not in told, told
        return told["result"]

    def revoked_in(self, block: int) -> set[str]:
        """Whose bits were set in a block, by address in lower case."""
        topic = "0x" + keccak(b"Revoked(address,uint248,uint256)").hex()
        asked = {"fromBlock": hex(block), "toBlock": hex(block), "topics": [topic]}
        return {"0x" + one["topics"][1][-40:] for one in self.call("eth_getLogs", asked)}

    def person(self) -> LocalAccount:
        """Somebody new, with a little of the chain's coin."""
        account: LocalAccount = Account.create()
        self.call("anvil_setBalance", account.address, RICH_WEI)
        return account

    def owned_wallet(self, owner: LocalAccount) -> str:
        """The address of a new contract wallet that accepts what its owner signed."""
        if not WALLET.is_file():
            forge = CONTRACTS / "node_modules" / ".bin" / "forge"
            subprocess.run([forge, "build", "--quiet"], cwd=CONTRACTS, check=True)
        compiled = json.loads(WALLET.read_text())["bytecode"]["object"]
        rich = Account.from_key(RICH_KEY).address
        creation = compiled + owner.address[2:].rjust(64, "0")
        sent = self.call("eth_sendTransaction", {"from": rich, "data": creation})
        receipt = "eth_getTransactionReceipt"
        eventually(lambda: self.call(receipt, sent))
        return address_text(address_from_text(self.call(receipt, sent)["contractAddress"]))

    def held_by(self, address: str) -> list[Envelope]:
        """The consents of an address that north holds."""
        listed = self.north.get(f"/v1/contributors/{address}/licenses")["licenses"]
        return [decode(base64.b64decode(one["envelope"]), self.trusted.network) for one in listed]

    def license(
        self,
        account: LocalAccount,
        count: int = 1,
        *,
        grantee: str,
        purposes: tuple[str, ...] = ("train-ai",),
        **terms: Any,
    ) -> Envelope:
        """License some new items, or `items`, and hand that in at north."""
        envelope = self._signed(account, count, grantee, purposes, terms)
        self.submit(envelope)
        return envelope

    def signed_license(self, account: LocalAccount, count: int, *, grantee: str) -> Envelope:
        """A license that no node has yet."""
        return self._signed(account, count, grantee, ("train-ai",), {})

    def submit(self, envelope: Envelope) -> None:
        """Hand it in at north."""
        run(self._submit([envelope]))

    def state(self, account: LocalAccount, message: Message, hashes: list[bytes]) -> Envelope:
        """Sign what a holder states, and hand that in at north."""
        envelope = sign_message(account, message, self.trusted.network, tuple(sorted(hashes)))
        self.submit(envelope)
        return envelope

    def license_many(
        self, account: LocalAccount, licenses: int, *, grantee: str, **terms: Any
    ) -> list[Envelope]:
        """So many licenses of an item each."""
        found = [self._signed(account, 1, grantee, ("train-ai",), dict(terms)) for _ in range(licenses)]
        run(self._submit(found))
        return found

    def _signed(
        self,
        account: LocalAccount,
        count: int,
        grantee: str,
        purposes: tuple[str, ...],
        terms: dict[str, Any],
    ) -> Envelope:
        made = [sha256(f"item {next(self.numbers)}".encode()) for _ in range(count)]
        items = terms.pop("items", made)
        named = Terms(
            address_from_text(grantee),
            purposes,
            terms.pop("expires_at", int(time.time()) + 300 * DAY_S),
            **terms,
        )
        contributor = address_from_text(account.address)
        (built,) = build_consents(contributor, items, named, int(time.time()) - 60)
        return sign_message(account, built[0], self.trusted.network, built[1])

    async def _submit(self, envelopes: list[Envelope]) -> None:
        async with NodeClient(self.north.url, self.trusted) as node:
            await node.submit(envelopes)

    def reasons(
        self, envelope: Envelope, grantee: str, purpose: str, *, at: str = "north"
    ) -> list[Reason]:
        """What a buyer is told of each item; a node that is behind is asked again, as `--wait` does."""
        query, told = Query(address_from_text(grantee), purpose), list[Reason]()

        def is_current() -> bool:
            told[:] = run(self._reasons(envelope, query, at))
            return Reason.STALE not in told

        eventually(is_current)
        return told

    async def _reasons(self, envelope: Envelope, query: Query, at: str) -> list[Reason]:
        rows = tuple(Row(envelope.digest, item) for item in envelope.items)
        node: RealNode = getattr(self, at)
        async with NodeClient(node.url, self.trusted) as client:
            return list((await client.check(Question(query, 3_600, "browser"), join_rows(rows))).reasons)

    def check(self, manifest: Path, grantee: str, purpose: str) -> int:
        """How `sayso check` of a buyer ends."""
        named = manifest.with_suffix(".jsonl")
        named.write_bytes(manifest.read_bytes())
        network = self.north.folder.parent / "network.toml"
        options = ["--grantee", grantee, "--purpose", purpose, "--node", self.north.url, "--wait", "60s"]
        command = [
            sys.executable,
            "-m",
            "sayso",
            "check",
            str(named),
            *options,
            "--network",
            str(network),
        ]
        return subprocess.run(command, cwd=manifest.parent, check=False, timeout=DEADLINE_S).returncode


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Start all of it; stop all of it."""
    with ExitStack() as stack:
        rpc = stack.enter_context(anvil(options=("--block-time", "1")))
        network, block = run(registry_on(rpc))
        trusted = NetworkFile(network, block, 1)
        nodes, operators = [], []
        for name in ("North", "South"):
            home = folder / name
            http, listen = free_ports(2)
            settings = Settings(
                name=name,
                network="../network.toml",
                http=f"{LOOPBACK}:{http}",
                listen=(f"/ip4/{LOOPBACK}/tcp/{listen}",),
                rpc=rpc,
                anchor_key="anchor.key" if name == "North" else "",
                sync_interval_s=1.0,
                chain_interval_s=0.5,
                anchor_wait_s=0.5,
                relay_wait_s=0.5,
            )
            operators.append(init_node(home, settings, os.urandom))
            nodes.append(RealNode(home, f"http://{settings.http}"))
        (folder / "North" / "anchor.key").touch(0o600)
        (folder / "North" / "anchor.key").write_text(RICH_KEY.removeprefix("0x"))
        trusted = replace(trusted, operators=tuple(operators), names=NAMES)
        (folder / "network.toml").write_text(trusted.to_toml())
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        north, south = nodes
        yield World(rpc, trusted, north, south)
