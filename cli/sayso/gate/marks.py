"""Marks of files: by name, size and SHA-256, so that another file is not taken for one that was read."""

import hashlib
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct

from sayso.files import opening
from sayso_protocol.primitives import sha256

INDEX_ENDING: Final = ".index"


class FileMark(Struct, frozen=True):
    """FileMark identifies the bytes of a file.

    Attributes:
        name: The file's name without its folder.
        size: Bytes.
        sha256: Of the bytes, hexadecimal.
    """

    name: str
    size: Annotated[int, Meta(ge=0)]
    sha256: str


def mark(path: Path, data: bytes) -> FileMark:
    """Return the mark of a file with this content."""
    return FileMark(text_of(path), len(data), sha256(data).hex())


def mark_file(path: Path) -> FileMark:
    """Read a file and return its mark; raises FileUnreadable."""
    with opening(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        return FileMark(text_of(path), file.tell(), found)


def index_of(record: Path) -> Path:
    """Return the place of a record's index (since/index.py)."""
    return record.with_name(record.name + INDEX_ENDING)


def text_of(path: Path) -> str:
    """Return the name of a file as text, without its folder."""
    return path.name.encode(errors="replace").decode()  # a file's name may be no text (PEP 383)
