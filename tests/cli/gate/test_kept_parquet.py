"""What is kept of a Parquet file is what it was: values, schema, metadata, encodings, row groups."""

import datetime as dt
import decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso.gate.formats.tables.chunk import META, TYPE
from sayso.gate.formats.tables.footer import (
    COLUMNS,
    ENCRYPTION,
    PAIRS,
    SCHEMA,
    Footer,
    as_file,
)
from sayso.gate.formats.tables.leaf import CONVERTED, FIXED, LENGTH, LOGICAL
from sayso.gate.formats.tables.thrift import BINARY, I32, STRUCT, read_struct, write_struct

FAR = [dt.datetime(9999, 12, 31), dt.datetime(1, 1, 1), dt.datetime(2026, 1, 1, 1, 2, 3, 4), None]


def checked(buyer: Buyer, table: pa.Table, **options: Any) -> tuple[Path, Path]:
    """Write a table beside the hashes, in two row groups, and check it with b.flac revoked."""
    buyer.revoke()
    for name in table.schema.names:
        options.setdefault("hashes", buyer.table().select(["license", "item"]))
        options["hashes"] = options["hashes"].append_column(table.schema.field(name), table[name])
    whole = options.pop("hashes").replace_schema_metadata(table.schema.metadata)
    pq.write_table(whole, "m.parquet", row_group_size=2, **options)
    return again()


def again() -> tuple[Path, Path]:
    from click.testing import CliRunner

    from sayso.main import cli

    told = CliRunner().invoke(cli, ["check", "m.parquet", *QUERY, "--out", "kept.parquet"])
    assert told.exit_code == 3, told.output
    return Path("m.parquet"), Path("kept.parquet")


def same(before: Path, after: Path, *, is_exact: bool = True) -> None:
    """Another reader finds the same rows, and the footer says the same about the columns."""
    query = "SELECT * FROM '{}'"
    whole = duckdb.execute(query.format(before)).fetchall()
    kept = duckdb.execute(query.format(after)).fetchall()
    assert repr(kept) == repr([one for at, one in enumerate(whole) if at != 1])
    if not is_exact:
        return
    old, new = Footer(before), Footer(after)
    assert old.fields[SCHEMA] == new.fields[SCHEMA]
    assert old.fields.get(PAIRS) == new.fields.get(PAIRS)
    assert pq.read_schema(before).equals(pq.read_schema(after), check_metadata=True)
    old_meta, new_meta = pq.read_metadata(before), pq.read_metadata(after)
    assert [new_meta.row_group(at).num_rows for at in range(2)] == [1, 2]
    for at in range(old_meta.num_columns):
        for group in range(2):
            one, other = old_meta.row_group(group).column(at), new_meta.row_group(group).column(at)
            assert one.path_in_schema == other.path_in_schema
            assert (one.compression, one.physical_type) == (other.compression, other.physical_type)
            assert set(one.encodings) == set(other.encodings), one.path_in_schema


COLUMNS_OF: dict[str, pa.Array] = {
    "dates far away": pa.array(FAR, pa.timestamp("us")),
    "nanoseconds": pa.array([1, 2, None, 4], pa.timestamp("ns")),
    "seconds of a zone": pa.array([1, 2, None, 4], pa.timestamp("s", "Europe/Berlin")),
    "times": pa.array([1, 2, None, 4], pa.time64("ns")),
    "dates": pa.array([1, -2, None, 4], pa.date32()),
    "durations": pa.array([1, 2, None, 4], pa.duration("ms")),
    "decimals": pa.array([decimal.Decimal("-1.50"), None, 2, 3], pa.decimal128(9, 2)),
    "long decimals": pa.array([decimal.Decimal("-1.50"), None, 2, 3], pa.decimal256(60, 2)),
    "unsigned numbers": pa.array([0, 2**64 - 1, None, 3], pa.uint64()),
    "small numbers": pa.array([-128, 127, None, 3], pa.int8()),
    "halves": pa.array(np.array([1, 2, 3, 4], np.float16)),
    "views": pa.array(["a", "b" * 40, None, ""], pa.string_view()),
    "views of bytes": pa.array([b"a", b"b" * 40, None, b""], pa.binary_view()),
    "large texts": pa.array(["a", "b", None, ""], pa.large_string()),
    "a dictionary": pa.array(["a", "b", None, "a"]).dictionary_encode(),
    "lists": pa.array([[1, None], [], None, [2]], pa.list_(pa.field("thing", pa.int32()))),
    "lists of views": pa.array([["a"], [], None, ["b"]], pa.list_(pa.string_view())),
    "maps": pa.array([[("a", 1)], [], None, [("b", None)]], pa.map_(pa.string(), pa.int64())),
    "structs": pa.array([{"a": {"b": 1}}, None, {"a": None}, {"a": {"b": 2}}]),
    "nothing": pa.nulls(4),
    "truth": pa.array([True, False, None, True]),
    "bytes of one size": pa.array([b"abc", b"def", None, b"ghi"], pa.binary(3)),
}


