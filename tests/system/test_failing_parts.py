"""A node whose part cannot be kept running ends: with a sentence, a status of 1, and a whole store."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from sayso.demo.ports import free_ports
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_node.store import messages
from sayso_node.store.opening import location_in
from sayso_node.store.sqlite.engine import Engine
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network_file import NetworkFile
from support.node_rig import consent
from support.protocol_strategies import NETWORK
from support.running_node import MSGPACK
from support.waiting import DEADLINE_S, until

FAILING = str(Path(__file__).with_name("failing.py"))
SENTENCE = {
    "sync": "error [part-failed]: the sync failed 8 times within 600 s, so the node ends",
    "store": "error [part-failed]: the store cannot go on, so the node ends",
}


def make_node(folder: Path) -> str:
    """A node that is alone; its URL."""
    settings = Settings(
        name="failing",
        network="../network.toml",
        http=f"127.0.0.1:{free_ports(1)[0]}",
        listen=("/ip4/127.0.0.1/tcp/0",),
        rpc="http://127.0.0.1:1",
        disabled=("chain", "snapshots"),
    )
    operator = init_node(folder, settings, os.urandom)
    (folder.parent / "network.toml").write_text(NetworkFile(NETWORK, 1, 2, (operator,)).to_toml())
    return f"http://{settings.http}"


async def hand_in(url: str, envelope: Envelope) -> int:
    """The status of the answer, 0 if there is none."""
    body = encode_bundle([encode(envelope)])
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.post(f"{url}/v1/messages", data=body, headers=MSGPACK) as response,
        ):
            return response.status
    except aiohttp.ClientError:
        return 0


def is_kept(folder: Path, envelope: Envelope) -> bool:
    store = Engine(Path(location_in(folder)))
    store.start()
    try:
        with store.read() as db:
            return messages.is_known(db, envelope.digest)
    finally:
        store.stop()


@pytest.mark.parametrize(
    ("part", "command"),
    [
        pytest.param("sync", ["node", "run"], marks=pytest.mark.long),
        ("sync", []),
        ("store", ["node", "run"]),
    ],
)
async def test_it_ends_and_says_why(tmp_path: Path, part: str, command: list[str]) -> None:
    folder, trigger = tmp_path / "node", tmp_path / "trigger"
    url, one = make_node(folder), consent(1, sponsor=None)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, FAILING, str(trigger), part, *command, str(folder)), stdin=PIPE, stderr=PIPE
    )
    try:
        await until(lambda: process.returncode is not None or hand_in(url, one))
        assert await hand_in(url, one) == 200
        trigger.touch()
        if part == "store":  # it notices at the next change
            assert await hand_in(url, consent(2, sponsor=None)) in (0, 503)
        assert process.stderr
        # Not communicate(): it would close standard input, which ends the process without a fault.
        said = await asyncio.wait_for(process.stderr.read(), DEADLINE_S)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 1
    lines = said.decode().splitlines()
    assert any(one.startswith(SENTENCE[part]) for one in lines)
    assert f"part={part}" in said.decode()
    assert "only the log" not in "".join(one for one in lines if one.startswith("error ["))
    assert is_kept(folder, one)
