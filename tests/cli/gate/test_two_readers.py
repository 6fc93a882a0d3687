"""Every kept output has one reading, whatever the manifest was: no row in it that is not clear."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from cli.gate.two_readers import READERS, Dialect, judged_again
from sayso_protocol.primitives import hex_text, sha256

ITEMS = {name: hex_text(sha256(name.encode())) for name in NAMES}
CLEAR = {ITEMS[name] for name in NAMES if name != "b.flac"}
BUNDLE = ("--bundle", "licenses.sayso")
STRANGE = "0x" + "77" * 32


def jsonl(buyer: Buyer) -> Path:
    return buyer.world.write("n.jsonl", "".join(json.dumps(one) + "\n" for one in buyer.rows).encode())


def jsonl_of_tricks(buyer: Buyer) -> Path:
    """A row within a text, blank lines, escapes in names, line ends of other systems, a long number."""
    a, b, c, d = buyer.rows
    within = json.dumps({**a, "note": "\u2028" + json.dumps(b) + "\n" + json.dumps(b)})
    escaped = json.dumps(c).replace('"item"', '"\\u0069tem"')
    lines = [within, "", json.dumps(b), escaped + "\r", json.dumps({**d, "n": 10**400})]
    return buyer.world.write("n.jsonl", ("\n".join(lines) + "\n").encode())


def table(ending: str) -> Callable[[Buyer], Path]:
    return lambda buyer: buyer.csv(f"n.{ending}")


def csv_of_tricks(buyer: Buyer) -> Path:
    """Rows within quotes, doubled quotes, and a last line without an end."""
    a, b, c, d = (f"{one['license']},{one['item']}" for one in buyer.rows)
    lines = ["note,license,item", f'"x\n,{b}\n""",{a}', f'"",{b}', f'"""{b}""",{c}', f'"\r\n",{d}']
    return buyer.world.write("n.csv", "\n".join(lines).encode())


def text_of_tricks(name: str, separator: str, encoding: str, *notes: str) -> Callable[[Buyer], Path]:
    """Notes as somebody writes them who knows no quotes, in this character set."""

    def written(buyer: Buyer) -> Path:
        rows = [[note, one["license"], one["item"]] for note, one in zip(notes, buyer.rows, strict=True)]
        lines = [separator.join(one) for one in [["note", "license", "item"], *rows]]
        return buyer.world.write(name, ("\r\n".join(lines) + "\r\n").encode(encoding))

    return written


def marked(buyer: Buyer) -> Path:
    """With the mark that Excel puts first."""
    path = buyer.csv("n.csv")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return path


def packed(make: Callable[[Buyer], Path], ending: str) -> Callable[[Buyer], Path]:
    """In two parts, each compressed, of which some readers see only the first."""

    def written(buyer: Buyer) -> Path:
        plain = make(buyer)
        data = plain.read_bytes()
        path = plain.with_name(f"{plain.name}.{ending}")
        half = len(data) // 2
        path.write_bytes(b"".join(PACKERS[ending](part) for part in (data[:half], data[half:])))
        plain.unlink()
        return path

    return written


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "xz": lzma.compress,
    "bz2": bz2.compress,
    "zst": lambda data: bytes(pa.compress(data, "zstd", asbytes=True)),
}


