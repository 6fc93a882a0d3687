"""What can be wrong with a check, and what comes of it: an error, or reasons of rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from cli.gate.conftest import DAY_S, Buyer
from sayso.node_client.client import NodeClient
from sayso_protocol.primitives import address_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from support.snapshot_making import Content, make_delta
from support.snapshots import joined_keys

NOBODY = "http://127.0.0.1:1"
UNKNOWN = "0x" + "77" * 32


Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Case:
    """What is checked, how it is asked (as Gate takes it), and the place of the kept rows."""

    manifest: str = "m.parquet"
    settings: dict[str, Any] = field(default_factory=dict)
    kept: str = "kept.parquet"

    @property
    def options(self) -> list[str]:
        """The same for the command."""
        names = {"nodes": "--node", "offline": "--offline"}
        some = [(names[key], one) for key in names for one in self.settings.get(key, ())]
        some += [("--bundle", self.settings["bundle"])] if "bundle" in self.settings else []
        return [part for pair in some for part in pair]


Arrange = Callable[[Buyer, Patch], Case]


def rows_of(buyer: Buyer, rows: list[dict[str, Any]]) -> Case:
    buyer.parquet(rows=rows)
    return Case()


def asking(*urls: str) -> Arrange:
    """These nodes; `-` is the one that works."""
    return lambda buyer, _: Case(settings={"nodes": [url.replace("-", buyer.node.url) for url in urls]})


def answering(change: Callable[[Any], Any]) -> Arrange:
    """A node whose answer is changed on its way."""

    def arrange(buyer: Buyer, _: Patch) -> Case:
        buyer.node.twist = lambda route, answer: change(answer) if route == "check" else answer
        return Case()

    return arrange


def slow(buyer: Buyer, patch: Patch) -> Case:
    """It takes longer than the gate waits."""
    patch.setattr("sayso.node_client.transport.CHECK_S", 0.2)

    def think(route: str, answer: Any) -> Any:
        if route == "check":
            time.sleep(0.5)
        return answer

    buyer.node.twist = think
    return Case()


def down_half_way(buyer: Buyer, patch: Patch) -> Case:
    """The first rows are answered, and then nothing more."""
    patch.setattr("sayso.gate.formats.tables.parquet.ROWS_AT_ONCE", 1)
    buyer.node.twist = lambda _, answer: answer if len(buyer.node.checks) % 2 else "gone"
    return Case()


def other_network(buyer: Buyer, _: Patch) -> Case:
    path = buyer.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 1"))
    return Case()


def clock(seconds: float) -> Arrange:
    """The buyer's clock is wrong."""

    def arrange(_: Buyer, patch: Patch) -> Case:
        wrong = dict(NodeClient.__init__.__kwdefaults__ or {}) | {"clock": lambda: time.time() + seconds}
        patch.setattr("sayso.node_client.client.NodeClient.__init__.__kwdefaults__", wrong)
        return Case()

    return arrange


def offline(change: Callable[[Buyer, Path], object], **made: int) -> Arrange:
    """A snapshot that was changed after a node made it; `made` is its age and how long it lasts."""

    def arrange(buyer: Buyer, _: Patch) -> Case:
        change(buyer, buyer.snapshot(age_s=made.get("age_s", 0), lasts_s=made.get("lasts_s", DAY_S)))
        bundle = buyer.bundle()
        return Case(settings={"offline": ["north.snapshot"], "bundle": bundle.name})

    return arrange


