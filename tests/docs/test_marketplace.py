"""The how-to for marketplaces is run as it is written, against a real node: Python and commands."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_account import Account

from cli.conftest import EASY, PASSWORD
from cli.marketplace.real_node import Place, place
from cli.marketplace.shop import LAB, address, answer, person
from docs import walkthrough
from docs.markdown import ROOT, blocks
from docs.walkthrough import missing
from sayso.contributor.keystore import save_key
from sayso.gate.licenses import load_licenses
from sayso.main import cli
from sayso.marketplace.requests import request_of
from sayso.networks import save_network
from sayso_protocol.primitives import keccak
from support.waiting import until

HOW_TO = (ROOT / "docs" / "how-to" / "marketplace.md").read_text()
PYTHON = {one.info.split()[2]: one.text for one in blocks(HOW_TO) if one.info.startswith("python run ")}
ADA = person("ada")


def write(name: str, data: bytes) -> Path:
    """A file in the clean folder."""
    path = Path(name)
    path.write_bytes(data)
    return path


def names_in(folder: str) -> set[str]:
    return {one.name for one in Path(folder).iterdir()}


class Reader:
    """Whoever follows the how-to, in a clean folder."""

    def __init__(self, here: Place) -> None:
        self.here, self.names, self.done = here, dict[str, Any](), set[str]()

    async def does(self, name: str, **given: Any) -> None:
        """Run a block of Python as it is written."""
        self.names |= given
        self.done.add(name)
        code = compile(PYTHON[name], f"marketplace.md, {name}", "exec")
        await asyncio.to_thread(exec, code, self.names)

    async def types(self, step: walkthrough.Step, **given: str) -> str:
        """Run the commands of a block; what they write."""
        text = step.command.text.replace("\\\n", " ")
        for name, value in given.items():
            text = text.replace(f"${name}", value)
        seen = ""
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "sayso"
            done = await asyncio.to_thread(CliRunner().invoke, cli, arguments)
            assert done.exit_code == 0, f"{line}\n{done.output}{done.exception!r}"
            seen += done.stdout
        assert step.shown or "due" in step.command.text
        if step.shown:
            assert not missing(step.shown.text, seen), seen
        return seen

    def signs(self, token: str) -> bytes:
        """What a person's browser brings back."""
        market, shop = self.names["market"], self.here.shop
        with market.begin(self.names["engine"]) as db:
            return answer(shop.signed(ADA, request_of(db, token)))


@pytest.fixture
async def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reader]:
    async with place(tmp_path) as here:
        (tmp_path / "clean").mkdir()
        with chdir(tmp_path / "clean"):
            save_network(Path("network.toml"), here.trusted)
            save_key(Path("shop.json"), Account.from_key(keccak(b"shop")), PASSWORD, work=EASY)
            values = {"KEY": "shop.json", "NODE": here.node.url, "PASSWORD": PASSWORD}
            for name in ("NETWORK", "DATABASE"):
                monkeypatch.delenv(f"SAYSO_{name}", raising=False)
            for name, value in values.items():
                monkeypatch.setenv(f"SAYSO_{name}", value)
            yield Reader(here)


async def test_an_existing_shop_is_integrated_as_written(reader: Reader) -> None:
    uploaded = [write("one.wav", b"one"), write("two.wav", b"two")]
    until_ = int(time.time()) + 86_400
    given = {"NODE": reader.here.node.url, "BUYER": LAB, "UNTIL": until_}
    await reader.does("open", account=Account.from_key(keccak(b"shop")), Path=Path, **given)
    await reader.does("request", uploaded=uploaded, TERMS="We sell it.")
    token = reader.names["request"].token
    posted = {"token": token, "body": reader.signs(token), "origin": "https://market.example"}
    await reader.does("take", **posted)
    market, engine = reader.names["market"], reader.names["engine"]

    async def stocked() -> bool:
        await reader.does("courier")
        with market.begin(engine) as db:
            return len(market.stock(db, ["train-ai"])) == 2

    await until(stocked)
    await reader.does("sell")
    await reader.does("publish")
    bundle = load_licenses(Path("data/licenses"), reader.here.trusted.network)
    assert (len(bundle.held), len(bundle.sublicenses)) == (1, 1)
    await reader.does("gate")
    assert len(reader.names["app"].router.routes()) == 2  # GET and HEAD
    await reader.here.revoke(ADA, "everything for resale")
    reader.here.courier = reader.names["courier"]
    async with reader.here.following():
        await until(lambda: _told(reader))
    await reader.does("dispute", FRAUD=address(person("fraud")))
    await reader.does("lift")
    with market.begin(engine) as db:
        assert all(one.is_removed for one in market.duties(db))
    assert reader.done == PYTHON.keys()


async def _told(reader: Reader) -> bool:
    await reader.does("tell")
    return len(reader.names["told"]) == 2


async def test_every_command_can_be_typed_as_written(reader: Reader) -> None:
    await reader.does("open", account=Account.from_key(keccak(b"shop")), NODE=reader.here.node.url)
    write("song.wav", b"song")
    asking, taking, selling, checking = walkthrough.steps(HOW_TO)
    seen = await reader.types(asking)
    token = seen.split("token ")[1].split()[0]
    write("answer.json", reader.signs(token))
    await reader.types(taking, TOKEN=token)

    async def stocked() -> bool:
        await reader.does("courier")
        with reader.names["market"].begin(reader.names["engine"]) as db:
            return bool(reader.names["market"].stock(db, ["train-ai"]))

    await until(stocked)
    await reader.types(selling)
    await reader.types(checking)
    assert names_in("sold") == {"dataset.json", "files", "licenses", "manifest.jsonl"}
