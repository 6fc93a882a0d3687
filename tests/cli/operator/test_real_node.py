"""The whole way by the command alone: a chain, the contract, two nodes, a license, a revocation.

`sayso devchain`, `contract deploy`, `node init | run`, `network add`, `grant`, `check`, `revoke`: each a
process or a call of its own, as an operator, a contributor and a buyer would type them.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from eth_account.signers.local import LocalAccount

from cli.conftest import EASY, OUTPUTS, PASSWORD, QUERY
from sayso.contributor.keystore import save_key
from sayso.demo.ports import free_ports
from sayso.devchain import dev_account
from sayso.main import cli

DEADLINE_S = 120.0
TERMS = (*QUERY, "--via", "kled.ai", "--expires", "1y")


def sayso(*arguments: object, status: int | None = 0) -> Result:
    """Run a command in this process."""
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    trace = "" if isinstance(result.exception, SystemExit) else repr(result.exception)
    assert status in {None, result.exit_code}, f"{result.stdout}\n{result.stderr}\n{trace}"
    return result


@contextmanager
def serving(*arguments: object) -> Iterator[str]:
    """Run a command that serves, as a process; yields its first line and ends it by SIGTERM."""
    command = [sys.executable, "-m", "sayso", *(str(one) for one in arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, f"{command} said nothing and ended with {process.wait(DEADLINE_S)}"
        yield line
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait(DEADLINE_S)
        process.stdout.close()


def eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)


def key(name: str, account: LocalAccount) -> Path:
    path = Path(name)
    save_key(path, account, PASSWORD, work=EASY)
    return path


@contextmanager
def typing_in(folder: Path) -> Iterator[ExitStack]:
    """A person who types commands in a folder, and has set nothing but a password."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        stack.enter_context(chdir(folder))
        patch.setenv("SAYSO_PASSWORD", PASSWORD)
        for name in ("SAYSO_NETWORK", "SAYSO_NODE", "SAYSO_KEY"):
            patch.delenv(name, raising=False)
        yield stack


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder with a network of one chain and two running nodes; yields the chain's URL."""
    with typing_in(tmp_path_factory.mktemp("place")) as stack:
        rpc = stack.enter_context(serving("devchain", "--port", 0)).split()[3].rstrip(";")
        payer = key("payer.json", dev_account(0))
        key("ada.json", dev_account(1))
        sayso("contract", "deploy", "--rpc", rpc, "--key", payer, "--write", "--yes")
        for name in ("a", "b"):
            http, peer = free_ports(2)
            options = ("--http", f"127.0.0.1:{http}", "--listen", f"/ip4/127.0.0.1/tcp/{peer}")
            sayso("node", "init", name, "--name", name, "--rpc", rpc, *options)
            sayso("network", "add", "--from-node", name)
        for name in ("a", "b"):
            assert stack.enter_context(serving("node", "run", name)).startswith("ready: http://")
        yield rpc


def rows(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(name).read_bytes().splitlines()]


def url_of(name: str) -> str:
    operators = json.loads(sayso("network", "show", "--json").stdout)["operators"]
    return next(str(one["url"]) for one in operators if one["name"] == name)


def test_deploying_again_finds_it(place: str) -> None:
    before = Path("network.toml").read_bytes()
    result = sayso("contract", "deploy", "--rpc", place, "--key", "payer.json", "--write", "--yes")
    assert "at most 0 gas" in result.stdout
    assert Path("network.toml").read_bytes() == before
    assert (
        "the registry has the code of this release" in sayso("contract", "verify", "--rpc", place).stdout
    )


