"""Odd manifests that were tried after those of odd_manifests.py: what failed then, and what held."""

import bz2
import gzip
import json
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cli.gate.conftest import Buyer
from cli.gate.odd_archives import BUNDLE, member, pax, with_file
from cli.gate.odd_manifests import (
    STRANGE,
    Odd,
    Rows,
    archive,
    last,
    lines,
    packed,
    table,
    text,
    written,
    zst,
)
from cli.gate.odd_tables import FILE, FOUR, arrow, parquet, texts, with_
from sayso.gate.formats.tables.footer import GROUP_ROWS, ROWS, Footer, as_file
from sayso.gate.formats.tables.thrift import I64

MARK: Final = b"\xef\xbb\xbf"
LFS: Final = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
FIELD: Final = ("--license-column", "meta.license")


def both_names(rows: Rows) -> Rows:
    return [{**one, "meta.license": one["license"], "meta": {"license": STRANGE}} for one in rows]


def wide_window(data: bytes) -> bytes:
    """A frame of zst that asks for 2 GiB."""
    return b"\x28\xb5\x2f\xfd\0" + bytes([21 << 3]) + (len(data) << 3 | 1).to_bytes(3, "little") + data


def empty_groups(buyer: Buyer, path: Path) -> None:
    with pq.ParquetWriter(path, buyer.table().schema) as writer:
        for start, size in ((0, 0), (0, 2), (0, 0), (2, 2)):
            writer.write_table(buyer.table().slice(start, size))


def hidden_row(buyer: Buyer, path: Path) -> None:
    """The footer says three rows, and each column has four: the last of them is nowhere judged."""
    pq.write_table(buyer.table(), path)
    footer = Footer(path)
    footer.groups[0][GROUP_ROWS] = footer.fields[ROWS] = I64, 3
    path.write_bytes(path.read_bytes()[: footer.start] + as_file(footer.fields)[4:])


def in_runs(some: pa.Table) -> pa.Table:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 4], pa.int32()), pa.array(["a", "b"]))
    return some.append_column("n", runs)


def both_columns(some: pa.Table) -> pa.Table:
    meta = pa.StructArray.from_arrays([some["license"].combine_chunks()], ["license"])
    return with_(**{"meta.license": FOUR, "meta": meta})(some)


def padded(name: str, rows: Rows) -> str:
    """A table whose first column has the name of the judged one, but for white space."""
    body = "".join(f"{STRANGE},{one['license']},{one['item']}\n" for one in rows)
    return f"{name},license,item\n{body}"


# Each of these was kept with two readings, refused without reason, or explained wrongly.
FOUND: Final = {
    "half of an escaped character": written("n.jsonl", last(r'"n":"\ud800"'), "half of a character"),
    "halves in the wrong order": written("n.jsonl", last(r'"n":["\udc00\ud800"]'), "half of a char"),
    "half of a character in a name": written("n.jsonl", last(r'"item\udfff" :1'), "half of a char"),
    "a better name in a later row": written(
        "n.jsonl",
        lambda rows: lines(rows[:1]) + lines(rows[1:], sayso_license=STRANGE),
        "--license-column",
    ),
    "a field and a column of one name": Odd(
        "n.jsonl", lambda buyer, path: path.write_bytes(lines(both_names(buyer.rows))), "rename", FIELD
    ),
    "a nested and a plain column of one name": parquet(both_columns, "rename", *FIELD),
    "a separator within characters": Odd(
        "n.csv",
        lambda buyer, path: path.write_bytes(table(buyer.rows, note="\u30dd", cut="|").encode("sjis")),
        "iconv",
        ("--encoding", "shift_jis", "--delimiter", "|"),
    ),
    "a name twice but for a space": text("n.csv", lambda rows: padded("item ", rows), "rename"),
    "a name twice but for a space of a page": text(
        "n.csv", lambda rows: padded("\u00a0item", rows), "rename"
    ),
    "escapes for a character set": text(
        "n.csv", lambda rows: table(rows, note="a\\x2cb"), "iconv", "--encoding", "unicode_escape"
    ),
    "gz in gz": packed("n.jsonl.gz", lambda data: gzip.compress(gzip.compress(data)), "twice"),
    "zst with a wide window": packed("n.jsonl.zst", wide_window, "smaller window"),
    "gz and text": packed("n.jsonl.gz", lambda d: gzip.compress(d) + b"text", "fetch it again"),
    "the usual name of JSON in gz": packed("n.json.gz", gzip.compress),
    "a pointer": packed("n.jsonl", lambda _: LFS, "git lfs pull"),
    "a pointer to a table": packed("n.parquet", lambda _: LFS, "git lfs pull"),
    "a pointer to an Arrow file": packed("n.arrow", lambda _: LFS, "git lfs pull"),
    "a web page": packed("n.csv", lambda _: b"<!DOCTYPE html><html>", "fetch the file itself"),
    "ORC": packed("n.orc", lambda _: b"ORC" + bytes(40), "in ORC"),
    "a table by a wrong name": Odd(
        "n.jsonl", lambda buyer, path: pq.write_table(buyer.table(), path), ".parquet"
    ),
    "a table in gz": packed("n.parquet.gz", gzip.compress, "unpack it"),
    "rows that the footer hides": Odd("n.parquet", hidden_row, "a group of 3 rows"),
    "groups without rows": Odd("n.parquet", empty_groups),
    "columns in runs": arrow(change=in_runs, refusal="another type"),
    "a header of no file": with_file(pax((b"path", b"8.flac")), refusal="fetch it again"),
    "a name of no file": with_file(member(b"././@LongLink", b"9.flac", b"L"), refusal="missing"),
}


