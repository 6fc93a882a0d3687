"""Everything that a node holds leaves it as files of messages, and another node takes it in again."""

import asyncio
from itertools import chain
from pathlib import Path

import pytest

from cli.conftest import World
from node.api.process import node_process
from node.config.test_folder import make
from sayso.contributor.saved_messages import load_bundle
from sayso.errors import NodeUnreachable
from sayso.node_client.answers import Submitted
from sayso.node_client.client import NodeClient
from sayso_node.folder.config import load_config
from sayso_node.folder.lock import NodeFolder
from sayso_node.store import log_pages as module
from sayso_node.store.log_pages import log_pages
from sayso_node.store.opening import location_in, snapshot_at
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import CLEO, NETWORK

CONSENTS = [consent(number, sponsor=None) for number in range(1, 8)]
STOP = revocation("everything")
PENDING = revocation("everything", contributor=CLEO)


async def lived_in(folder: Path) -> None:
    make(folder)
    config = load_config(folder)
    with NodeRig(folder, location=location_in(folder)) as rig:
        await NodeFolder(folder).claim(rig.store, NETWORK, config.node_key)
        for one in (*CONSENTS, STOP, PENDING):
            await rig.give(one)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    asyncio.run(lived_in(tmp_path / "host"))
    return tmp_path / "host"


def test_pages_are_in_the_order_of_arrival_and_bounded(folder: Path) -> None:
    with snapshot_at(location_in(folder)) as db:
        pages = list(log_pages(db, 3))
        assert [len(page) for page in pages] == [3, 3, 2, 1]
        assert [*chain(*pages)] == [*chain(*log_pages(db, 1_000))]
    assert module._TABLES.keys() == {"messages", "pending", "waiting"}


def test_another_node_takes_in_what_was_exported(world: World, folder: Path, tmp_path: Path) -> None:
    said = world.run("node", "export", folder, "log").stdout
    assert said.startswith("9 messages in log")
    before = [(one.name, one.read_bytes()) for one in Path("log").iterdir()]
    world.fails("output-failed", "node", "export", folder, "log")
    assert [(one.name, one.read_bytes()) for one in Path("log").iterdir()] == before
    file, _waiting = sorted(Path("log").iterdir())
    assert [one.digest for one in load_bundle(file, NETWORK)][:7] == [one.digest for one in CONSENTS]
    with node_process(tmp_path, disabled=("chain", "snapshots")) as node:
        there = ("--node", node.url, "--network", tmp_path / "network.toml")
        first = world.run("node", "import", "log", *there, status=1)
        assert "8 messages new, 1 message pending" in first.stdout
        again = world.run("node", "import", "log", *there, status=1)
        assert "8 messages known" in again.stdout
        for one in CONSENTS:
            assert node.get(f"/v1/licenses/{hex_text(one.digest)}")[0] == 200
        file.write_bytes(file.read_bytes()[:-9])
        world.run("node", "import", "log", *there, status=1)
        world.fails("file-unreadable", "node", "import", "nothing", *there)


def test_no_store_no_export(world: World, tmp_path: Path) -> None:
    make(tmp_path / "empty")
    world.fails("store-missing", "node", "export", tmp_path / "empty", "log")
    assert not Path("log").exists()


def test_an_import_ends_with_its_node_and_says_what_was_done(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was tried again with each message of each file alone."""
    asked: list[int] = []

    async def submit(_node: NodeClient, envelopes: list[Envelope]) -> list[Submitted]:
        asked.append(len(envelopes))
        if len(asked) > 1:
            raise NodeUnreachable("no answer")
        return [Submitted(one.digest, new=True) for one in envelopes]

    world.run("node", "export", folder, "log")
    monkeypatch.setattr(NodeClient, "submit", submit)
    failed = world.fails(
        *("node-unreachable", "node", "import", "log"),
        *("--node", "http://127.0.0.1:1", "--network", folder / "network.toml"),
    )
    assert failed.stdout == "8 messages new\n"
    assert asked == [8, 1]
