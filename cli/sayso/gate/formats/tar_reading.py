"""Reader of tar archives that have one reading: regular files under plain names, each of bounded size.

The headers of POSIX (ustar, pax) and GNU say much that readers understand differently: sparse maps,
sizes and links in extended headers, base-256 numbers. What may change which bytes belong to a file is
refused, not interpreted, because another reader would then see other bytes than were judged. Nothing is
read before its stated size was compared with a limit. An archive without its end mark may be cut, and
what follows the mark is another archive, which some readers see: both are refused.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from sayso.errors import BadManifest
from sayso.gate.formats.packed import opened

BLOCK: Final = 512
MEMBER_BYTES: Final = 512 * 1024 * 1024
HEADER_BYTES: Final = 65_536  # of an extended header, or of a long name
MEMBER_PIECE_BYTES: Final = 1 << 20

_FILES: Final = frozenset({b"0", b"\0"})
_FOLDER: Final = b"5"
_LINKS: Final = frozenset({b"1", b"2"})
_AGAIN: Final = "fetch it again, or write it again from its files, with tar"
_NO_LINKS: Final = (
    "--bad-rows reject leaves out the samples with links, and"
    " `tar --hard-dereference --dereference` writes files in their place"
)
_GNU_NAME, _GNU_TARGET, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"
_ABOUT_NEXT: Final = frozenset({_GNU_NAME, _GNU_TARGET, _PAX, _PAX_GLOBAL})
# Records of extended headers that change neither content nor kind of a file, beside its `path`.
_HARMLESS: Final = re.compile(
    rb"atime|ctime|mtime|uid|gid|uname|gname|comment"
    rb"|(?:SCHILY|LIBARCHIVE)\.xattr\..+|SCHILY\.(?:acl\..+|dev|ino|nlink|fflags)"
    rb"|LIBARCHIVE\.creationtime|RHT\.security\.selinux",
    re.DOTALL,
)
_MOST_S: Final = 8**11 - 1  # of a time in octal digits
_USTAR: Final = b"ustar\x0000"


class Member(NamedTuple):
    """Member is a file of an archive; `data` is None for a link, which readers follow differently."""

    name: str
    mtime: int
    data: bytes | None


def read_members(path: Path, *, links: bool = False) -> Iterator[Member]:
    """Yield the files of an archive, plain or compressed, in order.

    Args:
        path: The archive.
        links: Whether to yield links, which are an error otherwise.

    Raises:
        BadManifest, FileUnreadable: The archive has another reading, is damaged or unreadable.
    """
    try:
        with opened(path) as file:
            yield from _members(file, links=links)
    except (_NotPlain, ValueError) as error:
        what = getattr(error, "what", _AGAIN)
        raise BadManifest(f"{str(path)!r} cannot be read as a tar archive: {error}; {what}") from error


class _NotPlain(Exception):
    """The archive has another reading, or is damaged; `what` is what a person can do."""

    def __init__(self, why: str, what: str = _AGAIN) -> None:
        super().__init__(why)
        self.what = what


def _members(file: IO[bytes], *, links: bool) -> Iterator[Member]:
    long_name: str | None = None
    is_about_next = False
    while (header := _header(file)) is not None:
        kind, name, size, mtime = header
        is_about_next = kind in _ABOUT_NEXT and kind != _PAX_GLOBAL
        if kind in _ABOUT_NEXT:
            long_name = _long_name(kind, _content(file, size, HEADER_BYTES)) or long_name
        else:
            name, long_name = long_name or name, None
            if kind in _FILES and not name.endswith("/"):
                yield Member(_plain_name(name), mtime, _content(file, size, MEMBER_BYTES))
            elif kind in _LINKS and links and not size:
                yield Member(_plain_name(name), mtime, None)
            elif kind not in (_FOLDER, b"\0") or size:
                if kind in _LINKS:
                    raise _NotPlain(f"{name!r} is a link", _NO_LINKS)
                raise _NotPlain(f"{name!r} is not a regular file")
    if is_about_next:
        raise _NotPlain("its last header is about a file that is missing, so it may be cut")
    while rest := file.read(MEMBER_PIECE_BYTES):
        if rest.strip(b"\0"):
            raise _NotPlain("another archive, or something else, follows its end", "split it in two")


def _long_name(kind: bytes, content: bytes) -> str | None:
    """Return the name that a header gives to the next file, or None."""
    if kind == _GNU_TARGET:  # of a link
        return None
    if kind == _GNU_NAME:
        return _text(content.rstrip(b"\0"))
    found = _path_of(content)
    if kind == _PAX_GLOBAL and found:
        raise _NotPlain("a global header names a file")
    return found


def _header(file: IO[bytes]) -> tuple[bytes, str, int, int] | None:
    """Read a header: kind, name, size and time; None at the end of the archive."""
    block = file.read(BLOCK)
    if not block:
        raise _NotPlain("it ends without an end mark, so it may be cut", "fetch it again")
    if len(block) < BLOCK:
        raise _NotPlain("it ends within a header")
    if not block.strip(b"\0"):
        return None
    blank = block[:148] + b" " * 8 + block[156:]
    if sum(blank) != _number(block[148:156]):
        raise _NotPlain("a header's checksum is wrong")
    name = block[:100].split(b"\0")[0]
    prefix = block[345:500].split(b"\0")[0] if block[257:265] == _USTAR else b""
    whole = prefix + b"/" + name if prefix else name
    return block[156:157], _text(whole), _number(block[124:136]), _time(block[136:148])


def _number(field: bytes) -> int:
    digits = field.rstrip(b"\0 ").lstrip(b" ")
    if digits.strip(b"01234567"):
        raise _NotPlain("a number in a header is not in octal digits")
    return int(digits or b"0", 8)


def _time(field: bytes) -> int:
    """Return a time, which GNU writes in base 256 if it is early or late."""
    if not field[0] & 0x80:
        return _number(field)
    seconds = int.from_bytes(field[1:], signed=True)
    return min(max(seconds, 0), _MOST_S)


def _content(file: IO[bytes], size: int, most: int) -> bytes:
    """Read the content of a member and what fills its last block, piece by piece."""
    if size > most:
        raise _NotPlain(f"a part of it has {size:,} bytes, the limit is {most:,}")
    parts, left = [], size + -size % BLOCK
    if left <= MEMBER_PIECE_BYTES:
        whole = file.read(left)
        if len(whole) < left:
            raise _NotPlain("it ends within a file")
        return whole[:size]
    while left:
        piece = file.read(min(left, MEMBER_PIECE_BYTES))
        if not piece:
            raise _NotPlain("it ends within a file")
        parts.append(piece)
        left -= len(piece)
    return b"".join(parts)[:size]


def _path_of(records: bytes) -> str | None:
    """Return the path in the records of an extended header (pax), `LENGTH KEY=VALUE` and a line end."""
    path, at = None, 0
    while at < len(records):
        digits = records[at : at + 6].split(b" ")[0]
        length = int(digits) if digits.isdigit() else 0
        record = records[at + len(digits) + 1 : at + length]
        key, is_there, value = record[:-1].partition(b"=")
        if not length or at + length > len(records) or record[-1:] != b"\n" or not is_there:
            raise _NotPlain("an extended header is damaged")
        if key == b"path":
            path = _text(value)
        elif not _HARMLESS.fullmatch(key):
            raise _NotPlain(
                f"an extended header has the record {key[:40].decode(errors='replace')!r}, which readers"
                " read differently",
                "extract its files, and write them with plain `tar`, not --sparse",
            )
        at += length
    return path


def _plain_name(name: str) -> str:
    """Return a name that every reader puts at the same place."""
    if not name or name.startswith("/") or ".." in name.split("/") or not name.isprintable():
        raise _NotPlain(f"{name[:80]!r} is not a plain name of a file", "rename it")
    return name


def _text(data: bytes) -> str:
    return data.decode()  # a name that is not UTF-8 has several readings: UnicodeDecodeError
