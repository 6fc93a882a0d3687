"""Hashes in texts, many at once: 64 hexadecimal digits of any case, with or without `0x`."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sayso.gate.judges.verdicts import Flags
from sayso_protocol.primitives import HASH_BYTES, salted_item

Hashes = NDArray[np.uint8]

TEXT_BYTES: Final = 2 + 2 * HASH_BYTES
SALT: Final = "salt"  # the field or column of salts
_NO_DIGIT: Final = 255
_DIGITS: Final = np.full(256, _NO_DIGIT, np.uint8)
_DIGITS[list(b"0123456789abcdef")] = range(16)
_DIGITS[list(b"ABCDEF")] = range(10, 16)


def decode_texts(texts: Hashes) -> tuple[Hashes, Flags]:
    """Decode (n, 66) bytes; returns (n, 32) bytes, and a mask of the valid hashes."""
    digits = _DIGITS[texts[:, 2:]]
    right = (texts[:, 0] == ord("0")) & ((texts[:, 1] == ord("x")) | (texts[:, 1] == ord("X")))
    right &= (digits != _NO_DIGIT).all(axis=1)
    hashes: Hashes = ((digits[:, 0::2] << 4) | (digits[:, 1::2] & 0x0F)).astype(np.uint8)
    return hashes, right


def hashes_of(texts: Sequence[Any]) -> tuple[Hashes, Flags]:
    """Decode texts (str or bytes); any other value and any other length is not a hash."""
    joined = _joined(texts)
    if joined is None:
        joined = b"".join([_text(one) for one in texts])
    return decode_texts(np.frombuffer(joined, np.uint8).reshape(-1, TEXT_BYTES))


def _joined(texts: Sequence[Any]) -> bytes | None:
    """Join texts that are all of one type and of the usual length; None for any others."""
    try:
        if set(map(len, texts)) != {TEXT_BYTES}:
            return None
        return "".join(texts).encode("ascii") if type(texts[0]) is str else b"".join(texts)
    except (TypeError, UnicodeEncodeError):
        return None


def _text(value: Any) -> bytes:
    if type(value) is str:
        value = value.encode("ascii", "replace")
    if type(value) is not bytes:
        return bytes(TEXT_BYTES)
    if len(value) == TEXT_BYTES:
        return value
    return b"0x" + value if len(value) == TEXT_BYTES - 2 else bytes(TEXT_BYTES)


def salted_by(value: Any, plain: bytes) -> bytes:
    """Return the item of bytes with this SHA-256, by what a row has as its salt (rule 1.5.1).

    A salt is a hash as text, or 32 bytes; anything else is none, and the item is the plain hash. Either
    way the item follows from the bytes, so a wrong salt never clears anything.
    """
    if isinstance(value, bytes) and len(value) == HASH_BYTES:
        return salted_item(value, plain)
    if isinstance(value, str):
        hashes, right = hashes_of([value])
        if right.all():
            return salted_item(hashes[0].tobytes(), plain)
    return plain
