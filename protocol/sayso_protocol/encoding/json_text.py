"""JSON that others wrote, read without trusting how deep it is nested.

Python's own guard is the recursion limit; eth-account's dependencies raise that to 100,000, where
`json.loads` of a row of brackets overflows the C stack and ends the process. So depth is checked first.
"""

import json
import re
from typing import Any, Final

from sayso_protocol.errors import Malformed

NESTING: Final = 64  # arrays and objects within each other

_PLAIN: Final = json.JSONDecoder()
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")


def parse_json(data: bytes, decoder: json.JSONDecoder = _PLAIN) -> Any:
    """Read JSON in UTF-8; raises Malformed, also for what a decoder's hooks refuse by ValueError."""
    try:
        text = data.decode()
        if text.count("[") + text.count("{") > NESTING and _depth(text) > NESTING:
            raise Malformed(f"nested more than {NESTING} deep")
        return decoder.decode(text)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _depth(text: str) -> int:
    """How deep brackets outside of strings are nested at most."""
    deepest = depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
