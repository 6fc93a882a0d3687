"""The numbers of the reasons of a part's rows as text: zlib in base64, in one form only.

A node's answer is kept in the record of a run, because the record's reasons are computed from it again.
Most rows have the same reason, so a million rows take a few kilobytes.
"""

import base64
import zlib

from sayso_protocol.errors import Malformed
from sayso_protocol.verdicts.verdict import REASONS

_LEVEL = 1  # fast; a higher one gains little


def reasons_to_text(numbers: bytes) -> str:
    """Return the numbers of reasons, one byte each, as text."""
    return base64.b64encode(zlib.compress(numbers, _LEVEL)).decode()


def reasons_from_text(text: str, rows: int) -> bytes:
    """Read the numbers of so many reasons; raises Malformed.

    The memory is that of the rows, however many the text would give.
    """
    try:
        packed = base64.b64decode(text, validate=True)
        unpacking = zlib.decompressobj()
        numbers = unpacking.decompress(packed, rows + 1)
    except (ValueError, zlib.error) as error:
        raise Malformed(f"the reasons of a part are not base64 of zlib: {error}") from error
    complete = unpacking.eof and not unpacking.unused_data
    if not complete or len(numbers) != rows or base64.b64encode(packed) != text.encode():
        raise Malformed("the reasons of a part are not one for each of its rows")
    if strange := numbers.translate(None, bytes(REASONS)):
        raise Malformed(f"the reasons of a part contain an unknown number ({min(strange)})")
    return numbers