def shards(*make: Callable[[Buyer, Path], object]) -> Callable[[Buyer, Path], None]:
    def made(buyer: Buyer, path: Path) -> None:
        path.mkdir()
        for one in make:
            one(buyer, path)

    return made


def first_shard(buyer: Buyer, path: Path) -> None:
    (path / "0.jsonl").write_bytes(lines(buyer.rows))


def split_sample(_: Buyer, path: Path) -> None:
    (path / "0.tar").write_bytes(archive(("w.flac", b"d.flac", {}), ("x.0.flac", b"a.flac", {})))
    (path / "1.tar").write_bytes(archive(("x.1.flac", b"b.flac", {}), ("y.flac", b"c.flac", {})))


FOLDERS: Final = {
    "a folder in itself": Odd(
        "n", shards(first_shard, lambda _, path: (path / "again").symlink_to(path)), "not followed"
    ),
    "a folder above": Odd(
        "n", shards(first_shard, lambda _, path: (path / "up").symlink_to(path.parent)), "not followed"
    ),
    "a pipe among files": Odd(
        "n", shards(first_shard, lambda _, path: os.mkfifo(path / "1.jsonl")), "standard input"
    ),
    "an empty folder": Odd("n", shards(), "has no file"),
    "hidden files only": Odd(
        "n", shards(lambda _, path: (path / "_SUCCESS").write_bytes(b"")), "has no file"
    ),
    "a sample in two archives": Odd("n", shards(split_sample), "into one archive", BUNDLE),
}


def mixed_ends(rows: Rows) -> bytes:
    return lines(rows[:1]) + lines(rows[1:2], "\r\n") + b"\r\n" + lines(rows[2:])


