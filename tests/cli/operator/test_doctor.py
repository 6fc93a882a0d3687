"""`sayso node doctor` finds each fault, and says what to do."""

import resource
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import World
from node.config.test_folder import OTHER, make
from sayso_contracts.registry.artifact import runtime_code
from sayso_node.batches.http_json import HttpJson
from sayso_node.doctor import surroundings
from sayso_node.doctor.diagnosis import Diagnosis, Level
from sayso_node.doctor.machine import examine_machine, is_running
from sayso_node.doctor.surroundings import examine_chain, examine_operators
from sayso_node.errors import ChainUnreachable, PeerUnreachable
from sayso_node.folder.config import NodeConfig, load_config
from sayso_node.folder.lock import USED_FILE, NodeFolder
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.store import singles
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import damage_of, location_in
from sayso_node.store.tables.schema import VERSION
from sayso_protocol.network_file import Named
from sayso_protocol.primitives import address_text
from support.filled_store import change_store
from support.node_rig import NOW, ManualClock
from support.protocol_strategies import NETWORK


def config(folder: Path, **changes: object) -> NodeConfig:
    make(folder, **changes)
    folder.chmod(0o700)
    (folder / "node.toml").chmod(0o600)
    return load_config(folder)


def found(lines: Iterator[Diagnosis] | list[Diagnosis], level: Level) -> dict[str, str]:
    return {one.subject: f"{one.text} -> {one.advice}" for one in lines if one.level is level}


class Endpoint:
    """What an endpoint answers, by method."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "eth_chainId": hex(NETWORK.chain_id),
            "eth_getCode": "0x" + runtime_code().hex(),
            "eth_getLogs": [],
            "hash": "0x01",
            "time": NOW - 5,
        } | answers

    def answer(self, method: str) -> dict[str, Any]:
        if method == "eth_getBlockByNumber":
            time = hex(int(self.answers["time"]))
            return {"result": {"number": "0x64", "timestamp": time, "hash": self.answers["hash"]}}
        answer = self.answers[method]
        if isinstance(answer, Exception):
            raise answer
        return {"error": {"message": answer}} if answer == "refused" else {"result": answer}


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> list[Endpoint]:
    """The endpoints that are asked, in order."""
    chosen = [Endpoint()]

    class Link:
        def __init__(self, url: str) -> None:
            self.name = url
            self.endpoint = chosen[int(url[-1])]

        async def ask(self, method: str, _params: object) -> dict[str, Any]:
            return self.endpoint.answer(method)

        async def close(self) -> None:
            pass

    monkeypatch.setattr(surroundings, "JsonRpc", Link)
    return chosen


async def listed(lines: AsyncIterator[Diagnosis]) -> list[Diagnosis]:
    return [one async for one in lines]


RPCS = {"rpc": "http://rpc.example/0", "more_rpcs": ("http://rpc.example/1",)}


async def test_a_good_chain(tmp_path: Path, endpoints: list[Endpoint]) -> None:
    endpoints.append(Endpoint())
    lines = await listed(examine_chain(config(tmp_path, **RPCS), ManualClock()))
    assert {one.level for one in lines} == {Level.OK}
    assert {one.subject for one in lines} == {"registry", "endpoint"}


BAD_CHAINS = [
    ({"eth_chainId": "0x1"}, Level.FAIL, "endpoint", "is of chain 1"),
    ({"eth_chainId": ChainUnreachable("refused")}, Level.FAIL, "endpoint", "refused"),
    ({"eth_chainId": "words"}, Level.FAIL, "endpoint", "check rpc"),
    ({"eth_getCode": "0x"}, Level.FAIL, "registry", "has no code"),
    ({"eth_getCode": "0x6001"}, Level.FAIL, "registry", "not that of this release"),
    ({"time": NOW - 600}, Level.FAIL, "endpoint", "600 s old"),
    ({"time": NOW + 600}, Level.FAIL, "clock", "behind"),
    ({"eth_getLogs": "refused"}, Level.WARN, "endpoint", "refuses logs"),
    ({"hash": "0x02"}, Level.FAIL, "endpoint", "disagree"),
]


@pytest.mark.parametrize(("answers", "level", "subject", "text"), BAD_CHAINS)
async def test_a_bad_endpoint(
    tmp_path: Path,
    endpoints: list[Endpoint],
    answers: dict[str, Any],
    level: Level,
    subject: str,
    text: str,
) -> None:
    endpoints.append(Endpoint(**answers))
    lines = await listed(examine_chain(config(tmp_path, **RPCS), ManualClock()))
    assert text in found(lines, level)[subject]


async def test_one_endpoint_is_believed(tmp_path: Path, endpoints: list[Endpoint]) -> None:
    lines = await listed(examine_chain(config(tmp_path, rpc="http://rpc.example/0"), ManualClock()))
    assert "more_rpcs" in found(lines, Level.WARN)["endpoint"]


class Http:
    """The other operator's node."""

    def __init__(self, address: str | None = "/ip4/198.41.0.4/tcp/4600", **about: Any) -> None:
        network = {"chain_id": NETWORK.chain_id, "registry": address_text(NETWORK.registry)}
        usual = {"node_key": OTHER.hex(), "time": NOW, "network": network, "version": "1"}
        self.about, self.address = usual | about, address
        self.own = b""

    async def get(self, url: str) -> Any:
        if self.about["version"] is None:
            raise PeerUnreachable("it did not answer")
        if url.endswith("/v1/node"):
            return self.about
        peer = {"peer_id": peer_id_of(self.own), "address": self.address, "connected": True}
        return {"peers": [] if self.address is None else [peer]}


