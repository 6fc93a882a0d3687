"""`python -m bench --out bench.json`: take all figures and write them whole, at the end."""

import argparse
import sys
from pathlib import Path

from bench import (
    api,
    catch_up,
    durable,
    gate,
    gossip,
    page,
    propagation,
    refusal,
    snapshot,
    startup,
    sync,
    ten_nodes,
    verdicts,
    verify,
)

PARTS = {
    "verify": verify,
    "verdict": verdicts,
    "store": durable,
    "node": startup,
    "revocation": refusal,
    "api": api,
    "gate": gate,
    "snapshot": snapshot,
    "gossip": gossip,
    "ten": ten_nodes,
    "sync": sync,
    "catch_up": catch_up,
    "propagation": propagation,
    "page": page,
}


def main() -> None:
    """Take the figures of all parts, or of those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", help="parts, with commas between: " + ", ".join(PARTS))
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else list(PARTS)
    if strange := set(wanted) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(strange))}")
    lines = []
    for name, part in PARTS.items():
        if name in wanted:
            for figure in part.figures():
                lines.append(figure.line() + "\n")
                sys.stdout.write(lines[-1])
                sys.stdout.flush()
    partial = arguments.out.with_name(arguments.out.name + ".part")
    partial.write_text("".join(lines))
    partial.replace(arguments.out)


if __name__ == "__main__":
    main()