@pytest.mark.parametrize("name", COLUMNS_OF)
@pytest.mark.parametrize("codec", ["zstd", "none"])
def test_columns_of_every_type(buyer: Buyer, name: str, codec: str) -> None:
    metadata = {"who": "Ada", "pandas": "{}"}
    table = pa.table({name: COLUMNS_OF[name]}).replace_schema_metadata(metadata)
    options = {"data_page_version": "2.0"} if codec == "none" else {}
    same(*checked(buyer, table, compression=codec, **options))


def test_int96_of_any_date(buyer: Buyer) -> None:
    """9999-12-31 does not fit into nanoseconds, and became 1816-03-30."""
    table = pa.table({"until": pa.array(FAR, pa.timestamp("us"))})
    before, after = checked(buyer, table, use_deprecated_int96_timestamps=True, store_schema=False)
    same(before, after)
    assert Footer(after).leaves[2].type == 3
    read = pq.ParquetFile(after, coerce_int96_timestamp_unit="us").read()["until"].to_pylist()
    assert read == [FAR[0], *FAR[2:]]


def relabelled(path: Path, change: dict[int, tuple[int, Any]]) -> None:
    """Give the last column another meaning in the footer, as other writers do."""
    footer = Footer(path)
    footer.leaves[-1].element.update(change)
    data = path.read_bytes()[: footer.start]
    path.write_bytes(data + as_file(footer.fields)[4:])


MEANINGS: dict[str, tuple[pa.Array, dict[int, tuple[int, Any]]]] = {
    "INTERVAL": (
        pa.array([bytes(12), b"b" * 12, None, b"c" * 12], pa.binary(12)),
        {CONVERTED: (I32, 21)},
    ),
    "JSON": (
        pa.array(["{}", "1", None, "2"]),
        {CONVERTED: (I32, 19), LOGICAL: (STRUCT, {12: (STRUCT, {})})},
    ),
    "BSON": (
        pa.array([b"{}", b"1", None, b"2"]),
        {CONVERTED: (I32, 20), LOGICAL: (STRUCT, {13: (STRUCT, {})})},
    ),
    "ENUM": (
        pa.array([b"a", b"b", None, b"c"]),
        {CONVERTED: (I32, 4), LOGICAL: (STRUCT, {4: (STRUCT, {})})},
    ),
    "UUID": (pa.array([bytes(16)] * 4, pa.binary(16)), {LOGICAL: (STRUCT, {14: (STRUCT, {})})}),
    "a meaning of tomorrow": (
        pa.array([b"a", b"b", None, b"c"]),
        {LOGICAL: (STRUCT, {40: (STRUCT, {})})},
    ),
}


@pytest.mark.parametrize("name", MEANINGS)
def test_meanings_that_arrow_does_not_know(buyer: Buyer, name: str) -> None:
    column, change = MEANINGS[name]
    buyer.revoke()
    hashes = buyer.table().select(["license", "item"]).append_column("x", column)
    pq.write_table(hashes, "m.parquet", row_group_size=2, store_schema=False)
    relabelled(Path("m.parquet"), change)
    before, after = again()
    old, new = Footer(before), Footer(after)
    assert old.fields[SCHEMA] == new.fields[SCHEMA]
    for group in new.groups[:1]:  # the other one is a copy
        has_bounds = bool({5, 6} & set(group[COLUMNS][1].items[-1][META][1].get(12, (0, {}))[1]))
        assert not has_bounds or name in ("JSON", "BSON", "ENUM", "UUID")
    change = {LENGTH: (I32, 12)} if name == "INTERVAL" else {}
    for path in (before, after):
        footer = Footer(path)
        element = footer.leaves[-1].element
        kind = FIXED if name in ("INTERVAL", "UUID") else element[TYPE][1]
        element.pop(CONVERTED, None), element.pop(LOGICAL, None)
        element.update({TYPE: (I32, kind), **change})
        path.write_bytes(path.read_bytes()[: footer.start] + as_file(footer.fields)[4:])
    whole, kept = (pq.read_table(one)["x"].to_pylist() for one in (before, after))
    assert kept == [whole[0], *whole[2:]]


