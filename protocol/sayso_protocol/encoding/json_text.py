"""Reader of untrusted JSON with limited nesting (rule 9.6.4).

Python's own guard is the recursion limit. eth-account's dependencies raise it to 100,000, and at that
depth `json.loads` overflows the C stack and ends the process. So the depth is checked first.
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
    """Read JSON in UTF-8; raises Malformed, also if a hook of the decoder raises ValueError."""
    try:
        text = data.decode()
        if text.count("[") + text.count("{") > NESTING and _depth(text) > NESTING:
            raise Malformed(f"nested more than {NESTING} deep")
        return decoder.decode(text)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _depth(text: str) -> int:
    """Return the greatest depth of brackets outside of strings."""
    deepest = depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest
