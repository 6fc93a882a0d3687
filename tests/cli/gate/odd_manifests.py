"""Odd manifests of every kind, and what comes of each: kept whole, or refused with what to do.

Each is made of the rows of a buyer. What is kept is judged again by two readers (two_readers.py).
"""

import bz2
import gzip
import io
import json
import lzma
import os
import tarfile
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from cli.gate.conftest import NAMES, Buyer

STRANGE = "0x" + "77" * 32
Lines = Callable[[list[dict[str, Any]]], bytes]
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Odd:
    """A manifest: its name, how it is made, options of the check, and what a refusal says.

    A refusal is empty if the manifest is kept whole.
    """

    name: str
    make: Callable[[Buyer, Path], object]
    refusal: str = ""
    options: tuple[str, ...] = ()
    kind: str = ""


def written(name: str, of: Lines, refusal: str = "", *options: str) -> Odd:
    return Odd(name, lambda buyer, path: path.write_bytes(of(buyer.rows)), refusal, options)


def lines(rows: Rows, end: str = "\n", **more: Any) -> bytes:
    return "".join(json.dumps({**one, **more}) + end for one in rows).encode()


def last(text: str) -> Lines:
    """A last row with this field, as it stands."""
    return lambda rows: lines(rows[:3]) + _with(rows[3], text)


def _with(row: dict[str, Any], text: str) -> bytes:
    return (json.dumps(row)[:-1] + f", {text}}}\n").encode("utf-8", "surrogatepass")


JSON = {
    "UTF-16": written("n.jsonl", lambda rows: lines(rows).decode().encode("utf-16"), "iconv"),
    "UTF-16 without a mark": written(
        "n.jsonl", lambda rows: lines(rows).decode().encode("utf-16-le"), "iconv"
    ),
    "UTF-32": written("n.jsonl", lambda rows: lines(rows).decode().encode("utf-32"), "iconv"),
    "Latin": written(
        "n.jsonl",
        lambda rows: lines(rows[:3]) + _with(rows[3], '"n":"\xe9"').decode().encode("latin-1"),
        "line 4",
    ),
    "a mark within": written(
        "n.jsonl", lambda rows: lines(rows) + b"\xef\xbb\xbf" + lines(rows), "line 5"
    ),
    "line ends of old systems": written("n.jsonl", lambda rows: lines(rows, "\r"), "line 1"),
    "two line ends": written("n.jsonl", lambda rows: lines(rows, "\r\r\n")),
    "a zero byte": written("n.jsonl", last('"n":"\0"'), "line 4"),
    "zeros at the end": written("n.jsonl", lambda rows: lines(rows) + bytes(512), "line 5"),
    "a field twice within": written("n.jsonl", last('"n":{"a":1,"a":2}'), "occurs twice"),
    "a field twice, once escaped": written("n.jsonl", last(f'"\\u0069tem":"{STRANGE}"'), "occurs twice"),
    "a field twice behind a text": written("n.jsonl", last(f'"item":"{STRANGE}","n":"\\":"'), "twice"),
    "a field twice but for case": written("n.jsonl", last(f'"Item":"{STRANGE}"'), "rename"),
    "a field twice but for form": written("n.jsonl", last(f'"\uff49tem":"{STRANGE}"'), "rename"),
    "a field twice but for case, rejected": Odd(
        "n.jsonl",
        lambda buyer, path: path.write_bytes(
            lines(buyer.rows) + _with({**buyer.rows[0], "item": STRANGE}, '"ITEM":1')
        ),
        options=("--bad-rows", "reject"),
    ),
    "a number without end": written("n.jsonl", last('"n":1e999'), "too large a number"),
    "no number": written("n.jsonl", last('"n":NaN'), "not a number"),
    "a number of many digits": written("n.jsonl", last(f'"n":{"9" * 5_000}'), "write it as a text"),
    "a deep tree": written("n.jsonl", last(f'"n":{"[" * 5_000}{"]" * 5_000}'), "deep"),
    "half a character": written("n.jsonl", last('"n":"\ud800"'), "line 4"),
    "a list": written("n.jsonl", lambda rows: json.dumps(rows).encode(), "jq"),
    "a list over lines": written("n.json", lambda rows: json.dumps(rows, indent=1).encode(), "jq"),
    "commas between rows": written("n.jsonl", lambda rows: lines(rows, ",\n"), "jq"),
    "a row that is null": written("n.jsonl", lambda rows: lines(rows) + b"null\n", "line 5"),
    "upper case and bare hashes": Odd(
        "n.jsonl",
        lambda buyer, path: path.write_bytes(
            lines([{**one, "license": one["license"].upper()[2:]} for one in buyer.rows])
        ),
    ),
    "digits of another script": written(
        "n.jsonl",
        lambda rows: lines([*rows[:3], {**rows[3], "license": "0x" + "\uff11" * 64}]),
        "not a hash",
    ),
}


def table(rows: Rows, end: str = "\n", note: str = "x", cut: str = ",") -> str:
    names = cut.join(["license", "item", "note"])
    return names + end + "".join(cut.join([one["license"], one["item"], note]) + end for one in rows)


def text(name: str, of: Callable[[Rows], str], refusal: str = "", *options: str) -> Odd:
    return written(name, lambda rows: of(rows).encode(), refusal, *options)


CSV = {
    "UTF-16": written("n.csv", lambda rows: table(rows).encode("utf-16"), "iconv"),
    "UTF-16 without a mark": written("n.csv", lambda rows: table(rows).encode("utf-16-be"), "iconv"),
    "Latin": written("n.csv", lambda rows: table(rows, note="\xe9").encode("latin-1"), "--encoding"),
    "EBCDIC": written("n.csv", lambda rows: table(rows).encode("cp037"), "--encoding"),
    "two marks": text("n.csv", lambda rows: "\ufeff\ufeff" + table(rows), "no column"),
    "a mark within": text("n.csv", lambda rows: table(rows[:2]) + "\ufeff" + table(rows), "line 4"),
    "line ends of old systems": text("n.csv", lambda rows: table(rows, "\r"), "mac2unix"),
    "two line ends": text("n.csv", lambda rows: table(rows, "\r\r\n"), "mac2unix"),
    "a zero byte": text("n.csv", lambda rows: table(rows, note="\0"), "zero byte"),
    "a short row": text("n.csv", lambda rows: table(rows) + "0x,0x\n", "2 values under 3 names"),
    "a long row": text("n.csv", lambda rows: table(rows, note="x,y"), "4 values under 3 names"),
    "a name twice": text("n.csv", lambda rows: table(rows).replace("note", "item"), "occurs 2 times"),
    "a name twice but for case": text(
        "n.csv", lambda rows: table(rows).replace("note", "Item"), "rename"
    ),
    "names of another case": text(
        "n.csv", lambda rows: table(rows).replace("license", "License"), "--license-column"
    ),
    "a comment": text("n.csv", lambda rows: table(rows) + "# the end\n", "line 6"),
    "the line of Excel": text("n.csv", lambda rows: "sep=,\n" + table(rows), "take it out"),
    "an end mark of old systems": text("n.csv", lambda rows: table(rows) + "\x1a", "line 6"),
    "quotes after a space": text("n.csv", lambda rows: table(rows, note=' "a,b"'), "--quoting"),
    "quotes behind a backslash": text("n.csv", lambda rows: table(rows, note='"a\\",b"'), "--quoting"),
    "a value over lines": text("n.csv", lambda rows: table(rows, note='"a\nb"'), "--quoting"),
    "a value over lines, declared": text(
        "n.csv", lambda rows: table(rows, note='"a\nb"'), "", "--quoting", "double"
    ),
    "separators of a page": text("n.csv", lambda rows: table(rows, note="a\x0bb\x0cc\u0085d\u2028e")),
    "another separator": text("n.csv", lambda rows: table(rows, cut="|"), "--delimiter '|'"),
}


def packed(name: str, of: Callable[[bytes], bytes], refusal: str = "", *options: str) -> Odd:
    return written(name, lambda rows: of(lines(rows)), refusal, *options)