def tampered(_: Buyer, path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def without_a_delta(buyer: Buyer, path: Path) -> None:
    """The second delta is there, and the first is not: what that says is not known."""
    first, now = buyer.snapshot_part(), int(time.time()) + 1
    content = Content(joined_keys([(bytes(20), 1, 1)]))
    moment = SnapshotMoment(sha256(b"later"), ChainPoint(8, bytes(32)), now, now, now + DAY_S)
    signer, network = buyer.node.key, buyer.node.network
    lost = make_delta(signer, network, moment, content, bytes(16), first.head, bytes(16))
    second = make_delta(signer, network, moment, content, bytes(16), lost.head, bytes(16))
    path.write_bytes(first.data + second.data)


def unknown_license(buyer: Buyer, _: Patch) -> Case:
    return rows_of(buyer, [*buyer.rows, buyer.rows[0] | {"license": UNKNOWN}])


def missing_party(buyer: Buyer, _: Patch) -> Case:
    """Somebody else is in it, too, and has not said yes."""
    buyer.world.write("call.flac")
    terms = ("--grantee", "anyone", "--purpose", "train-ai", "--expires", "1y")
    other = ("--parties", address_text(b"\x22" * 20), "--key", buyer.world.key)
    buyer.world.run("grant", "call.flac", *terms, *other, "--manifest", "call.jsonl")
    return rows_of(buyer, [*buyer.rows, *buyer.world.rows("call.jsonl")])


def duplicates(buyer: Buyer, _: Patch) -> Case:
    return rows_of(buyer, [*buyer.rows, *buyer.rows])


def also_offline(arrange: Arrange) -> Arrange:
    """The same rows, and nobody is asked."""

    def both(buyer: Buyer, patch: Patch) -> Case:
        case = arrange(buyer, patch)
        snapshot, bundle = buyer.snapshot(), buyer.bundle()
        return Case(case.manifest, {"offline": [snapshot.name], "bundle": bundle.name}, case.kept)

    return both


def written(name: str, data: bytes) -> Arrange:
    """A manifest of these bytes."""

    def arrange(buyer: Buyer, _: Patch) -> Case:
        (buyer.folder / name).write_bytes(data)
        return Case(name, kept=f"kept{Path(name).suffix}")

    return arrange


def without_rows(buyer: Buyer, _: Patch) -> Case:
    return rows_of(buyer, [])


def an_empty_folder(buyer: Buyer, _: Patch) -> Case:
    (buyer.folder / "shards").mkdir()
    return Case("shards", kept="kept")


def a_null(buyer: Buyer, _: Patch) -> Case:
    table = buyer.table()
    column = [*table["license"].to_pylist()[:3], None]
    table = table.set_column(0, "license", [column])
    pq.write_table(table, buyer.folder / "m.parquet")
    return Case()


def corrupt(change: Callable[[bytes], bytes]) -> Arrange:
    def arrange(buyer: Buyer, _: Patch) -> Case:
        path = buyer.folder / "m.parquet"
        path.write_bytes(change(path.read_bytes()))
        return Case()

    return arrange


def flipped_page(buyer: Buyer, _: Patch) -> Case:
    """One bit, within the values of a column (whose least and greatest stand elsewhere, too)."""
    path = buyer.folder / "m.parquet"
    pq.write_table(
        buyer.table(), path, compression="none", use_dictionary=False, write_page_checksum=True
    )
    data = path.read_bytes()
    at = data.index(b"c.flac")
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    return Case()


def forged(answer: Any) -> Any:
    return answer | {"receipt": answer["receipt"] | {"signature": "0x" + "00" * 64}}


def all_granted(answer: Any) -> Any:
    return answer | {"reasons": b"\1" * len(answer["reasons"])}


REVOKED = {"revoked": 1}
TABLE: dict[str, tuple[str | dict[str, int], Arrange]] = {
    "nothing is wrong, but a row is revoked": (REVOKED, asking("-")),
    "the node is down": ("node-unreachable", asking(NOBODY)),
    "half the nodes are down": ("node-unreachable", asking("-", NOBODY)),
    "half the nodes are down, the first": ("node-unreachable", asking(NOBODY, "-")),
    "the node goes down half-way": ("bad-answer", down_half_way),
    "the node is slow": ("node-unreachable", slow),
    "the answer is truncated": ("bad-answer", answering(lambda _: b"\x82\xa7reasons")),
    "the answer is for fewer rows": (
        "bad-answer",
        answering(lambda a: a | {"reasons": a["reasons"][1:]}),
    ),
    "a refused row is called granted": ("bad-proof", answering(all_granted)),
    "a wrong network": ("wrong-network", other_network),
    "a wrong signature": ("bad-signature", answering(forged)),
    "the clock is a day late": ("receipt-not-fresh", clock(-DAY_S)),
    "the clock is a day early": ("receipt-not-fresh", clock(DAY_S)),
    "the snapshot is expired": ("snapshot-expired", offline(lambda *_: None, age_s=120, lasts_s=60)),
    "the clock is a day late, offline": ("snapshot-expired", offline(lambda *_: None, age_s=-DAY_S)),
    "the clock is a day early, offline": (
        "snapshot-expired",
        offline(lambda *_: None, age_s=DAY_S, lasts_s=2 * DAY_S),
    ),
    "the snapshot is tampered with": ("snapshot-tampered", offline(tampered)),
    "a delta is missing": ("missing-delta", offline(without_a_delta)),
    "a license is unknown": (REVOKED | {"unknown": 1}, unknown_license),
    "a license is unknown, offline": (REVOKED | {"unknown": 1}, also_offline(unknown_license)),
    "a party is missing": (REVOKED | {"incomplete": 1}, missing_party),
    "a party is missing, offline": (REVOKED | {"incomplete": 1}, also_offline(missing_party)),
    "rows are there twice": ({"revoked": 2}, duplicates),
    "rows are there twice, offline": ({"revoked": 2}, also_offline(duplicates)),
    "the manifest is empty": ("bad-manifest", written("no.jsonl", b"")),
    "the manifest is a blank line": ("bad-manifest", written("no.jsonl", b"\n")),
    "the manifest is a head without rows": ("bad-manifest", written("no.csv", b"license,item\n")),
    "the manifest is Parquet without rows": ("bad-manifest", without_rows),
    "the manifest is an empty folder": ("bad-manifest", an_empty_folder),
    "a row has no license": ("bad-manifest", written("no.jsonl", b'{"item": "%s"}' % UNKNOWN.encode())),
    "a row of CSV has no license": (
        "bad-manifest",
        written("no.csv", b"license,item\n,%s\n" % UNKNOWN.encode()),
    ),
    "a row of Parquet has no license": ("bad-manifest", a_null),
    "the Parquet file is cut": ("bad-manifest", corrupt(lambda data: data[:-20])),
    "the Parquet file is cut within": ("bad-manifest", corrupt(lambda d: d[:100] + d[200:])),
    "the Parquet file is something else": ("bad-manifest", corrupt(lambda _: b"PAR1" + bytes(30))),
    "a bit of the Parquet file is flipped": ("file-unreadable", flipped_page),
}


FILES = {"rejected": "why.jsonl", "receipt": "receipt.json", "report": "report.html", "junit": "s.xml"}


def looks_cleared(buyer: Buyer, case: Case) -> set[str]:
    """What is left that somebody could take for a result, complete or not."""
    left = buyer.world.left()
    return left & {*FILES.values(), case.kept} | {one for one in left if one.endswith(".part")}
