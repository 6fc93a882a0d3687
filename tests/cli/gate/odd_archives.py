"""Odd tars, made byte by byte, all of which were right at once (see odd_more.py)."""

import gzip
import io
import tarfile
import zipfile
from typing import Any, Final

from cli.gate.conftest import NAMES
from cli.gate.odd_manifests import FILES, Odd, archive

BUNDLE: Final = ("--bundle", "licenses.sayso")


def header(
    name: bytes, size: int, kind: bytes = b"0", magic: bytes = b"ustar\x0000", **raw: bytes
) -> bytes:
    """A header of tar as it stands; `size_field`, `prefix` and `link` are fields of it."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:124] = b"0000644\0" + b"0000000\0" * 2
    block[124:136] = raw.get("size_field") or b"%011o\0" % size
    block[136:148] = b"%011o\0" % 0
    block[156:157] = kind
    block[257:265] = magic
    prefix = raw.get("prefix", b"")
    block[345 : 345 + len(prefix)] = prefix
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def member(name: bytes, data: bytes = b"x", kind: bytes = b"0", **raw: Any) -> bytes:
    return header(name, len(data), kind, **raw) + data + bytes(-len(data) % 512)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    """An extended header."""
    data = b""
    for key, value in records:
        size = len(key) + len(value) + 3
        size += len(str(size + len(str(size))))
        data += b"%d %s=%s\n" % (size, key, value)
    return member(b"PaxHeader", data, kind)


MEMBERS: Final = [member(b"%d.flac" % at, name.encode()) for at, name in enumerate(NAMES)]


def raw(*parts: bytes, refusal: str = "", name: str = "n.tar", end: int = 1024) -> Odd:
    data = b"".join(parts) + bytes(end)
    return Odd(name, lambda _, path: path.write_bytes(data), refusal, BUNDLE)


def with_file(*parts: bytes, refusal: str = "") -> Odd:
    return raw(*MEMBERS, *parts, refusal=refusal)


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data, _ in FILES:
            made.writestr(name, data)
    return file.getvalue()


HELD_TARS: Final = {
    "headers of version 7": raw(
        *(member(b"%d.flac" % at, name.encode(), b"\0", magic=bytes(8)) for at, name in enumerate(NAMES))
    ),
    "a contiguous file": with_file(member(b"9.flac", kind=b"7"), refusal="not a regular file"),
    "a sparse file of GNU": with_file(member(b"9.flac", kind=b"S"), refusal="not a regular file"),
    "a volume": raw(member(b"label", b"", b"V"), *MEMBERS, refusal="not a regular file"),
    "a part of a volume": with_file(member(b"9.flac", kind=b"M"), refusal="not a regular file"),
    "a comment for all": raw(pax((b"comment", b"abc"), kind=b"g"), *MEMBERS),
    "a size for all": raw(pax((b"size", b"3"), kind=b"g"), *MEMBERS, refusal="--sparse"),
    "a size of its own": with_file(pax((b"size", b"3")), member(b"9.flac"), refusal="--sparse"),
    "a zero in a name": with_file(pax((b"path", b"9.fl\0ac")), member(b"7.flac"), refusal="rename it"),
    "a character set of names": with_file(
        pax((b"hdrcharset", b"BINARY"), (b"path", b"\xff")), member(b"7.flac"), refusal="--sparse"
    ),
    "a header of Solaris": with_file(pax((b"path", b"8"), kind=b"X"), refusal="not a regular file"),
    "a file larger than the archive": with_file(header(b"9.flac", 100_000), refusal="within a file"),
    "a size in base 256": with_file(
        header(b"9.flac", 1, size_field=b"\x80" + bytes(10) + b"\1"), refusal="octal"
    ),
    "a folder with content": raw(member(b"d/", b"y" * 600, b"5"), *MEMBERS, refusal="not a regular"),
    "a file with the name of a folder": with_file(member(b"9.flac/"), refusal="not a regular file"),
    "names below the folder": raw(
        *(member(b"./%d.flac" % at, name.encode()) for at, name in enumerate(NAMES))
    ),
    "a line end in a name": with_file(member(b"9\n.flac"), refusal="rename it"),
    "letters in the other direction": with_file(member("9\u202e.flac".encode()), refusal="rename it"),
    "a name that is no text": with_file(member(b"\xff.flac"), refusal="write it again"),
    "files of Apple": with_file(member(b"._9.flac"), member(b".DS_Store")),
    "an empty file": with_file(member(b"9.flac", b"")),
    "a zip within": with_file(member(b"9.zip", zipped())),
    "a tar within": with_file(member(b"9.tar", b"".join(MEMBERS))),
    "one block at the end": raw(*MEMBERS, end=512),
    "nothing within": raw(refusal="no rows"),
    "an upper-case name": raw(*MEMBERS, name="N.TAR"),
    "gz that is cut": Odd(
        "n.tgz",
        lambda _, path: path.write_bytes(gzip.compress(b"".join(MEMBERS) + bytes(1024))[:-9]),
        "damaged",
        BUNDLE,
    ),
    "a link, rejected": Odd(
        "n.tar",
        lambda _, path: path.write_bytes(
            archive(*FILES, ("9.flac", b"", {"type": tarfile.LNKTYPE, "linkname": "1.flac"}))
        ),
        "",
        (*BUNDLE, "--bad-rows", "reject"),
    ),
}