def test_license_check_revoke_check(place: str) -> None:
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        Path(name).write_bytes(name.encode())
    files = ("one.jpg", "two.jpg", "three.jpg")
    sayso("grant", *files, "--key", "ada.json", *TERMS, "--manifest", "m.jsonl")
    sayso("check", "m.jsonl", *QUERY, *OUTPUTS, "--wait", "100s")
    assert Path("kept.jsonl").read_bytes() == Path("m.jsonl").read_bytes()
    # The other node heard of it from its peer.
    other = ("--node", url_of("b"))
    sayso("check", "m.jsonl", *QUERY, *other, "--wait", "100s")

    license_hash = rows("m.jsonl")[0]["license"]
    revoke = ("revoke", "--license", license_hash, "--file", "two.jpg", "--key", "ada.json", "--yes")
    assert "kept by a" in sayso(*revoke).stdout
    sayso("check", "m.jsonl", *QUERY, *OUTPUTS, "--wait", "100s", status=3)
    assert [row["file"] for row in rows("kept.jsonl")] == ["one.jpg", "three.jpg"]
    assert [row["reason"] for row in rows("why.jsonl")] == ["revoked"]
    verify = ("receipt", "verify", "receipt.json", "--manifest", "m.jsonl", "--rejected", "why.jsonl")
    assert "signed by a" in sayso(*verify).stdout
    eventually(lambda: "revoked" in sayso("check", "m.jsonl", *QUERY, *other, status=None).stdout)

    (held,) = json.loads(sayso("licenses", "--key", "ada.json", "--json").stdout)
    assert (held["permissions"], held["revoked_permissions"]) == (3, 1)


def test_straight_to_the_chain(place: str) -> None:
    """No node is told; they read it from the chain."""
    ben = key("ben.json", dev_account(2))
    Path("song.flac").write_bytes(b"song")
    sayso("grant", "song.flac", "--key", ben, *TERMS, "--manifest", "song.jsonl")
    sayso("check", "song.jsonl", *QUERY, "--wait", "100s")
    on_chain = ("--on-chain", "--rpc", place, "--node", "http://127.0.0.1:1")
    license_hash = rows("song.jsonl")[0]["license"]
    sayso("revoke", "--license", license_hash, "--key", ben, "--yes", *on_chain, status=1)
    result = sayso("revoke", "everything", "for", "train-ai", "--key", ben, "--yes", *on_chain)
    assert "in block" in result.stdout
    assert "127.0.0.1:1" in result.stderr
    eventually(lambda: "revoked" in sayso("check", "song.jsonl", *QUERY, status=None).stdout)


def test_words_to_the_chain_and_to_the_node(place: str) -> None:
    eve = key("eve.json", dev_account(3))
    Path("face.jpg").write_bytes(b"face")
    sayso("grant", "face.jpg", "--key", eve, *TERMS, "--manifest", "face.jsonl")
    license_hash = rows("face.jsonl")[0]["license"]
    words = ("revoke", "--license", license_hash, "--key", eve, "--yes", "--on-chain", "--rpc", place)
    result = sayso(*words)
    assert "kept by a" in result.stdout
    assert "in block" in result.stdout


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("rpc-failed", ("contract", "verify", "--rpc", "http://127.0.0.1:1")),
        ("rpc-failed", ("contract", "deploy", "--key", "payer.json", "--rpc", "http://127.0.0.1:1")),
    ],
)
def test_an_endpoint_that_does_not_answer(place: str, code: str, arguments: tuple[str, ...]) -> None:
    result = sayso(*arguments, status=1)
    assert result.stderr.startswith(f"error [{code}]"), result.stderr


def test_a_network_file_of_another_chain(place: str) -> None:
    text = Path("network.toml").read_text().replace("chain_id = 31337", "chain_id = 1")
    Path("other.toml").write_text(text)
    options = ("--rpc", place, "--network", "other.toml")
    for code, arguments in (
        ("wrong-chain", ("contract", "verify")),
        ("wrong-chain", ("contract", "deploy", "--key", "payer.json", "--write", "--yes")),
    ):
        assert f"error [{code}]" in sayso(*arguments, *options, status=1).stderr
    assert Path("other.toml").read_text() == text


def test_a_registry_that_is_not_there(place: str) -> None:
    registry = json.loads(sayso("network", "show", "--json").stdout)["registry"]
    text = Path("network.toml").read_text().replace(registry, "0x" + "11" * 20)
    Path("nowhere.toml").write_text(text)
    options = ("--rpc", place, "--network", "nowhere.toml")
    assert "error [not-deployed]" in sayso("contract", "verify", *options, status=1).stderr


def test_status_of_a_real_node(place: str) -> None:
    answer = json.loads(sayso("node", "status", "--json").stdout)
    assert answer["trusted"] is True
    assert answer["chain_id"] == 31337
    eventually(lambda: "1 of 1 connected" in sayso("node", "status").stdout)
