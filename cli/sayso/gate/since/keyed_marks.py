"""Marks of files under this user's key: as sure as a hash, and several times as fast.

A mark is a MAC of the whole content. Who does not know the key cannot make another file that has the
same mark; who knows it could as well sign an index (secret.py). Each mark has a nonce of its own, so a
key and a nonce are used for one message only (draft-irtf-cfrg-aegis-aead).
"""

import hmac
import secrets
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta, Struct
from nacl.bindings import crypto_aead_aegis256_encrypt

from sayso.files import opening
from sayso.gate.marks import FileMark, mark, text_of

_NONCE_BYTES: Final = 16
_COUNTER_BYTES: Final = 16
_PIECE_BYTES: Final = 1 << 20
_PURPOSE: Final = b"sayso-keyed-mark-1"


class KeyedMark(Struct, frozen=True):
    """KeyedMark identifies the bytes of a file for whoever has the key.

    Attributes:
        name: The file's name without its folder.
        size: Bytes.
        nonce, tag: Hexadecimal.
    """

    name: str
    size: Annotated[int, Meta(ge=0)]
    nonce: str
    tag: str


def keyed_mark(path: Path, key: bytes, nonce: bytes | None = None) -> KeyedMark:
    """Read a file and return its mark; raises FileUnreadable.

    Args:
        path: The file.
        key: This user's key, 32 bytes.
        nonce: Of the mark that it is compared with; random by default.
    """
    with opening(path) as file:
        return _mark(path, iter(partial(file.read, _PIECE_BYTES), b""), key, nonce)


def keyed_again(files: Sequence[Path], marks: Sequence[FileMark], key: bytes) -> list[KeyedMark] | None:
    """Return keyed marks of files with these marks, or None if one has another content by now."""
    found = list[KeyedMark]()
    for path, known in zip(files, marks, strict=False):
        with opening(path) as file:
            data = file.read()  # once, so both marks are of the same bytes
        if mark(path, data) != known:
            return None
        pieces = (data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES))
        found.append(_mark(path, pieces, key))
    return found if len(files) == len(marks) else None


def are_same(files: Sequence[Path], marks: Sequence[KeyedMark], key: bytes) -> bool:
    """Return whether files are those of marks, in order; raises FileUnreadable."""
    if len(files) != len(marks):
        return False
    return all(_is_same(one, known, key) for one, known in zip(files, marks, strict=True))


def _is_same(path: Path, known: KeyedMark, key: bytes) -> bool:
    found = keyed_mark(path, key, bytes.fromhex(known.nonce))
    same = hmac.compare_digest(found.tag, known.tag)
    return same and (found.name, found.size) == (known.name, known.size)


def _mark(path: Path, pieces: Iterator[bytes], key: bytes, nonce: bytes | None = None) -> KeyedMark:
    once = nonce or secrets.token_bytes(_NONCE_BYTES)
    own = hmac.digest(key, _PURPOSE, "sha256")
    whole, size = hmac.new(own, once, "sha256"), 0
    for number, piece in enumerate(pieces):
        place = once + number.to_bytes(_COUNTER_BYTES)
        whole.update(len(piece).to_bytes(_COUNTER_BYTES))
        whole.update(crypto_aead_aegis256_encrypt(b"", piece, place, own))
        size += len(piece)
    return KeyedMark(text_of(path), size, once.hex(), whole.hexdigest())
