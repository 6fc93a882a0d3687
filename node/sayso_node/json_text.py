"""JSON that others wrote, read without trusting how deep it is nested.

Python's guard is the recursion limit, and eth-account's dependencies raise that to 100,000 levels:
there a row of brackets overflows the C stack and ends the process.
"""

import json
import sys
from typing import Any, Final

LEVELS: Final = 1_000  # Python's own limit, of calls and brackets together


def parse_json(data: bytes) -> Any:
    """The value that the bytes spell; raises ValueError."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(LEVELS)
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    finally:
        sys.setrecursionlimit(before)
