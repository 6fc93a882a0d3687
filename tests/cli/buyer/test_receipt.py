"""`sayso receipt verify`: offline, against the network file and nothing else."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from nacl.signing import SigningKey

from cli.conftest import World
from sayso.networks import save_network
from sayso_protocol.network_file import NetworkFile, Operator

CHECK = ("--grantee", "anyone", "--purpose", "train-ai", "--run-id", "run 7")
OUTPUTS = ("--out", "kept.jsonl", "--rejected", "why.jsonl", "--receipt", "r.json")
FILES = ("--manifest", "m.jsonl", "--rejected", "why.jsonl")


@pytest.fixture
def checked(world: World) -> World:
    """Three rows, of which the second is not clear."""
    world.grant("a", "b", "c")
    world.run("revoke", "--file", "b", "--key", world.key, "--yes")
    world.run("check", "m.jsonl", *CHECK, *OUTPUTS, status=3)
    world.node.asked.clear()
    return world


def test_what_it_says(checked: World) -> None:
    text = checked.run("receipt", "verify", "r.json", *FILES).stdout
    assert "signed by Fake" in text
    assert "run run 7" in text
    assert "2 granted, 1 revoked" in text
    assert "exactly the rows" in text
    assert "exactly these rejected rows" in text
    only = checked.run("receipt", "verify", "r.json").stdout
    assert "exactly" not in only
    assert checked.node.asked == [], "it is offline"


Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad-signature", lambda r: r | {"run_id": "run 8"}),
        ("bad-signature", lambda r: r | {"counts": {"granted": 3}}),
        ("bad-signature", lambda r: r | {"time": r["time"] - 1}),
        ("bad-signature", lambda r: r | {"signature": r["signature"][:-2]}),
        ("malformed", lambda r: r | {"signature": "?"}),
        ("malformed", lambda r: {k: v for k, v in r.items() if k != "state"}),
        ("malformed", lambda r: r | {"type": "sayso-acknowledgement-1"}),
        ("wrong-network", lambda r: r | {"network": r["network"] | {"chain_id": 1}}),
        ("unknown-signer", lambda r: r | {"node_key": "77" * 32}),
    ],
)
def test_a_changed_receipt(checked: World, code: str, change: Change) -> None:
    receipt = json.loads((checked.folder / "r.json").read_bytes())
    checked.write("changed.json", json.dumps(change(receipt)).encode())
    checked.fails(code, "receipt", "verify", "changed.json")


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"[]", b"7", b"[" * 200_000])
def test_a_file_that_is_no_receipt(checked: World, data: bytes) -> None:
    (checked.folder / "x.json").write_bytes(data)
    checked.fails("malformed", "receipt", "verify", "x.json")


@pytest.mark.parametrize("name", ["results_root", "counts", "time", "note"])
def test_a_file_with_two_readings(checked: World, name: str) -> None:
    """The right value comes last, where Python takes it; another reader takes the first."""
    whole = (checked.folder / "r.json").read_bytes().strip()
    first = json.dumps({name: "0x" + "00" * 32}).encode()[:-1]
    last = b"" if name in json.loads(whole) else b', "note": 1'
    checked.write("two.json", first + b", " + whole[1:-1] + last + b"}")
    assert json.loads((checked.folder / "two.json").read_bytes()) | {"note": 1} == json.loads(whole) | {
        "note": 1
    }
    checked.fails("malformed", "receipt", "verify", "two.json")
    checked.fails("malformed", "show", "two.json")


def test_missing_files(checked: World) -> None:
    checked.fails("file-unreadable", "receipt", "verify", "missing.json")
    checked.fails("file-unreadable", "receipt", "verify", "r.json", "--manifest", "missing.jsonl")
    checked.fails(
        "file-unreadable", "receipt", "verify", "r.json", "--manifest", "m.jsonl", "--rejected", "no"
    )


def edit(world: World, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = world.folder / name
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad-proof", lambda lines: lines[:2]),
        ("bad-proof", lambda lines: [*lines, lines[0]]),
        ("bad-proof", lambda lines: [lines[1], lines[0], lines[2]]),
        ("bad-manifest", lambda lines: []),
    ],
)
def test_another_manifest(
    checked: World, code: str, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    edit(checked, "m.jsonl", change)
    checked.fails(code, "receipt", "verify", "r.json", "--manifest", "m.jsonl")


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bad-proof", lambda lines: []),
        ("bad-proof", lambda lines: [lines[0].replace(b"revoked", b"expired")]),
        ("bad-manifest", lambda lines: [*lines, *lines]),
        ("bad-manifest", lambda lines: [lines[0].replace(b"revoked", b"granted")]),
        ("bad-manifest", lambda lines: [lines[0].replace(b"revoked", b"disliked")]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"line": 2', b'"line": 1')]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"line": 2', b'"line": 9')]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"line": 2', b'"line": true')]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"line": 2', b'"line": "2"')]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"revoked"', b'["revoked"]')]),
        ("bad-manifest", lambda lines: [lines[0].replace(b'"revoked"', b"null")]),
    ],
)
def test_other_results(checked: World, code: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    edit(checked, "why.jsonl", change)
    checked.fails(code, "receipt", "verify", "r.json", *FILES)


def test_an_operator_who_is_no_longer_trusted(checked: World) -> None:
    other = Operator("Other", bytes(SigningKey(b"o" * 32).verify_key))
    trusted = NetworkFile(checked.node.network, 1, 0, (other,))
    save_network(checked.folder / "network.toml", trusted)
    checked.fails("unknown-signer", "receipt", "verify", "r.json")
