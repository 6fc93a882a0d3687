"""Memory is bounded by what columns take decoded, in a process of its own whose most is measured.

Each table takes some kilobytes on the disk and gibibytes in memory. A bound of the process (RLIMIT_AS)
would count mapped files and the thread stacks of Arrow, so Arrow's own allocator is asked for its most.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer

MOST_BYTES = 256 * 1024 * 1024
LONG = "x" * 1_000_000
ROWS = 4_000
PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
import pyarrow as pa
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso.outputs import Outputs

source, kept, first = open_source(Path(sys.argv[1]), Columns()), 0, 0
with Outputs() as outputs:
    writer = source.writer(outputs, Path(sys.argv[2]))
    for batch in source.batches(1 << 20):
        clear = np.arange(first, first + len(batch)) % 1000 != 999
        first += len(batch)
        kept += int(clear.sum())
        writer.write(batch, clear)
    writer.close()
    outputs.commit()
print(json.dumps({"kept": kept, "most": pa.default_memory_pool().max_memory()}))
"""


def hashes(rows: int) -> dict[str, pa.Array]:
    items = np.arange(rows * 4, dtype=np.uint64).tobytes()
    columns = {"license": pa.array([b"\1" * 32]).take(pa.array(np.zeros(rows, np.int32)))}
    return columns | {
        "item": pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), rows, [None, pa.py_buffer(items)])
    }


def repeated(value: object, rows: int, kind: pa.DataType | None = None) -> pa.Array:
    """The same value in every row, in memory only once."""
    one = pa.array([value], kind)
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), one)


def write(
    path: Path, columns: dict[str, pa.Array], rows: int, group_rows: int, **options: object
) -> None:
    """Write in small groups, so that the writer takes little memory, too."""
    with pq.ParquetWriter(path, pa.table(columns).schema, store_schema=False, **options) as writer:
        writer.write_table(pa.table(columns), row_group_size=group_rows)


def long_texts(path: Path) -> int:
    write(path, {**hashes(ROWS), "text": repeated(LONG, ROWS)}, ROWS, ROWS)
    return ROWS


def long_texts_after_short_ones(path: Path) -> int:
    """The first rows of a group say nothing about the last."""
    lengths = pa.array(np.where(np.arange(ROWS) < ROWS // 2, 0, 1).astype(np.int32))
    texts = pa.DictionaryArray.from_arrays(lengths, pa.array(["x", LONG]))
    write(path, {**hashes(ROWS), "text": texts}, ROWS, ROWS)
    return ROWS


def prefixes(path: Path) -> int:
    """An encoding that says only how many bytes a text shares with the one before."""
    text = "x" * 100_000
    with pq.ParquetWriter(
        path,
        pa.schema({"license": pa.binary(), "item": pa.binary(32), "text": pa.string()}),
        use_dictionary=False,
        column_encoding={"text": "DELTA_BYTE_ARRAY"},
    ) as writer:
        columns = hashes(ROWS)
        writer.write_table(
            pa.table({**columns, "text": pa.array([text] * ROWS)}).cast(writer.schema),
            row_group_size=ROWS,
        )
    return ROWS


def chats(path: Path) -> int:
    """Lists of structs of long texts, more than 2 GiB in all."""
    rows = 300_000
    messages = pa.StructArray.from_arrays(
        [pa.array(["user", "assistant"] * rows).dictionary_encode(), repeated("y" * 4_000, 2 * rows)],
        ["role", "content"],
    )
    lists = pa.ListArray.from_arrays(pa.array(np.arange(0, 2 * rows + 1, 2, dtype=np.int32)), messages)
    write(path, {**hashes(rows), "messages": lists}, rows, 100_000)
    return rows


def one_long_list(path: Path) -> int:
    """A row in ten thousand has ten thousand elements."""
    rows, elements = 20_000, 40_000
    offsets = np.minimum(np.arange(rows + 1) // 10_000 * 20_000, elements).astype(np.int32)
    lists = pa.ListArray.from_arrays(pa.array(offsets), repeated("z" * 2_000, elements))
    write(path, {**hashes(rows), "texts": lists}, rows, rows)
    return rows


TABLES: dict[str, Callable[[Path], int]] = {
    "long texts": long_texts,
    "long texts after short ones": long_texts_after_short_ones,
    "prefixes": prefixes,
    "chats": chats,
    "one long list": one_long_list,
}


LATE = {"long texts after short ones", "prefixes"}  # with the long suite


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=pytest.mark.long if one in LATE else ()) for one in TABLES]
)
def test_columns_that_repeat_take_bounded_memory(tmp_path: Path, name: str) -> None:
    rows = TABLES[name](tmp_path / "m.parquet")
    run = [sys.executable, "-c", PROGRAM, "m.parquet", "kept.parquet"]
    told = json.loads(subprocess.run(run, cwd=tmp_path, check=True, capture_output=True).stdout)
    assert told["kept"] == rows - rows // 1000
    assert pq.read_metadata(tmp_path / "kept.parquet").num_rows == told["kept"]
    assert told["most"] <= MOST_BYTES, f"{told['most'] / 2**20:,.0f} MiB"


def test_hashes_that_are_long_texts(buyer: Buyer) -> None:
    """The column that names the license repeats a megabyte."""
    columns = {**hashes(ROWS), "license": repeated(LONG, ROWS)}
    write(Path("m.parquet"), columns, ROWS, ROWS)
    before = pa.total_allocated_bytes()
    buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY)
    assert pa.total_allocated_bytes() <= before + MOST_BYTES


def test_more_shards_than_the_process_may_open(buyer: Buyer) -> None:
    buyer.revoke()
    first = buyer.parquet("shards/0000.parquet")
    for at in range(1, 120):
        (first.parent / f"{at:04}.parquet").hardlink_to(first)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    try:
        buyer.check("shards", "--out", "kept", status=3)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert sum(pq.read_metadata(one).num_rows for one in Path("kept").iterdir()) == 360
