"""Data sets appear whole, hold what was sold and not taken back, and their files are the items."""

import json
import resource
import signal
from pathlib import Path

import pytest
from sqlalchemy import update

from cli.marketplace.shop import LAB, Shop, answer, person
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso.gate.licenses import load_licenses
from sayso.marketplace.publishing import DataSet
from sayso.marketplace.stock import Permission, take_out
from sayso.marketplace.tables import items
from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from support.node_rig import NOW

ADA, BEN = person("ada"), person("ben")
FORMS = ("parquet", "webdataset", "folder")
ENDINGS = {"parquet": "parquet", "webdataset": "tar"}


def bought(shop: Shop) -> DataSet:
    held = shop.licensed(ADA, "a.wav", "b.tar.gz", "README.md") + shop.licensed(BEN, "c.json")
    shop.checked()
    with shop.market.begin(shop.engine) as db:
        shop.market.sell(db, "order 17", shop.offer(held))
    return dataset(shop)


def dataset(shop: Shop) -> DataSet:
    with shop.market.begin(shop.engine) as db:
        return shop.market.dataset(db, "order 17")


def left(shop: Shop) -> set[str]:
    """Everything in the folder, hidden files included."""
    return {path.name for path in shop.folder.iterdir()}


def rows_of(path: Path) -> list[bytes]:
    rows = b"".join([one.rows for one in open_source(path, Columns()).batches(1_024)])
    return sorted(rows[at : at + 64] for at in range(0, len(rows), 64))


@pytest.mark.parametrize("form", FORMS)
def test_the_gate_reads_what_is_published(shop: Shop, form: str) -> None:
    bundle, path = bought(shop), shop.folder / "data"
    about = bundle.write(path, form)
    assert (about["files"], about["left_out"]) == (4, 0)
    expected = sorted(join_rows([row]) for row, _ in bundle.entries)
    assert rows_of(path / "manifest.jsonl") == expected
    assert rows_of(path) == expected
    if form != "folder":
        assert rows_of(path / f"data.{ENDINGS[form]}") == expected
    licenses = load_licenses(path / "licenses", shop.network)
    assert (len(licenses.held), len(licenses.sublicenses)) == (2, 1)
    find = licenses.finder(Query(LAB, "train-ai"), NOW)
    assert {find(kept.item) for _, kept in bundle.entries} == {row.license for row, _ in bundle.entries}
    # Again: what is complete stays as it is.
    before = (path / "dataset.json").stat().st_ino
    assert bundle.write(path, form) == about
    assert (path / "dataset.json").stat().st_ino == before


@pytest.mark.parametrize("form", ["webdataset", "folder"])
def test_plain_items_are_checked_without_a_manifest(shop: Shop, form: str) -> None:
    names = ("a.wav", "b.wav")
    request = shop.request(shop.keep(*names, salt=b""))
    held = shop.signed(ADA, request)
    shop.take(request.token, answer(held))
    shop.checked()
    with shop.market.begin(shop.engine) as db:
        shop.market.sell(db, "order 17", shop.offer(held))
    path = shop.folder / "data"
    dataset(shop).write(path, form)
    found = load_licenses(path / "licenses", shop.network).finder(Query(LAB, "train-ai"), NOW)
    place = path / ("data.tar" if form == "webdataset" else "files")
    rows = b"".join([one.rows for one in open_source(place, Columns(find=found)).batches(1_024)])
    assert sorted(rows[at : at + 64] for at in (0, 64)) == sorted(
        held[0].digest + item for item in held[0].items
    )


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fault", ["bytes", "salt", "gone"])
def test_a_file_that_is_not_its_item_is_not_delivered(shop: Shop, form: str, fault: str) -> None:
    bundle = bought(shop)
    if fault == "salt":
        with shop.market.begin(shop.engine) as db:
            db.execute(update(items).where(items.c.name == "c.json").values(salt=b"\1" * 32))
        bundle = dataset(shop)
    elif fault == "bytes":
        (shop.folder / "c.json").write_bytes(b"contents of c.jsom")
    else:
        (shop.folder / "c.json").unlink()
    before = left(shop)
    with pytest.raises(SaysoError) as caught:
        bundle.write(shop.folder / "data", form)
    assert caught.value.code == ("file-unreadable" if fault == "gone" else "wrong-item")
    assert left(shop) == before


@pytest.mark.parametrize("form", FORMS)
def test_a_full_disk_leaves_nothing_behind(shop: Shop, form: str) -> None:
    """The limit on the size of files stands for a full disk: both fail in the middle of a write."""
    bundle = bought(shop)
    for name in ("a.wav", "b.tar.gz", "README.md", "c.json"):
        (shop.folder / name).write_bytes((shop.folder / name).read_bytes())
    old, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.SIG_IGN
    handler = signal.signal(signal.SIGXFSZ, ignored)
    before = left(shop)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, old[1]))
    try:
        with pytest.raises(SaysoError) as caught:
            bundle.write(shop.folder / "data", form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.code == "output-failed"
    assert left(shop) == before
    bundle.write(shop.folder / "data", form)


def test_what_was_taken_back_is_left_out(shop: Shop) -> None:
    bundle = bought(shop)
    (row, _), *rest = bundle.entries
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(row.license, row.item, "train-ai")], NOW)
    about = dataset(shop).write(shop.folder / "data", "folder")
    assert (about["files"], about["left_out"]) == (3, 1)
    lines = (shop.folder / "data" / "manifest.jsonl").read_text().splitlines()
    listed = {bytes.fromhex(json.loads(one)["sayso_item"][2:]) for one in lines}
    assert listed == {kept.item for _, kept in rest}
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(row.license, row.item, "resale") for row, _ in rest], NOW)
    with pytest.raises(SaysoError) as caught:
        dataset(shop).write(shop.folder / "other", "folder")
    assert caught.value.code == "not-in-stock"
    # The folder of another data set is never replaced.
    with pytest.raises(SaysoError) as caught:
        bundle.write(shop.folder / "data", "folder")
    assert caught.value.code == "output-failed"


def test_names_of_uploaders_never_become_paths(shop: Shop) -> None:
    evil = shop.folder / "evil"
    evil.write_bytes(b"evil")
    names = ("../../etc/passwd", "/abs", "..", "a\x00b", "x" * 500, "-rf", ".hidden", "a/b.tar.gz")
    with shop.market.begin(shop.engine) as db:
        kept = [shop.market.keep(db, evil, name) for name in names]
    request = shop.request(kept)
    held = shop.signed(ADA, request)
    shop.take(request.token, answer(held))
    shop.checked()
    with shop.market.begin(shop.engine) as db:
        shop.market.sell(db, "order 17", shop.offer(held))
    for form in FORMS:
        path = shop.folder / form
        dataset(shop).write(path, form)
        inside = {one.resolve() for one in path.rglob("*")}
        assert all(path.resolve() in one.parents for one in inside)
        assert not [one for one in inside if one.name.startswith((".", "-"))]
    assert len([*(shop.folder / "folder" / "files").iterdir()]) == len(names)