def zst(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


_SKIPPED = b"\x5e\x2a\x4d\x18\4\0\0\0abcd"
PACKED = {
    "zeros after gz": packed("n.jsonl.gz", lambda data: gzip.compress(data) + bytes(512)),
    "gz of nothing, and more": packed("n.jsonl.gz", lambda d: gzip.compress(b"") + gzip.compress(d)),
    "gz, and zst": packed("n.jsonl.gz", lambda data: gzip.compress(data) + zst(data), "damaged"),
    "zst behind a frame without data": packed("n.jsonl.zst", lambda data: _SKIPPED + zst(data)),
    "zst around a frame without data": packed(
        "n.jsonl.zst", lambda data: zst(data[:9]) + _SKIPPED + zst(data[9:])
    ),
    "zst and a cut frame": packed("n.jsonl.zst", lambda data: zst(data) + _SKIPPED[:-2], "cut"),
    "bz2, and text": packed("n.jsonl.bz2", lambda data: bz2.compress(data) + b"text", "damaged"),
    "lz4": packed(
        "n.jsonl.lz4", lambda data: bytes(pa.compress(data, "lz4", asbytes=True)), "unpack it"
    ),
    "lzma": packed("n.jsonl.lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE), "unpack it"),
    "zip": packed("n.zip", lambda _: b"PK\3\4" + bytes(40), "unpack it"),
    "a database": packed("n.jsonl", lambda _: b"SQLite format 3\0" + bytes(80), "unpack it"),
    "UTF-16 in gz": packed("n.jsonl.gz", lambda d: gzip.compress(d.decode().encode("utf-16")), "iconv"),
}


def archive(*members: tuple[str, bytes, dict[str, Any]], kind: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=kind) as made:
        for name, data, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for attribute, value in attributes.items():
                setattr(info, attribute, value)
            made.addfile(info, io.BytesIO(data))
    return file.getvalue()


FILES = tuple((f"{at}.flac", name.encode(), dict[str, Any]()) for at, name in enumerate(NAMES))


def tar(
    *more: tuple[str, bytes, dict[str, Any]], refusal: str = "", name: str = "n.tar", **how: Any
) -> Odd:
    options = ("--bundle", "licenses.sayso", *how.pop("options", ()))
    change = how.pop("change", bytes)
    data = change(archive(*(how.pop("files", FILES)), *more, **how))
    return Odd(name, lambda _, path: path.write_bytes(data), refusal, options)


def pax(**records: str) -> tuple[tuple[str, bytes, dict[str, Any]], ...]:
    mine = {name.replace("__", "."): value for name, value in records.items()}
    return tuple((name, data, {"pax_headers": mine}) for name, data, _ in FILES)


GNU = tarfile.GNU_FORMAT
LINK = {"type": tarfile.SYMTYPE, "linkname": "0.flac"}
FAR = {"type": tarfile.LNKTYPE, "linkname": "x" * 200}
TAR = {
    "attributes of files": tar(files=pax(SCHILY__xattr__user__a="\n=\u20ac")),
    "records of BSD": tar(files=pax(LIBARCHIVE__creationtime="1", SCHILY__dev="1", SCHILY__nlink="2")),
    "a sparse map": tar(files=pax(GNU__sparse__major="1"), refusal="--sparse"),
    "times before 1970": tar(files=tuple((a, b, {"mtime": -5}) for a, b, _ in FILES), kind=GNU),
    "users of many digits": tar(files=tuple((a, b, {"uid": 1 << 40}) for a, b, _ in FILES), kind=GNU),
    "long names of GNU": tar(files=tuple(("x" * 200 + a, b, c) for a, b, c in FILES), kind=GNU),
    "long names of POSIX": tar(files=tuple(("x" * 300 + a, b, c) for a, b, c in FILES)),
    "a link with a long target": tar(("9.flac", b"", FAR), refusal="a link", kind=GNU),
    "links, rejected": tar(
        ("9.flac", b"", LINK), ("8.flac", b"", FAR), options=("--bad-rows", "reject"), kind=GNU
    ),
    "a pipe": tar(("9.flac", b"", {"type": tarfile.FIFOTYPE}), refusal="not a regular file"),
    "a name of the root": tar(("/9.flac", b"x", {}), refusal="rename it"),
    "a way out": tar(("a/../9.flac", b"x", {}), refusal="rename it"),
    "a file twice in a sample": tar(("3.flac", b"d.flac", {}), refusal="twice; rename"),
    "a file twice": tar(("0.flac", b"d.flac", {}), refusal="--sort=name"),
    "a file twice, with other labels": tar(
        ("0.flac", b"a.flac", {}), ("0.json", b"{}", {}), refusal="--sort=name"
    ),
    "a file twice by two names": tar(("./0.flac", b"d.flac", {}), refusal="--sort=name"),
    "a file twice by two names of its folder": tar(
        *((name, b"x", {}) for name in ("d/8.flac", "9.flac", "d/.//8.flac")), refusal="--sort=name"
    ),
    "files of Apple beside each": tar(
        files=tuple(row for one in FILES for row in ((f"._{one[0]}", b"x", {}), one))
    ),
    "a hidden file twice": tar(
        *((name, b"{}", {}) for name in ("._9.json", "8.flac", "._9.json")), refusal="--sort=name"
    ),
    "two files of a sample apart": tar(("0.wav", b"d.flac", {}), refusal="--sort=name"),
    "files of a sample apart": tar(("0.json", b"{}", {}), refusal="--sort=name"),
    "names in two forms": tar(
        *((unicodedata.normalize(form, "\xe9.json"), b"{}", {}) for form in ("NFC", "NFD")),
        refusal="labels only",
    ),
    "xz by its short name": tar(name="n.txz", change=lzma.compress),
    "zst by its short name": tar(name="n.tzst", change=zst),
    "bz2 by its short name": tar(name="n.tbz2", change=bz2.compress),
    "lz4": tar(name="n.tar.lz4", change=lambda d: pa.compress(d, "lz4", asbytes=True), refusal="unpack"),
}


def special(make: Callable[[Path], object]) -> Callable[[Buyer, Path], object]:
    return lambda _, path: make(path)


FOLDER = {
    "a pipe": Odd("n.jsonl", special(os.mkfifo), "standard input"),
    "a device": Odd("n.jsonl", special(lambda path: path.symlink_to("/dev/zero")), "standard input"),
    "a link to nothing": Odd(
        "n.jsonl", special(lambda path: path.symlink_to("nothing")), "No such file"
    ),
}
