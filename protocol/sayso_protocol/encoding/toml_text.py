"""Writer of flat TOML, in which texts, numbers and arrays of texts have the form of JSON.

Two cases differ: DEL must be escaped, and characters outside the BMP must not be, because JSON escapes
them as surrogate pairs.
"""

import json
from collections.abc import Mapping
from typing import Any


def toml_lines(values: Mapping[str, Any]) -> str:
    """Return a line for each value: a text, a number or a list of texts."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
    return "".join(lines).replace("\x7f", "\\u007f")