OPERATORS = [
    (Http(), Level.OK, "dialable", "has dialled /ip4/198.41.0.4"),
    (Http(), Level.OK, "clock", "0 s"),
    (Http(""), Level.WARN, "dialable", "none has dialled it"),
    (Http(None), Level.WARN, "dialable", "no peer"),
    (Http(time=NOW - 600), Level.FAIL, "clock", "600 s ahead"),
    (Http(time=NOW + 86_400), Level.FAIL, "clock", "86400 s behind"),
    (Http(time=float("nan")), Level.WARN, "peers", "no number"),
    (Http(node_key="ab" * 32), Level.FAIL, "peers", "another key"),
    (Http(network={"chain_id": 1, "registry": ""}), Level.FAIL, "peers", "another network"),
    (Http(network=[]), Level.WARN, "peers", "ask its operator"),
    (Http(version=None), Level.WARN, "peers", "did not answer"),
]


@pytest.mark.parametrize(("http", "level", "subject", "text"), OPERATORS)
async def test_the_other_operators(
    tmp_path: Path, http: Http, level: Level, subject: str, text: str
) -> None:
    chosen = config(tmp_path)
    me, other = chosen.network_file.operators
    named = replace(chosen.network_file, operators=(me, replace(other, url="http://other.example")))
    http.own = chosen.node_key
    asked: HttpJson = http  # type: ignore[assignment]
    lines = await listed(examine_operators(replace(chosen, network_file=named), ManualClock(), asked))
    assert text in found(lines, level)[subject]


def test_a_good_machine(tmp_path: Path) -> None:
    outside = {"announce": ("/dns/node.example/tcp/4600",), "public_url": "https://node.example"}
    chosen = config(tmp_path, **outside)
    bad = [one for one in examine_machine(chosen) if one.level is not Level.OK]
    assert {one.subject for one in bad} <= {"space", "files", "disk"}  # those are this machine's own
    assert not is_running(tmp_path)
    folder = NodeFolder(tmp_path)
    folder.lock()
    assert is_running(tmp_path)
    folder.release()