def arrow(name: str, of: Callable[..., Any], **options: Any) -> Callable[[Buyer], Path]:
    def written(buyer: Buyer) -> Path:
        path, table = buyer.folder / name, buyer.table()
        with of(str(path), table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            for at in range(4):
                writer.write_table(table.slice(at, 1))
        return path

    return written


def shards(buyer: Buyer) -> Path:
    for at, row in enumerate(buyer.rows):
        buyer.parquet(f"n/{at}.parquet", [row])
    return buyer.folder / "n"


def parquet(buyer: Buyer) -> Path:
    return buyer.parquet("n.parquet")


def parquet_of_tricks(buyer: Buyer) -> Path:
    """Many row groups, dictionaries, and columns with almost the usual names."""
    found = (
        buyer.table()
        .append_column("items", pa.array([STRANGE] * 4))
        .append_column("item_", pa.array([1] * 4))
    )
    path = buyer.folder / "n.parquet"
    pq.write_table(found, path, row_group_size=1, use_dictionary=True, data_page_version="2.0")
    return path


def tar_of(mode: str, *members: tuple[tarfile.TarInfo, bytes]) -> Callable[[Buyer], Path]:
    def written(buyer: Buyer) -> Path:
        path = buyer.folder / ("n.tar.gz" if mode == "w:gz" else "n.tar")
        with tarfile.open(path, mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
            for info, data in members:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        return path

    return written


def member(name: str, **attributes: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info


FILES = tuple((member(f"{at}.flac"), name.encode()) for at, name in enumerate(NAMES))
LONG = "x" * 300
RECORDS = {"mtime": "1.5", "comment": "b.flac", "uname": "é"}
NAMED = (
    (
        member(f"{LONG}/1.flac", pax_headers=RECORDS),
        b"a.flac",
    ),
    (member("é/2.flac"), b"b.flac"),
    (member("é/3.flac", mode=0o4777, uid=7, gname="wheel", mtime=1e9), b"c.flac"),
    (member("folder", type=tarfile.DIRTYPE), b""),
)


def folder(buyer: Buyer) -> Path:
    path = buyer.folder / "n"
    path.mkdir()
    for name in NAMES:
        (path / f"a line\nend and é {name}").write_bytes(name.encode())
    (path / "link").symlink_to(path / "nowhere")
    return path


def hugging(buyer: Buyer) -> Path:
    import datasets

    rows = [{"license": one["license"], "item": one["item"]} for one in buyer.rows]
    datasets.Dataset.from_list(rows).save_to_disk("n", num_shards=2)
    return buyer.folder / "n"


def hugging_splits(buyer: Buyer) -> Path:
    """One of which loses its only row."""
    import datasets

    rows = [{"license": one["license"], "item": one["item"]} for one in buyer.rows]
    parts = {"train": rows[:1], "test": rows[1:2], "more": rows[2:]}
    found = {name: datasets.Dataset.from_list(part) for name, part in parts.items()}
    datasets.DatasetDict(found).save_to_disk("n")
    return buyer.folder / "n"


LONE = ("plain", '"No way," she said', 'he paused" and left', '"')
DIALECTS: dict[str, tuple[Callable[[Buyer], Path], tuple[str, ...], Dialect]] = {
    "csv over several lines": (csv_of_tricks, ("--quoting", "double"), Dialect()),
    "tsv of lone quotes": (
        text_of_tricks("n.tsv", "\t", "utf-8", *LONE),
        ("--quoting", "none"),
        Dialect("\t", "none"),
    ),
    "csv of Latin": (
        text_of_tricks("n.csv", ",", "latin-1", "é", "à", "ü", "ß"),
        ("--encoding", "iso-8859-1"),
        Dialect(encoding="iso-8859-1"),
    ),
    "csv of Excel": (
        text_of_tricks("n.csv", ";", "utf-8", '"a;b"', "c", '"d ""e"""', ""),
        ("--delimiter", ";"),
        Dialect(";"),
    ),
    "tsv in another file": (
        text_of_tricks("n.csv", "\t", "utf-8", "a,b", "c", "d", "e"),
        ("--delimiter", "\\t"),
        Dialect("\t"),
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_kept_has_one_reading_in_its_dialect(buyer: Buyer, name: str) -> None:
    buyer.revoke()
    make, options, dialect = DIALECTS[name]
    manifest = make(buyer)
    kept = f"kept{manifest.suffix}"
    files = ("--out", kept, "--rejected", "why.jsonl", "--receipt", "receipt.json")
    buyer.check(manifest.name, *options, *files, status=3)
    assert sorted(judged_again(Path(kept), CLEAR, dialect=dialect)) == sorted(CLEAR)
    proof = ("receipt.json", "--manifest", manifest.name, "--rejected", "why.jsonl")
    buyer.world.run("receipt", "verify", *proof, *options)


OUTPUTS: dict[str, tuple[Callable[[Buyer], Path], str]] = {
    "jsonl": (jsonl, ""),
    "jsonl of tricks": (jsonl_of_tricks, ""),
    "csv": (table("csv"), ""),
    "csv with a mark": (marked, ""),
    "tsv": (table("tsv"), ""),
    "parquet": (parquet, ""),
    "parquet of tricks": (parquet_of_tricks, ""),
    "tar": (tar_of("w", *FILES), ""),
    "tar in gzip": (tar_of("w:gz", *FILES), ""),
    "tar of tricks": (tar_of("w", *NAMED), ""),
    "folder": (folder, "folder"),
    "hugging face": (hugging, "hugging face"),
    "hugging face, splits": (hugging_splits, "hugging face"),
    "shards": (shards, "shards"),
    "arrow stream": (arrow("n.arrow", pa.ipc.new_stream), ""),
    "arrow file": (arrow("n.arrow", pa.ipc.new_file, compression="zstd"), ""),
    "feather": (arrow("n.feather", pa.ipc.new_file, compression="lz4"), ""),
    **{f"jsonl in {ending}": (packed(jsonl, ending), "") for ending in PACKERS},
    **{f"csv in {ending}": (packed(table("csv"), ending), "") for ending in PACKERS},
    **{f"tar in {ending}, in parts": (packed(tar_of("w", *FILES), ending), "") for ending in PACKERS},
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_is_kept_has_one_reading_and_is_clear(buyer: Buyer, name: str) -> None:
    buyer.revoke()
    buyer.bundle()
    make, kind = OUTPUTS[name]
    manifest = make(buyer)
    kept = buyer.folder / f"kept{'' if kind else ''.join(manifest.suffixes)}"
    by_bytes = BUNDLE if kind == "folder" or "tar" in manifest.name else ()
    buyer.check(manifest.name, *by_bytes, "--out", kept.name, status=3)
    found = judged_again(kept, CLEAR, kind)
    assert sorted(found) == sorted(CLEAR) if name != "tar of tricks" else len(found) == 2


def sparse(name: str, **records: str) -> tuple[tarfile.TarInfo, bytes]:
    """Bytes of which a reader that knows this map takes the last 512 only."""
    head = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": name} | records
    return member("1.flac", pax_headers=head), b"1\n0\n6\n".ljust(512, b"\0") + b"a.flac"


def gnu_sparse() -> tuple[tarfile.TarInfo, bytes]:
    return member("1.flac", type=tarfile.GNUTYPE_SPARSE), b"a.flac"


TWO_READINGS = {
    "a sparse map": sparse("1.flac", **{"GNU.sparse.realsize": "6"}),
    "a sparse map of six gibibytes": sparse("1.flac", **{"GNU.sparse.realsize": str(6 << 30)}),
    "an old sparse map": (member("1.flac", pax_headers={"GNU.sparse.map": "0,6"}), b"a.flac"),
    "a sparse file of GNU": gnu_sparse(),
    "another size": (member("1.flac", pax_headers={"size": "3"}), b"a.flac"),
    "another target": (member("1.flac", pax_headers={"linkpath": "b.flac"}), b"a.flac"),
    "another character set": (member("1.flac", pax_headers={"hdrcharset": "BINARY"}), b"a.flac"),
    "a foreign record": (member("1.flac", pax_headers={"SCHILY.realsize": "3"}), b"a.flac"),
    "a link": (member("1.flac", type=tarfile.LNKTYPE, linkname="b.flac"), b""),
    "a device": (member("1.flac", type=tarfile.CHRTYPE), b""),
    "a way out": (member("../1.flac"), b"a.flac"),
    "a name from the root": (member("x", pax_headers={"path": "/1.flac"}), b"a.flac"),
    "a name over two lines": (member("1\n.flac"), b"a.flac"),
}


@pytest.mark.parametrize("name", TWO_READINGS)
def test_an_archive_of_two_readings_is_refused(buyer: Buyer, name: str) -> None:
    buyer.bundle()
    tar_of("w", TWO_READINGS[name])(buyer)
    buyer.world.fails("bad-manifest", "check", "n.tar", *QUERY, *BUNDLE, "--out", "kept.tar")
    assert not Path("kept.tar").exists()


def test_every_format_has_two_readers() -> None:
    assert all(len(readers) >= 2 for readers in READERS.values())
