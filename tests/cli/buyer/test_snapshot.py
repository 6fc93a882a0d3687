"""`sayso snapshot`: what is fetched is verified, gone on with, and never replaced by less."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import QUERY, World
from sayso.gate.judges.offline import SNAPSHOT_BYTES
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.hash_list import person_key
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.part import Part
from support.fake_node import NETWORK, FakeNode, running
from support.fake_snapshots import SnapshotNode
from support.protocol_strategies import ADA, BEN
from support.snapshot_making import Content, make_delta, make_snapshot
from support.snapshots import STRANGER, content_of, salts

NOW = 1_900_000_000
HOUR = 3_600


@pytest.fixture
def node() -> Iterator[FakeNode]:
    with running(SnapshotNode()) as fake:
        yield fake


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.commands.buyer.snapshot.time.time", lambda: NOW)


def node_of(world: World) -> SnapshotNode:
    assert isinstance(world.node, SnapshotNode)
    return world.node


def moment_at(as_of: int) -> SnapshotMoment:
    return SnapshotMoment(sha256(b"state"), ChainPoint(19, sha256(b"block")), as_of, as_of, as_of + HOUR)


def chain_of(world: World, deltas: int = 2, *, as_of: int = NOW - 60, count: int = 1) -> list[Part]:
    """A snapshot of the fake node and some deltas."""
    state = {sha256(b"%d" % one)[:20]: {SCOPE_FLAG: 1} for one in range(count)}
    content = content_of(state)
    parts = [make_snapshot(world.node.key, NETWORK, moment_at(as_of), content, salts())]
    for number in range(deltas):
        news = Content(content_of({(ADA, BEN)[number]: {64: 1}}).keys, [person_key(ADA)])
        moment, salt = moment_at(as_of + number), next(salts(f"delta {number}"))
        last, names_salt = parts[-1].head, parts[0].head.salt
        parts.append(make_delta(world.node.key, NETWORK, moment, news, salt, last, names_salt))
    return parts


def offer(world: World, parts: list[Part]) -> None:
    node_of(world).files = {f"1-{part.head.id.hex()[:16]}.snapshot": part for part in parts}


def data_of(parts: list[Part]) -> bytes:
    return b"".join(part.data for part in parts)


def test_pull_verify_and_info(world: World) -> None:
    parts = chain_of(world)
    offer(world, parts)
    text = world.run("snapshot", "pull", "--out", "n.snapshot").stdout
    assert "signed by Fake" in text
    assert "6 keys in a snapshot and 2 deltas" in text
    assert "whom it heeds: nobody" in text
    assert (world.folder / "n.snapshot").read_bytes() == data_of(parts)
    assert world.run("snapshot", "info", "n.snapshot").stdout == text
    shown = json.loads(world.run("snapshot", "verify", "n.snapshot", "--json").stdout)
    assert (shown["operator"], shown["keys"], shown["deltas"]) == ("Fake", 6, 2)
    assert shown["as_of"] == NOW - 59
    assert shown["heeds"] == []
    assert world.left() == {"ada.json", "network.toml", "n.snapshot"}


def test_only_what_is_new_is_fetched(world: World) -> None:
    parts = chain_of(world)
    offer(world, parts[:2])
    world.run("snapshot", "pull", "--out", "n.snapshot")
    world.node.asked.clear()
    offer(world, parts)
    world.run("snapshot", "pull", "--out", "n.snapshot")
    assert len([one for one in world.node.asked if one.startswith("file")]) == 1
    assert (world.folder / "n.snapshot").read_bytes() == data_of(parts)
    world.run("snapshot", "pull", "--out", "n.snapshot")
    assert len([one for one in world.node.asked if one.startswith("file")]) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_broken_download_is_gone_on_with(world: World, *, ranges: bool) -> None:
    parts = chain_of(world, 0, count=2_000)
    offer(world, parts)
    node_of(world).breaks_after, node_of(world).knows_ranges = 1_000, ranges
    world.fails("node-unreachable", "snapshot", "pull", "--out", "n.snapshot")
    (partial,) = [path for path in world.folder.iterdir() if path.suffix == ".part"]
    assert 0 < partial.stat().st_size <= 1_000
    assert not (world.folder / "n.snapshot").exists()
    node_of(world).breaks_after = None
    world.run("snapshot", "pull", "--out", "n.snapshot")
    assert (world.folder / "n.snapshot").read_bytes() == data_of(parts)
    assert not partial.exists()


def test_a_snapshot_of_a_stranger_is_not_kept(world: World) -> None:
    offer(world, [make_snapshot(STRANGER, NETWORK, moment_at(NOW), content_of({}), salts())])
    world.fails("unknown-signer", "snapshot", "pull", "--out", "n.snapshot")
    assert world.left() == {"ada.json", "network.toml"}


def test_what_is_listed_must_be_sent(world: World) -> None:
    parts = chain_of(world)
    offer(world, parts)
    node_of(world).twist_file = lambda data: data[:-1] + bytes([data[-1] ^ 1])
    world.fails("bad-answer", "snapshot", "pull", "--out", "n.snapshot")
    node_of(world).twist_file = lambda data: data + b"more"
    world.fails("bad-answer", "snapshot", "pull", "--out", "n.snapshot")
    assert world.left() == {"ada.json", "network.toml"}


REST = dict.fromkeys(("number", "keys", "time", "as_of", "expires_at"), 1)


@pytest.mark.parametrize(
    "answer",
    [
        {"files": [{"name": "../../x", "id": "0x" + "00" * 32, "bytes": 9} | REST]},
        {"files": [{"name": "a.snapshot", "id": "0x00", "bytes": 9} | REST]},
        {"files": [{"name": "a.snapshot", "id": "0x" + "00" * 32, "bytes": 1 << 40} | REST]},
        {"files": "none"},
        {},
    ],
)
def test_a_list_that_is_nonsense_is_refused(world: World, answer: object) -> None:
    world.node.twist = lambda route, right: answer if route == "snapshots" else right
    world.fails("bad-answer", "snapshot", "pull")


def test_only_what_is_a_snapshot_is_replaced(world: World) -> None:
    """A slip in a name costs nobody a file; what other parts beside it are called neither."""
    offer(world, parts := chain_of(world))
    others = {
        "data.parquet": b"PAR1",
        ".data.parquet.mine.part": b"mine",
        ".n.snapshot.0badcafe.part": b"of a check that goes on",
    }
    for name, data in others.items():
        world.write(name, data)
    world.fails("output-failed", "snapshot", "pull", "--out", "data.parquet")
    for torn in (b"", data_of(parts)[:5], data_of(parts)[:-1]):
        (world.folder / "n.snapshot").write_bytes(torn)
        world.run("snapshot", "pull", "--out", "n.snapshot")
        assert (world.folder / "n.snapshot").read_bytes() == data_of(parts)
    assert {name: (world.folder / name).read_bytes() for name in others} == others


def test_a_node_may_not_go_back_in_time(world: World) -> None:
    offer(world, chain_of(world))
    world.run("snapshot", "pull", "--out", "n.snapshot")
    kept = (world.folder / "n.snapshot").read_bytes()
    offer(world, chain_of(world, 0, as_of=NOW - HOUR))
    world.fails("no-snapshot", "snapshot", "pull", "--out", "n.snapshot")
    assert (world.folder / "n.snapshot").read_bytes() == kept


def test_no_snapshot_yet(world: World) -> None:
    world.fails("no-snapshot", "snapshot", "pull")


def write(world: World, data: bytes) -> Path:
    return world.write("n.snapshot", data)


@pytest.mark.parametrize(
    ("code", "age_s", "options"),
    [
        ("snapshot-expired", HOUR + 1, ()),
        ("snapshot-expired", 61, ("--max-age", "1m")),
        ("snapshot-expired", -86_400, ()),
    ],
)
def test_verify_says_that_it_is_too_old(
    world: World, code: str, age_s: int, options: tuple[str, ...]
) -> None:
    write(world, data_of(chain_of(world, 0, as_of=NOW - age_s)))
    world.fails(code, "snapshot", "verify", "n.snapshot", *options)
    world.run("snapshot", "info", "n.snapshot")


def test_verify_says_what_is_wrong(world: World) -> None:
    first, second, third = chain_of(world)
    write(world, data_of([first, third]))
    world.fails("missing-delta", "snapshot", "verify", "n.snapshot")
    write(world, data_of([first, second])[:-1])
    world.fails("snapshot-tampered", "snapshot", "verify", "n.snapshot")
    write(world, b"PAR1")
    world.fails("malformed", "snapshot", "verify", "n.snapshot")
    world.fails("file-unreadable", "snapshot", "verify", "nowhere")
    write(world, first.data)
    path = world.folder / "network.toml"
    operators = world.node.trusted.operators
    path.write_text(NetworkFile(type(NETWORK)(1, NETWORK.registry), 1, 0, operators).to_toml())
    world.fails("wrong-network", "snapshot", "verify", "n.snapshot")


@pytest.mark.parametrize("words", [("snapshot", "info"), ("check", "m.jsonl", *QUERY, "--offline")])
def test_a_snapshot_that_never_ends_is_not_begun(world: World, words: tuple[str, ...]) -> None:
    """Neither is a pipe waited for, nor a file read that no node offers; an unread file is sparse."""
    world.write("m.jsonl", b'{"license": "0x00", "item": "0x00"}\n')
    more = ("--bundle", "nowhere.sayso") if words[0] == "check" else ()
    with write(world, b"").open("r+b") as file:
        file.truncate(SNAPSHOT_BYTES + 1)
    world.fails("too-large", *words, "n.snapshot", *more)
    os.mkfifo("pipe.snapshot")
    world.fails("file-unreadable", *words, "pipe.snapshot", *more)
