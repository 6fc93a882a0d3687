"""`python -m sayso.sample.make`: writes the sample files; with `--check`, only compares them.

The files are checked in, so that installing sayso needs no maker. This is where they come from.
"""

import argparse
import sys
from pathlib import Path

from sayso.sample.catalogue import catalogue
from sayso.sample.errors import SampleChanged
from sayso_protocol.errors import SaysoError

FILES = Path(__file__).parent / "files"


def make(folder: Path) -> int:
    """Write all sample files below `folder` and return how many."""
    made = catalogue()
    for name, maker in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(maker())
    return len(made)


def check(folder: Path) -> int:
    """Return how many files there are; raises SampleChanged unless `make` would write the same."""
    made = catalogue()
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wrong = sorted(present ^ made.keys())
    wrong += [n for n in made if n in present and (folder / n).read_bytes() != made[n]()]
    if wrong:
        raise SampleChanged(f"{len(wrong)} sample files differ from their maker: {', '.join(wrong)}")
    return len(made)


def main() -> None:
    """Make or check; exit code 1 when a checked file differs."""
    parser = argparse.ArgumentParser(prog="python -m sayso.sample.make", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--folder", type=Path, default=FILES, help="where the files are")
    options = parser.parse_args()
    try:
        count = (check if options.check else make)(options.folder)
    except SaysoError as error:
        sys.exit(f"{error.code}: {error}")
    sys.stdout.write(f"{count} files {'are as made' if options.check else 'written'}\n")


if __name__ == "__main__":
    main()
