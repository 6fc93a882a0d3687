"""`python -m bench --out bench.json`: take all figures, and write each as it comes.

A part that fails says so on standard error, and the others go on; the exit status is 1 then.
"""

import argparse
import sys
import traceback
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Protocol, TextIO, cast

from bench.figure import Figure

# Part: the module of this package that takes its figures.
PARTS = {
    "verify": "verify",
    "statements": "statements",
    "verdict": "verdicts",
    "passed_on": "passed_on",
    "store": "durable",
    "postgres": "two_backends",
    "node": "startup",
    "revocation": "refusal",
    "api": "api",
    "gate": "gate",
    "recheck": "recheck",
    "formats": "formats",
    "snapshot": "snapshot",
    "gossip": "gossip",
    "ten": "ten_nodes",
    "load": "marketplace",
    "sync": "sync",
    "catch_up": "catch_up",
    "propagation": "propagation",
    "page": "page",
    "attacked": "attacked",
    "growth": "growth",
    "attack": "attack",
    "chain": "chain_calls",
}


class Part(Protocol):
    """What a module of a part has."""

    def figures(self) -> Iterable[Figure]:
        """Measure; each figure once it is known."""


def main() -> int:
    """Take the figures of all parts, or of those that are named; 1 when a part failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", help="parts, with commas between: " + ", ".join(PARTS))
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else list(PARTS)
    if strange := set(wanted) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(strange))}")
    with arguments.out.open("w") as out:
        failed = [name for name in PARTS if name in wanted and not _took(name, out)]
    if failed:
        sys.stderr.write(f"bench: failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _took(name: str, out: TextIO) -> bool:
    """Write a part's figures as they come; whether it gave them all."""
    try:
        part = cast("Part", import_module(f"bench.{PARTS[name]}"))
        for figure in part.figures():
            for place in (out, sys.stdout):
                place.write(figure.line() + "\n")
                place.flush()
    except Exception:  # noqa: BLE001 - whatever it is, the other parts go on
        sys.stderr.write(f"bench: {name} failed:\n{traceback.format_exc()}")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