ENCODINGS = {
    "DELTA_BINARY_PACKED": pa.array([1, 2, 3, 4]),
    "DELTA_BYTE_ARRAY": pa.array(["aa", "ab", None, "ac"]),
    "DELTA_LENGTH_BYTE_ARRAY": pa.array(["aa", "ab", None, "ac"]),
    "BYTE_STREAM_SPLIT": pa.array([1.5, 2.5, None, 3.5]),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_stay(buyer: Buyer, encoding: str) -> None:
    table = pa.table({"x": ENCODINGS[encoding]})
    same(*checked(buyer, table, use_dictionary=False, column_encoding={"x": encoding}))


def test_sorting_checksums_and_page_indexes_stay(buyer: Buyer) -> None:
    table = pa.table({"x": pa.array([1, 2, 3, 4])})
    order = [pq.SortingColumn(2)]
    options = {"sorting_columns": order, "write_page_checksum": True, "write_page_index": True}
    before, after = checked(buyer, table, **options)
    same(before, after)
    kept = pq.read_metadata(after).row_group(0)
    assert list(kept.sorting_columns) == order
    assert kept.column(0).has_column_index
    assert Footer(after).checks_pages() == (True, False)


def test_untouched_row_groups_and_files_are_copied(buyer: Buyer) -> None:
    table = pa.table({"x": pa.array(["a", "b", "c", "d"])})
    before, after = checked(buyer, table)
    old, new = pq.read_metadata(before), pq.read_metadata(after)
    for at in range(old.num_columns):
        one, other = old.row_group(1).column(at), new.row_group(1).column(at)
        start, end = one.dictionary_page_offset or one.data_page_offset, one.total_compressed_size
        place = other.dictionary_page_offset or other.data_page_offset
        raw = before.read_bytes()[start : start + end]
        assert after.read_bytes()[place : place + end] == raw
    pq.write_table(pq.read_table(before).take([0, 2, 3]), "clear.parquet", row_group_size=1)
    buyer.check("clear.parquet", "--out", "all.parquet")
    assert Path("all.parquet").read_bytes() == Path("clear.parquet").read_bytes()


def test_a_marked_field_and_statistics_of_old_writers(buyer: Buyer) -> None:
    """Readers believe old statistics of some writers only, so they are not copied under another name."""
    field = pa.field("x", pa.string(), metadata={"PARQUET:field_id": "7"})
    table = pa.table([pa.array(["a", "b", "c", "d"])], schema=pa.schema([field]))
    before, after = checked(buyer, table)
    same(before, after)
    for group in Footer(after).groups:
        for chunk in group[COLUMNS][1].items:
            assert not {1, 2} & set(chunk[META][1].get(12, (0, {}))[1]) or chunk[META][1][TYPE][1] != 6


def test_lists_of_an_old_layout_are_kept_and_said(buyer: Buyer) -> None:
    """Two levels, as parquet-avro writes them; pyarrow writes three."""
    buyer.revoke()
    hashes = buyer.table().select(["license", "item"])
    items = pa.array([[1, 2], [3], [], [4]], pa.list_(pa.field("array", pa.int32(), nullable=False)))
    pq.write_table(
        hashes.append_column("x", items),
        "m.parquet",
        use_compliant_nested_type=False,
        store_schema=False,
    )
    footer = Footer(Path("m.parquet"))
    elements = footer.fields[SCHEMA][1].items
    at = next(at for at, one in enumerate(elements) if one[4][1] == b"list")
    elements[at + 1] = {**elements[at + 1], 3: (I32, 2)}
    del elements[at]  # the middle level: `repeated int32 array` directly below the list
    for group in footer.groups:
        meta = group[COLUMNS][1].items[-1][META][1]
        meta[3][1].items.remove(b"list")
    Path("m.parquet").write_bytes(
        Path("m.parquet").read_bytes()[: footer.start] + as_file(footer.fields)[4:]
    )
    told = buyer.check("m.parquet", "--out", "kept.parquet", status=3)
    assert "old layout" in told.stderr
    same(Path("m.parquet"), Path("kept.parquet"), is_exact=False)


def test_what_we_do_not_know_in_a_footer_is_written_back() -> None:
    known = {1: (5, -7), 2: (8, b"x" * 300), 40: (1, True), 41: (2, False), 300: (12, {1: (6, 1 << 62)})}
    assert read_struct(write_struct(known)) == known


def test_encrypted_columns_are_refused_before_a_library_sees_them(buyer: Buyer) -> None:
    """With a plain footer, Arrow ends the process."""
    buyer.parquet()
    footer = Footer(Path("m.parquet"))
    footer.fields[ENCRYPTION] = STRUCT, {1: (STRUCT, {})}
    data = Path("m.parquet").read_bytes()
    Path("m.parquet").write_bytes(data[: footer.start] + as_file(footer.fields)[4:])
    told = buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY, "--out", "kept.parquet")
    assert "encrypted columns" in told.stderr
    Path("m.parquet").write_bytes(data[:-4] + b"PARE")
    assert "is encrypted" in buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY).stderr
    assert not [one for one in buyer.world.left() if "kept" in one]


def test_columns_in_other_files_are_refused(buyer: Buyer) -> None:
    """Some readers follow the path, and some do not."""
    buyer.parquet()
    footer = Footer(Path("m.parquet"))
    for chunk in footer.chunks():
        chunk[1] = BINARY, b"other.parquet"
    data = Path("m.parquet").read_bytes()
    Path("m.parquet").write_bytes(data[: footer.start] + as_file(footer.fields)[4:])
    told = buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY)
    assert "in other files" in told.stderr
