"""Runs slither over src/ and fails unless it understood all of it and found nothing.

Slither ends well when it could not resolve an import, and then leaves contracts out without a word about
it: what it prints is looked at, too. A finding that is meant is excused in the source, at its line, with
the reason; what is meant everywhere is excused here. `python contracts/audit.py SLITHER`
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = HERE / "node_modules" / ".bin"  # forge, which slither compiles with

# What slither prints when it left something out.
BLIND = ("Missing inheritance", "Failed to resolve")
ANALYZED = " analyzed ("

# Detectors, each with the reason why it is not run.
EXCLUDED = {
    "assembly": "finds assembly, not faults in it; each block says above it why it is there, and is "
    "memory-safe; what it hashes is held to eth-account's and viem's signatures"
}


def run(slither: str) -> tuple[int, str]:
    """Run slither in folders of its own, so that `make contracts` may run beside it."""
    own = {"FOUNDRY_OUT": "out/audit", "FOUNDRY_CACHE_PATH": "cache/audit"}
    path = os.pathsep.join([str(TOOLS), str(Path(slither).absolute().parent), os.environ["PATH"]])
    command = [slither, ".", "--filter-paths", "node_modules|test", "--exclude", ",".join(EXCLUDED)]
    done = subprocess.run(  # noqa: S603 - our own pinned tools
        command,
        cwd=HERE,
        env={**os.environ, **own, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def main(arguments: Sequence[str]) -> int:
    """Print what slither says; 1 unless it saw everything and found nothing."""
    (slither,) = arguments
    code, said = run(str(Path(slither).absolute()))
    sys.stdout.write(said)
    blind = [text for text in BLIND if text in said]
    if blind or ANALYZED not in said:
        sys.stderr.write(f"slither did not see everything: {', '.join(blind) or 'it stopped'}\n")
    return int(bool(code or blind or ANALYZED not in said))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