HELD: Final = {
    "mixed line ends": written("n.jsonl", mixed_ends),
    "a line end of old systems between rows": written(
        "n.jsonl", lambda rows: lines(rows[:2], "\r") + lines(rows[2:]), "line 1"
    ),
    "a line separator in a text": written("n.jsonl", last('"n":"a\u2028b\u0085c"')),
    "a line separator between rows": written(
        "n.jsonl", lambda rows: lines(rows[:2], "\u2028").decode().encode() + lines(rows[2:]), "line 1"
    ),
    "a zero line": written("n.jsonl", lambda rows: lines(rows[:2]) + b"\0\n" + lines(rows), "line 3"),
    "a mark only": written("n.jsonl", lambda _: MARK, "no rows"),
    "two marks": written("n.jsonl", lambda rows: MARK + MARK + lines(rows), "line 1"),
    "tabs of pages on a line": written("n.jsonl", lambda rows: lines(rows) + b"\x0b\x0c\n"),
    "a small number": written("n.jsonl", last('"n":[1e-400,-0,-0.0,1.0e+5]')),
    "a large number": written("n.jsonl", last('"n":-1E400'), "too large"),
    "many digits": written("n.jsonl", last(f'"n":{"9" * 4_000}')),
    "a zero before": written("n.jsonl", last('"n":01'), "line 4"),
    "two rows on a line": written("n.jsonl", lambda rows: lines(rows, ""), "line 1"),
    "a comment": written("n.jsonl", lambda rows: b"// rows\n" + lines(rows), "line 1"),
    "a comma too many": written("n.jsonl", last('"n":[1,]'), "line 4"),
    "an overlong character": written(
        "n.jsonl",
        lambda rows: lines(rows[:3]) + json.dumps(rows[3]).encode()[:-1] + b',"n":"\xc0\xaf"}\n',
        "line 4",
    ),
    "no characters": written("n.jsonl", last('"n":"\uffff\ufdd0\x7f"')),
    "a name without letters": written("n.jsonl", last('"":1')),
    "separators of records": written("n.jsonl", lambda rows: b"\x1e" + lines(rows), "line 1"),
    "a quote at the end": text("n.csv", lambda rows: table(rows) + '0x,0x,"x', "--quoting"),
    "a quote at the end, declared": text(
        "n.csv", lambda rows: table(rows) + '0x,0x,"x', "RFC 4180", "--quoting", "double"
    ),
    "a separator at each end": text("n.csv", lambda rows: table(rows).replace("\n", ",\n")),
    "blank lines": text("n.csv", lambda rows: table(rows) + "\n\r\n"),
    "separators only": text("n.csv", lambda rows: table(rows) + ",,\n", "no license"),
    "spaces only": text("n.csv", lambda rows: table(rows) + "  \n", "1 values"),
    "a space in a name": text(
        "n.csv", lambda r: table(r).replace("license", "license ", 1), "no column"
    ),
    "three quotes": text("n.csv", lambda rows: table(rows, note='"""a"""')),
    "nulls and backslashes": text("n.tsv", lambda rows: table(rows, cut="\t", note="\\N a\\tb\\")),
    "an upper-case ending": text("N.CSV", table),
    "gz of another checksum": packed(
        "n.jsonl.gz", lambda d: gzip.compress(d)[:-8] + bytes(4) + gzip.compress(d)[-4:], "damaged"
    ),
    "a second gz that is cut": packed(
        "n.jsonl.gz", lambda d: gzip.compress(d) + gzip.compress(d)[:-9], "damaged"
    ),
    "an upper-case gz": packed("N.JSONL.GZ", gzip.compress),
    "zst of several frames": packed("n.jsonl.zst", lambda d: zst(d[:99]) + zst(b"") + zst(d[99:])),
    "zst and text": packed("n.jsonl.zst", lambda data: zst(data) + b"text", "damaged"),
    "zst that passes over too much": packed(
        "n.jsonl.zst", lambda d: zst(d) + b"\x50\x2a\x4d\x18\xff\xff\xff\xffab", "damaged"
    ),
    "xz of two streams": packed(
        "n.jsonl.xz", lambda d: lzma.compress(d[:99]) + bytes(4) + lzma.compress(d[99:])
    ),
    "bz2 that is cut": packed("n.jsonl.bz2", lambda data: bz2.compress(data)[:-4], "damaged"),
    "lists of records": parquet(with_(n=pa.array([[{"a": [1], "b": {"c": "x"}}], [], None, [None]]))),
    "licenses in a dictionary": parquet(
        lambda some: some.set_column(0, "license", some["license"].combine_chunks().dictionary_encode())
    ),
    "licenses as views": parquet(
        lambda some: some.set_column(0, "license", some["license"].cast(pa.binary_view()))
    ),
    "licenses that are short": parquet(
        lambda some: some.set_column(0, "license", pa.array([bytes(31)] * 4)), "not a hash"
    ),
    "types of extensions": parquet(
        with_(n=pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)] * 4, pa.binary(16))))
    ),
    "small numbers": parquet(with_(n=pa.array(np.array([1, 2, 3, 4], np.float16)))),
    "odd names": parquet(with_(**{"": FOUR, "a\nb": FOUR, "a.b.c": FOUR})),
    "text behind a table": Odd(
        "n.parquet",
        lambda buyer, path: (pq.write_table(buyer.table(), path), path.open("ab").write(b"text")),
        "footer",
    ),
    "an upper-case table": Odd("N.PARQUET", lambda buyer, path: pq.write_table(buyer.table(), path)),
    "texts as views": arrow(change=texts(pa.string_view())),
    "extensions in Arrow": arrow(
        FILE,
        with_(n=pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}'] * 4))),
    ),
    "buffers in lz4": arrow(compression="lz4"),
}
