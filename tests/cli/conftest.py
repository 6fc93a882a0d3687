"""A folder with a network file, a key and a node that answers; the command runs inside it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account

from sayso.contributor.keystore import save_key
from sayso.main import cli
from sayso.networks import save_network
from sayso_protocol.primitives import address_from_text, keccak
from support.fake_node import FakeNode, running

PASSWORD = "correct horse"
OUTPUTS = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--receipt", "receipt.json")
QUERY = ("--grantee", "anyone", "--purpose", "train-ai")
EASY = 2  # rounds of scrypt: these keys guard nothing


class World:
    """Ada's folder: her key is ada.json, the node's network file network.toml."""

    def __init__(self, folder: Path, node: FakeNode) -> None:
        self.folder = folder
        self.node = node
        self.account = Account.from_key(keccak(b"ada"))
        self.address: bytes = address_from_text(self.account.address)
        self.key = self.new_key("ada")
        self.trust()

    def new_key(self, name: str) -> Path:
        path = self.folder / f"{name}.json"
        save_key(path, Account.from_key(keccak(name.encode())), PASSWORD, work=EASY)
        return path

    def trust(self) -> None:
        save_network(self.folder / "network.toml", self.node.trusted)

    def run_any(self, *arguments: object) -> Result:
        """Run `sayso`, however it ends."""
        return CliRunner().invoke(cli, [str(one) for one in arguments])

    def run(self, *arguments: object, status: int = 0, typed: str | bytes | None = None) -> Result:
        """Run `sayso` and expect an exit status."""
        result = CliRunner().invoke(cli, [str(one) for one in arguments], input=typed)
        trace = result.exception if not isinstance(result.exception, SystemExit) else ""
        assert result.exit_code == status, f"{result.stdout}\n{result.stderr}\n{trace!r}"
        return result

    def fails(self, code: str, *arguments: object) -> Result:
        """Run `sayso` and expect the error of this code: exit status 1, one line, no traceback."""
        result = self.run(*arguments, status=1)
        errors = [line for line in result.stderr.splitlines() if line.startswith("error [")]
        assert len(errors) == 1, result.stderr
        assert errors[0].startswith(f"error [{code}]: "), result.stderr
        assert "Traceback" not in result.output
        return result

    def write(self, name: str, data: bytes = b"") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data or name.encode())
        return path

    def grant(
        self,
        *names: str,
        manifest: str = "m.jsonl",
        purposes: str = "train-ai",
        clocks: tuple[object, ...] = (),
    ) -> list[dict[str, Any]]:
        """License files and return the manifest's rows."""
        for name in names:
            self.write(name)
        purpose_options = [part for one in purposes.split() for part in ("--purpose", one)]
        terms = ["--grantee", "anyone", *purpose_options, "--via", "kled.ai", "--expires", "1y", *clocks]
        self.run("grant", *names, "--key", self.key, *terms, "--manifest", manifest)
        return self.rows(manifest)

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_bytes().splitlines()]

    def left(self) -> set[str]:
        """Everything in the folder, hidden files included."""
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with running(FakeNode()) as fake:
        yield fake


@pytest.fixture
def world(tmp_path: Path, node: FakeNode, monkeypatch: pytest.MonkeyPatch) -> World:
    for name in ("SAYSO_NETWORK", "SAYSO_NODE", "SAYSO_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SAYSO_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    return World(tmp_path, node)


def denied(world: World, code: str, manifest: str = "m.jsonl", *more: str) -> None:
    """The check fails, and the files of an earlier check are gone, too."""
    for name in ("kept.jsonl", "why.jsonl", "receipt.json"):
        world.write(name, b"from an earlier run\n")
    world.fails(code, "check", manifest, *QUERY, *OUTPUTS, *more)
    assert not world.left() & {"kept.jsonl", "why.jsonl", "receipt.json"}
    assert not [name for name in world.left() if name.endswith(".part")]