def missing_store(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    (folder / USED_FILE).touch()


def broken_store(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    Path(location_in(folder)).write_bytes(b"no store " * 1_000)


def noted_damage(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    Path(location_in(folder)).write_bytes(b"no store " * 1_000)
    damage_of(location_in(folder)).report("a bit is missing")


def open_settings(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    (folder / "node.toml").chmod(0o644)


def few_files(_folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resource, "getrlimit", lambda _: (256, 256))


def full_disk(_folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1_000}))


def marked(stage: Stage) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def mark(folder: Path, _patch: pytest.MonkeyPatch) -> None:
        change_store(
            location_in(folder), lambda db: marks.put(db, Mark(stage, "00", "postgresql://db/x"))
        )

    return mark


def anothers_store(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    change_store(location_in(folder), lambda db: singles.put(db, singles.OWNER, b"node 00"))


def no_store(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(location_in(folder))) as db:
        db.execute("CREATE TABLE photos (name TEXT)")
        db.commit()


def of_version(version: int) -> Callable[[Path, pytest.MonkeyPatch], None]:
    def write(folder: Path, _patch: pytest.MonkeyPatch) -> None:
        change_store(location_in(folder), lambda _db: None)
        with closing(sqlite3.connect(location_in(folder))) as db:
            db.execute(f"PRAGMA user_version = {version}")

    return write


MACHINES: list[tuple[Callable[[Path, pytest.MonkeyPatch], None], Level, str, str]] = [
    (missing_store, Level.FAIL, "store", "restore"),
    (broken_store, Level.FAIL, "store", "verify-store"),
    (noted_damage, Level.FAIL, "store", "verify-store"),
    (marked(Stage.MOVED), Level.FAIL, "store", "moved to postgresql://db/x, and no node starts"),
    (marked(Stage.MOVED), Level.FAIL, "store", "let `store` in node.toml name the new place"),
    (marked(Stage.ARRIVING), Level.FAIL, "store", "repeat the same sayso node move-store"),
    (anothers_store, Level.FAIL, "store", "it is that of node 00"),
    (no_store, Level.FAIL, "store", "not the store of a node"),
    (of_version(VERSION + 1), Level.FAIL, "store", "install the release that wrote it"),
    (of_version(VERSION - 1), Level.WARN, "store", "sayso node backup, then start the node"),
    (open_settings, Level.WARN, "permissions", "chmod"),
    (few_files, Level.FAIL, "files", "LimitNOFILE"),
    (full_disk, Level.FAIL, "space", "make room"),
]


@pytest.mark.parametrize(("fault", "level", "subject", "text"), MACHINES)
def test_a_bad_machine(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Path, pytest.MonkeyPatch], None],
    level: Level,
    subject: str,
    text: str,
) -> None:
    chosen = config(tmp_path)
    fault(tmp_path, monkeypatch)
    assert text in found(examine_machine(chosen), level)[subject]


def test_a_slow_disk(tmp_path: Path) -> None:
    turn = iter(range(10**6))
    lines = examine_machine(config(tmp_path), lambda: float(next(turn)))
    assert "a flush takes 1000.0 ms" in found(lines, Level.WARN)["disk"]


def test_the_command_says_what_to_do(world: World, tmp_path: Path) -> None:
    make(tmp_path / "node", rpc="http://127.0.0.1:1")
    said = world.fails("not-ready", "node", "doctor", tmp_path / "node").stdout
    assert "FAIL  endpoint: http://127.0.0.1:1" in said
    assert "      -> check rpc" in said
    assert "OK    versions: sayso " in said


def test_names_that_people_are_not_shown(tmp_path: Path) -> None:
    made = config(tmp_path / "node")
    right = Named(b"\x11" * 20, "Kled", "kled.ai")
    wrong = Named(b"\x22" * 20, "Kl\N{CYRILLIC SMALL LETTER IE}d")
    for names, level in (((right,), Level.OK), ((right, wrong), Level.WARN)):
        with_names = replace(made, network_file=replace(made.network_file, names=names))
        lines = found(examine_machine(with_names), level)
        assert "names" in lines
    assert f"{address_text(wrong.address)} is an unknown company" in lines["names"]
    assert "mixes scripts" in lines["names"]
