"""Reader of untrusted JSON with limited size and nesting (rule 9.6.4).

Python's own guard is the recursion limit. eth-account's dependencies raise it to 100,000, and at that
depth `json.loads` overflows the C stack and ends the process. So the depth is checked first, by methods
of bytes that need no memory for each character.
"""

import json
from itertools import accumulate
from typing import Any, Final

from sayso_protocol.errors import Malformed

NESTING: Final = 64  # arrays and objects within each other
DOCUMENT_BYTES: Final = 4_194_304  # unless the caller says otherwise

_PLAIN: Final = json.JSONDecoder()
_CHUNK: Final = 8_192
_OTHERS: Final = bytes(set(range(256)) - set(b'"[]{}'))  # say nothing about the depth
_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # 1 and -1, as signed bytes


def parse_json(data: bytes, decoder: json.JSONDecoder = _PLAIN, *, most: int = DOCUMENT_BYTES) -> Any:
    """Read JSON in UTF-8 of at most `most` bytes; raises Malformed, also for ValueError in a hook."""
    if len(data) > most:
        raise Malformed(f"more than {most:,} bytes")
    if data.count(b"[") + data.count(b"{") > NESTING and _depth(data) > NESTING:
        raise Malformed(f"nested more than {NESTING} deep")
    try:
        return decoder.decode(data.decode())
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from error


def _depth(data: bytes) -> int:
    """Return the greatest depth of brackets outside of strings."""
    # Pairs of backslashes first: then each backslash that is left before a quote escapes it.
    marks = data.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _OTHERS)
    deepest = depth = 0
    inside = False
    for start in range(0, len(marks), _CHUNK):
        parts = marks[start : start + _CHUNK].split(b'"')
        steps = b"".join(parts[inside::2]).translate(_STEPS)
        inside ^= len(parts) % 2 == 0
        heights = list(accumulate(memoryview(steps).cast("b"), initial=depth))
        deepest, depth = max(deepest, *heights), heights[-1]
    return deepest
