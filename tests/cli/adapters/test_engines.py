"""Each adapter on the real engine: exact rows, in order, and nothing passes that the gate refuses."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from cli.gate.conftest import Buyer, buyer  # noqa: F401 - a fixture
from sayso.errors import NodeUnreachable, NotClear
from sayso.gate.gate import Gate

KEPT = ["a.flac", "c.flac", "d.flac"]


def needed(module: str) -> Any:
    """An engine that only `make engines` installs; where that has run, its absence is a failure."""
    if os.environ.get("SAYSO_ENGINES"):
        return __import__(module)
    return pytest.importorskip(module)


@pytest.fixture
def gate(buyer: Buyer) -> Iterator[Gate]:  # noqa: F811
    buyer.revoke()
    with buyer.offline() as gate:
        yield gate


@pytest.fixture
def table(buyer: Buyer) -> pa.Table:  # noqa: F811
    return buyer.table().drop_columns(["embedding"])


@pytest.fixture
def silent(buyer: Buyer) -> Gate:  # noqa: F811
    """A gate whose node does not answer."""
    return buyer.gate(nodes=["http://127.0.0.1:1"])


def test_polars(gate: Gate, silent: Gate, table: pa.Table) -> None:
    import polars as pl

    from sayso.adapters.polars import clear

    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    assert clear(gate, frame).equals(frame[[0, 2, 3]])
    lazy = clear(gate, frame.lazy().with_columns(n=pl.lit(1)))
    assert lazy.collect()["file"].to_list() == KEPT
    with pytest.raises(Exception, match="no answer from"):
        clear(silent, frame.lazy()).collect()
    with pytest.raises(NodeUnreachable):
        clear(silent, frame)


def test_duckdb(gate: Gate, silent: Gate, table: pa.Table) -> None:
    import duckdb

    from sayso.adapters.duckdb import clear, register

    connection = duckdb.connect()
    connection.register("rows", table)
    kept = clear(gate, connection.sql("SELECT * FROM rows"), connection)
    assert [one for (one,) in kept.project("file").fetchall()] == KEPT
    register(gate, connection)
    asked = "SELECT file, sayso_reason(license, item::BLOB) FROM rows"
    assert dict(connection.sql(asked).fetchall()) == dict.fromkeys(KEPT, "granted") | {
        "b.flac": "revoked"
    }
    nulls = "SELECT sayso_reason(NULL::BLOB, NULL::BLOB)"
    assert connection.sql(nulls).fetchall() == [("unknown",)]
    with pytest.raises(Exception, match="no answer from"):
        clear(silent, connection.sql("SELECT * FROM rows"), connection).fetchall()


def test_hugging_face_datasets(gate: Gate, silent: Gate, table: pa.Table, tmp_path: Path) -> None:
    import datasets

    from sayso.adapters.datasets import clear

    whole = datasets.Dataset(table)
    assert clear(gate, whole)["file"][:] == KEPT
    parts = datasets.DatasetDict({"train": whole.select([0, 1]), "test": whole.select([2])})
    assert {name: one["file"][:] for name, one in clear(gate, parts).items()} == {
        "train": ["a.flac"],
        "test": ["c.flac"],
    }
    assert [one["file"] for one in clear(gate, whole.to_iterable_dataset())] == KEPT
    with pytest.raises(NodeUnreachable):
        clear(silent, whole)
    with pytest.raises(NodeUnreachable):
        list(clear(silent, whole.to_iterable_dataset()))


def test_hugging_face_media_is_not_decoded_to_judge_it(gate: Gate, table: pa.Table) -> None:
    """One picture that nobody can decode is a row as any other."""
    import datasets

    from sayso.adapters.datasets import clear

    picture = pa.array([{"bytes": b"no picture", "path": None}] * 4)
    whole = datasets.Dataset(table.append_column("picture", picture))
    whole = whole.cast_column("picture", datasets.Image())
    for kept in (clear(gate, whole), clear(gate, whole.to_iterable_dataset())):
        assert kept.features == whole.features
        plain = kept.cast_column("picture", datasets.Image(decode=False))
        assert [one["file"] for one in plain] == KEPT
        with pytest.raises(Exception, match="cannot identify image"):
            list(kept)


def test_views_are_filtered(gate: Gate, table: pa.Table) -> None:
    views = [pa.field("file", pa.string_view()), pa.field("license", pa.binary_view())]
    for field in views:
        at = table.schema.get_field_index(field.name)
        table = table.set_column(at, field, table[field.name].cast(field.type))
    for data in (table, table.to_batches()[0]):
        kept = gate.filter(data)
        assert kept.schema == data.schema
        assert kept.column(kept.schema.get_field_index("file")).to_pylist() == KEPT


@pytest.mark.long
def test_torch(gate: Gate, silent: Gate, table: pa.Table) -> None:
    torch = needed("torch")
    from sayso.adapters.torch import GatedDataset, GatedStream

    samples = table.to_pylist()
    skipping = GatedDataset(samples, gate, table, refused="skip")
    loader = torch.utils.data.DataLoader(skipping, batch_size=2, num_workers=1, collate_fn=list)
    assert [one["file"] for batch in loader for one in batch] == KEPT
    raising = GatedDataset(samples, gate, table)
    assert len(raising) == 4
    with pytest.raises(NotClear, match="sample 1 is not clear: revoked"):
        list(torch.utils.data.DataLoader(raising, collate_fn=list))

    def key(one: dict[str, Any]) -> tuple[bytes, bytes]:
        return one["license"], one["item"]

    stream = GatedStream(samples, gate, key, refused="skip")
    assert [one["file"] for one in torch.utils.data.DataLoader(stream, batch_size=None)] == KEPT
    with pytest.raises(NotClear):
        list(GatedStream(samples, gate, key))
    with pytest.raises(NodeUnreachable):
        GatedDataset(samples, silent, table)


@pytest.mark.long
def test_ray(gate: Gate, silent: Gate, table: pa.Table) -> None:
    ray = needed("ray")
    from sayso.adapters.ray import clear

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        many = ray.data.from_arrow(pa.concat_tables([table] * 250)).repartition(4)
        kept = clear(gate, many).take_all()
        assert sorted(one["file"] for one in kept) == sorted(KEPT * 250)
        with pytest.raises(Exception, match="no answer from"):
            clear(silent, many).take_all()
    finally:
        ray.shutdown()


@pytest.mark.long
def test_pyspark(gate: Gate, silent: Gate, table: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    needed("pyspark")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    from pyspark.sql import SparkSession

    from sayso.adapters.pyspark import clear

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1")
    spark = builder.config("spark.driver.host", "127.0.0.1").getOrCreate()
    try:
        rows = [(one["license"], bytes(one["item"]), one["file"]) for one in table.to_pylist()]
        frame = spark.createDataFrame(rows * 250, "license binary, item binary, file string")
        kept = clear(gate, frame.repartition(4))
        assert kept.schema == frame.schema
        assert {one["file"]: one["count"] for one in kept.groupBy("file").count().collect()} == (
            dict.fromkeys(KEPT, 250)
        )
        with pytest.raises(Exception, match="no answer from"):
            clear(silent, frame).collect()
    finally:
        spark.stop()
