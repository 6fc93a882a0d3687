"""Odd tables and data sets: Parquet, Arrow and Hugging Face (see odd_manifests.py)."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from cli.gate.conftest import Buyer
from cli.gate.odd_manifests import STRANGE, Odd
from sayso.gate.formats.tables.chunk import DATA, DICTIONARY, PATH
from sayso.gate.formats.tables.footer import ROWS, Footer, as_file
from sayso.gate.formats.tables.thrift import I64

Change = Callable[[pa.Table], Any]


def parquet(change: Change, refusal: str = "", *options: str, **how: Any) -> Odd:
    def make(buyer: Buyer, path: Path) -> None:
        pq.write_table(change(buyer.table()), path, **how)

    return Odd("n.parquet", make, refusal, options)


def with_(**columns: Any) -> Change:
    def change(table: pa.Table) -> pa.Table:
        for name, column in columns.items():
            table = table.append_column(name, column)
        return table

    return change


def first(name: str, column: Any) -> Change:
    return lambda table: table.add_column(0, name, column)


def texts(kind: Any) -> Change:
    """Hashes as texts of this type."""

    def change(table: pa.Table) -> pa.Table:
        for at, name in enumerate(("license", "item")):
            found = ["0x" + one.hex() for one in table[name].to_pylist()]
            table = table.set_column(at, name, pa.array(found).cast(kind))
        return table

    return change


def other_footer(change: Callable[[Footer], None], refusal: str) -> Odd:
    """Its items, and other hashes in the column behind them, with a footer that is changed."""

    def make(buyer: Buyer, path: Path) -> None:
        items = buyer.table().append_column("near", pa.array([bytes(32)] * 4, pa.binary(32)))
        pq.write_table(items, path, use_dictionary=False, compression="none")
        change(footer := Footer(path))
        path.write_bytes(path.read_bytes()[: footer.start] + as_file(footer.fields)[4:])

    return Odd("n.parquet", make, refusal)


def says(rows: int) -> Callable[[Footer], None]:
    """All rows are so many; each row group says what it has."""
    return lambda footer: footer.fields.update({ROWS: (I64, rows)})


def point_elsewhere(footer: Footer) -> None:
    """The items have a dictionary, where the other column begins; half of all readers begin there."""
    _, item, *_, near = (one.meta for one in footer.columns(0))
    item[DICTIONARY] = near[DATA]


def rename_chunks(footer: Footer) -> None:
    """The schema names the columns as they are; the row group exchanges two names."""
    _, item, *_, near = (one.meta for one in footer.columns(0))
    item[PATH], near[PATH] = near[PATH], item[PATH]


def nested(table: pa.Table) -> pa.Table:
    fields = [table["license"].combine_chunks(), table["license"].combine_chunks()]
    return with_(meta=pa.StructArray.from_arrays(fields, ["License", "license"]))(table)


FOUR = pa.array([STRANGE] * 4)
ENTRIES = [[("a", [{"b": Decimal("1.20")}])]] * 4
KIND = pa.map_(pa.string(), pa.list_(pa.struct({"b": pa.decimal256(60, 2)})))
PARQUET = {
    "a name twice": parquet(with_(item=FOUR), "occurs 2 times"),
    "a name twice but for case": parquet(first("Item", FOUR), "rename"),
    "a name twice but for form": parquet(first("\uff29tem", FOUR), "rename"),
    "a nested name twice but for case": parquet(nested, "rename", "--license-column", "meta.license"),
    "dictionaries": parquet(with_(n=pa.array(["a", "b", "a", None]).dictionary_encode())),
    "decimals in lists in maps": parquet(with_(n=pa.array(ENTRIES, KIND))),
    "times of 96 bits": parquet(
        with_(n=pa.array([1, -1, 2**52, None], pa.timestamp("us"))), use_deprecated_int96_timestamps=True
    ),
    "nothing but nulls": parquet(with_(n=pa.nulls(4))),
    "a group for each row": parquet(lambda table: table, row_group_size=1),
    "no rows": parquet(lambda table: table.slice(0, 0), "no rows"),
    "more rows in all": other_footer(says(5), "its row groups have 4"),
    "fewer rows in all": other_footer(says(3), "its row groups have 4"),
    "a dictionary behind its values": other_footer(point_elsewhere, "behind its values"),
    "names of columns exchanged in a group": other_footer(rename_chunks, "other columns"),
    "no columns": parquet(lambda _: pa.table({}), "no column"),
    "numbers for hashes": parquet(
        lambda table: table.set_column(0, "license", pa.array([1] * 4)), "bytes or text"
    ),
    "lists of hashes": parquet(
        lambda table: table.set_column(0, "license", pa.array([["a"]] * 4)), "bytes or text"
    ),
    "nulls for hashes": parquet(lambda table: table.set_column(0, "license", pa.nulls(4)), "not a hash"),
    "names of nothing and of dots": parquet(with_(**{"": FOUR, "a.b": FOUR, "a\0b": FOUR})),
    "pages of the second version": parquet(
        with_(n=pa.array([1, 2, 3, 4])), data_page_version="2.0", compression="brotli"
    ),
}


def batches(*tables: pa.Table) -> Callable[[pa.Table], Sequence[pa.Table]]:
    return lambda _: tables


def arrow(
    of: Callable[..., Any] = pa.ipc.new_stream,
    change: Change = lambda table: table,
    then: Callable[[bytes], bytes] = bytes,
    refusal: str = "",
    **options: Any,
) -> Odd:
    def make(buyer: Buyer, path: Path) -> None:
        found = change(buyer.table())
        parts = found if isinstance(found, list) else [found]
        with of(str(path), parts[0].schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            for one in parts:
                writer.write_table(one)
        path.write_bytes(then(path.read_bytes()))

    return Odd("n.arrow", make, refusal)


def words(*dictionaries: Sequence[str]) -> Change:
    """A table for each dictionary, with the rows among them."""

    def change(table: pa.Table) -> list[pa.Table]:
        step = len(table) // len(dictionaries)
        return [
            table.slice(at * step, step).append_column(
                "n", pa.DictionaryArray.from_arrays([0] * step, list(some))
            )
            for at, some in enumerate(dictionaries)
        ]

    return change


_END = 8  # bytes of the end mark of a stream
FILE = pa.ipc.new_file


def hide(data: bytes) -> bytes:
    """Let the footer name the second batch where it named the first."""
    begin = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    footer = data[begin:-10]
    tables = pa.ipc.open_file(pa.BufferReader(data))
    assert tables.num_record_batches == 2
    places = [at for at in range(0, len(footer) - 24, 4) if _is_block(data, footer[at : at + 24])]
    one, two = places[-2:]
    return data[:begin] + footer[:one] + footer[two : two + 24] + footer[one + 24 :] + data[-10:]


def of_polars(buyer: Buyer, path: Path) -> None:
    """Its schema stands before the batches without a length."""
    words = pl.Series("n", ["a", "b", "a", None], dtype=pl.Categorical)
    pl.DataFrame(buyer.table()).with_columns(words).write_ipc(path, compression="zstd")


def rename(data: bytes) -> bytes:
    """Let the schema before the batches exchange two columns, which the footer names as they are."""
    begin = len(data) - 10 - int.from_bytes(data[-10:-6], "little")
    head = data[:begin].replace(b"item", b"    ", 1).replace(b"near", b"item", 1)
    return head.replace(b"    ", b"near", 1) + data[begin:]


def coded(table: pa.Table) -> pa.Table:
    """A text, the items and other hashes, each by a dictionary: by those of number 0, 1 and 2."""
    items = table["item"].combine_chunks().dictionary_encode()
    other = pa.array([bytes([at]) * 32 for at in range(4)], pa.binary(32)).dictionary_encode()
    columns = {"n": pa.array(["a"] * 4).dictionary_encode(), "item": items, "near": other}
    return pa.table({**columns, "license": table["license"]})


def exchange(data: bytes) -> bytes:
    """Let the schema before the batches give each of two columns the dictionary of the other one."""
    end = 16 + int.from_bytes(data[12:16], "little")
    head, one, two = data[:end], (1).to_bytes(8, "little"), (2).to_bytes(8, "little")
    assert head.count(one) == head.count(two) == 1
    places = {head.index(one): two, head.index(two): one}
    for at, number in places.items():
        head = head[:at] + number + head[at + 8 :]
    return head + data[end:]


def _is_block(data: bytes, block: bytes) -> bool:
    place, size = int.from_bytes(block[:8], "little"), int.from_bytes(block[8:12], "little")
    return 8 <= place < len(data) and size > 8 and data[place : place + 4] == b"\xff" * 4


ARROW = {
    "two streams": arrow(then=lambda data: data + data, refusal="behind its end"),
    "a stream and a word": arrow(then=lambda data: data + b"text", refusal="behind its end"),
    "a stream without its end": arrow(then=lambda data: data[:-_END], refusal="cut"),
    "a stream cut within": arrow(then=lambda data: data[:-20], refusal="cut"),
    "two streams, the first without its end": arrow(
        then=lambda data: data[:-_END] + data, refusal="error ["
    ),
    "two files": arrow(FILE, then=lambda data: data + data, refusal="before its footer"),
    "a file with a hidden batch": arrow(
        FILE, lambda table: [table.slice(0, 2), table.slice(2)], hide, "footer that names other"
    ),
    "a file with another schema before its batches": arrow(
        FILE, with_(near=pa.array([bytes(32)] * 4, pa.binary(32))), rename, "other columns"
    ),
    "a file with exchanged dictionaries": arrow(FILE, coded, exchange, "other columns"),
    "a file of polars": Odd("n.arrow", of_polars),
    "a file without its footer": arrow(FILE, then=lambda data: data[:-4], refusal="Not an Arrow file"),
    "dictionaries that grow": arrow(change=words(["a"], ["a", "b"]), emit_dictionary_deltas=True),
    "dictionaries that are replaced": arrow(change=words(["a"], ["b", "a"])),
    "dictionaries that grow in a file": arrow(
        FILE, words(["a"], ["a", "b"]), emit_dictionary_deltas=True
    ),
    "a stream of before 0.15": arrow(use_legacy_format=True),
    "metadata of version 4": arrow(FILE, metadata_version=pa.ipc.MetadataVersion.V4),
    "batches without rows": arrow(change=lambda table: [table.slice(0, 0), table, table.slice(4)]),
    "compressed": arrow(FILE, compression="zstd"),
    "a name twice but for case": arrow(change=first("ITEM", FOUR), refusal="rename"),
}


def hugging(change: Callable[[Path], object], refusal: str = "", *, splits: bool = False) -> Odd:
    def make(buyer: Buyer, path: Path) -> None:
        import datasets

        rows = [{"license": one["license"], "item": one["item"]} for one in buyer.rows]
        found = datasets.Dataset.from_list(rows)
        (datasets.DatasetDict({"a": found}) if splits else found).save_to_disk(str(path))
        change(path)

    return Odd("n", make, refusal, kind="hugging face")


def state(**fields: Any) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        file = path / "state.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return change


_DATA = {"filename": "data-00000-of-00001.arrow"}
HUGGING = {
    "no splits": hugging(
        lambda path: (path / "dataset_dict.json").write_text('{"splits": []}'), "no split"
    ),
    "a split that is missing": hugging(
        lambda path: (path / "dataset_dict.json").write_text('{"splits": ["a", "b"]}'), "b/", splits=True
    ),
    "a split elsewhere": hugging(
        lambda path: (path / "dataset_dict.json").write_text('{"splits": ["../n"]}'), "outside"
    ),
    "no data": hugging(state(_data_files=[]), "leave this split out"),
    "a file twice": hugging(state(_data_files=[_DATA, _DATA]), "save it again"),
    "no features": hugging(lambda path: (path / "dataset_info.json").unlink(), "save it again"),
    "another file": hugging(lambda path: (path / "zz.arrow").write_bytes(b"x")),
    "no object": hugging(lambda path: (path / "state.json").write_text("[]"), "JSON object"),
}
