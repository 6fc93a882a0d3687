"""Flat TOML, written: a JSON text, number or array of texts is one of TOML, too.

But for DEL, and for characters outside the BMP, which JSON would escape as two halves.
"""

import json
from collections.abc import Mapping
from typing import Any


def toml_lines(values: Mapping[str, Any]) -> str:
    """A line for each value: texts, numbers, lists of texts."""
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()]
    return "".join(lines).replace("\x7f", "\\u007f")
