"""Appendix C of docs/protocol.md shows the bytes of tests/vectors/sync.json."""

import json
from typing import Any

from docs.markdown import ROOT

PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
SHOWN = 64  # hexadecimal digits of a value; the rest is in the file
STEPS = ("fingerprints, kind 2", "fingerprints, kind 1", "cells", "get", "check, kind 1", "offer")


def cut(text: str) -> str:
    digits = text[2:]
    return (
        f"0x{digits}" if len(digits) <= SHOWN else f"0x{digits[:SHOWN]}... ({len(digits) // 2:,} bytes)"
    )


def block(name: str, exchange: dict[str, Any]) -> str:
    return f"    {name}\n    -> {cut(exchange['question'])}\n    <- {cut(exchange['answer'])}\n"


def example() -> str:
    exchanges = json.loads((ROOT / "tests/vectors/sync.json").read_text())["exchanges"]
    named = {one["name"]: one for one in exchanges}
    return "\n".join(block(name, named[name]) for name in STEPS)


def test_the_example_round_is_that_of_the_vectors() -> None:
    appendix = PROTOCOL.split("\n## Appendix C. ")[1]
    assert example() in appendix
