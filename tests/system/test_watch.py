"""`sayso watch` against a real node and a real web server, killed in the middle: nothing is lost."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from sayso.delivery import signing
from sayso.delivery.journal import LETTERS, SECRET
from sayso.networks import save_network
from sayso_protocol.primitives import address_text, hex_text
from support.holders import LABS, removal, sublicense, use
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.running_node import RunningNode, running_node
from support.waiting import DEADLINE_S, until

SOLD = consent(1, purposes=("resale", "train-ai"))
OTHER = consent(2, contributor=CLEO, parties=(CLEO,), grantee=LABS[1])
DAN = LABS[0]
COUNT = 12


class Shop:
    """The receiver of a marketplace, which verifies signatures; it can hold an answer, or refuse."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.types: list[str] = []
        self.statuses: list[int] = []  # of the next answers; then 204
        self.hold_at, self.held = -1, asyncio.Event()
        self.secret = b""

    async def hook(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), request.headers
        name, moment = headers[signing.ID], int(headers[signing.TIMESTAMP])
        right = signing.signature(self.secret_now(), name, moment, body)
        assert headers[signing.SIGNATURE] == right
        status = self.statuses.pop(0) if self.statuses else 204
        if status == 204:
            self.taken.append(name)
            self.types.append(json.loads(body)["type"])
        if len(self.taken) == self.hold_at:
            self.held.set()
            await asyncio.sleep(DEADLINE_S)
        return web.Response(status=status)

    def secret_now(self) -> bytes:
        path = Path(self.folder) / SECRET
        return base64.b64decode(path.read_text().strip().removeprefix(signing.WHSEC))

    async def start(self, folder: Path) -> None:
        self.folder = str(folder)
        app = web.Application()
        app.router.add_post("/hook", self.hook)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"

    async def stop(self) -> None:
        await self._runner.cleanup()


@asynccontextmanager
async def watching(
    folder: Path, node: RunningNode, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command in a process of its own, which is killed with signal 9 at the end."""
    network = folder / "network.toml"
    save_network(network, node.node._config.network_file)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sayso", "watch", "--node", node.url, "--network", str(network)),
        *("--state", str(folder / "state"), "--from-start", "--grantee", address_text(BEN), *options),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    one = Shop()
    await one.start(tmp_path / "state")
    yield one
    await one.stop()


async def happen(node: RunningNode) -> list[str]:
    """What concerns Ben, and as much that does not; returns the types of his."""
    passed = sublicense(BEN, DAN, [SOLD.digest])
    await node.submit(SOLD, OTHER, passed, use(DAN, [passed.digest]), removal(DAN, [SOLD.digest]))
    for number in range(COUNT):
        for who in (ADA, CLEO):
            scope = f"file {hex_text(consent(number).items[0])}"
            assert (await node.submit(revocation(scope, contributor=who)))[0] == 200
    await node.submit(revocation(f"statement {hex_text(passed.digest)}", contributor=BEN))
    revoked = ["sayso.revocation"] * COUNT
    return ["sayso.sublicense", "sayso.use", "sayso.removal", *revoked, "sayso.withdrawal"]


async def test_a_watch_that_is_killed_loses_nothing(tmp_path: Path, shop: Shop) -> None:
    async with running_node(tmp_path) as node:
        expected = await happen(node)
        shop.hold_at, shop.statuses = 5, [503]
        post = ("--post", shop.url, "--allow-private")
        async with watching(tmp_path, node, *post):
            await asyncio.wait_for(shop.held.wait(), DEADLINE_S)
        assert len(shop.taken) == 5
        shop.hold_at = -1
        shop.statuses = [422] * 2  # fewer than are needed to give up
        async with watching(tmp_path, node, *post):
            await until(lambda: len(shop.taken) > len(expected))
    # The one that was being delivered came again, under the same id; no other did.
    assert shop.taken[4] == shop.taken[5]
    once = list(dict.fromkeys(shop.taken))
    assert len(once) == len(expected) == len(shop.taken) - 1
    assert once == sorted(once, key=lambda name: int(name.split("-")[1]))
    assert [*shop.types[:4], *shop.types[5:]] == expected
    assert not (tmp_path / "state" / LETTERS).exists()


async def test_a_private_target_is_refused_and_loses_nothing(tmp_path: Path, shop: Shop) -> None:
    async with running_node(tmp_path) as node:
        expected = await happen(node)
        url = shop.url.replace("http:", "https:")
        async with watching(tmp_path, node, "--post", url) as process:
            assert process.stderr
            line = await asyncio.wait_for(process.stderr.readline(), DEADLINE_S)
            assert b"[private-target]" in line
        assert shop.taken == []
        out = tmp_path / "out"
        async with watching(tmp_path, node, "--exec", f"{sys.executable} -c '{_APPEND}' {out}"):
            await until(lambda: out.exists() and out.read_text().count("\n") == len(expected))
    assert [json.loads(line)["type"] for line in out.read_text().splitlines()] == expected


_APPEND = 'import sys; open(sys.argv[1], "a").write(sys.stdin.read() + chr(10))'
