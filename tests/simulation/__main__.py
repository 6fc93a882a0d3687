"""`python -m simulation`: run many seeds, or one again.

python -m simulation --seeds 2000 --jobs 2   seeds 0 to 1999, in two processes
python -m simulation --seed 17               that one, and what went wrong in it
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from simulation.run import Result, simulate

KEPT = Path(__file__).with_name("kept_seeds.txt")
CHUNK = 8
SAY_EVERY = 100  # runs, how far it has come: thousands take half an hour


def main() -> int:
    """Exit code 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", action="append", help="run this one; may be repeated")
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--short", action="store_true", help="short runs, as in CI")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--keep", action="store_true", help="write failing seeds down as tests")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if given.seed:
        return report(map(simulate, given.seed), keep=given.keep, verbose=True)
    names = (f"{'s' if given.short else ''}{given.first + number}" for number in range(given.seeds))
    with ProcessPoolExecutor(given.jobs) as pool:
        return report(pool.map(simulate, names, chunksize=CHUNK), keep=given.keep, verbose=False)


def report(results: Iterable[Result], *, keep: bool, verbose: bool) -> int:
    """Say what came of each run that failed, or of all."""
    runs = failed = granted = 0
    for result in results:
        runs, granted = runs + 1, granted + result.granted
        if result.faults or verbose:
            sys.stdout.writelines(f"{line}\n" for line in described(result))
        if result.faults:
            failed += 1
            if keep:
                write_down(result)
        if runs % SAY_EVERY == 0:
            sys.stderr.write(f"{runs} runs, {failed} failed\n")
    sys.stdout.write(f"{runs} runs, {failed} failed; {granted} rows were clear\n")
    return 1 if failed else 0


def described(result: Result) -> Iterator[str]:
    """For a person."""
    yield f"seed {result.seed}: {result.options.text() or 'nothing goes wrong'}"
    yield f"  trace {result.trace}; {result.granted} rows clear; agreed after {result.settled_s:.0f} s"
    for fault in result.faults[:10]:
        yield f"  BROKEN {fault}"
    if result.faults:
        yield f"  again: {command(result.seed)}"


def command(seed: str) -> str:
    """What replays a seed."""
    return f"make sim SEED={seed}"


def write_down(result: Result) -> None:
    """From now on it is a test."""
    with KEPT.open("a") as file:
        file.write(f"{result.seed}  # {result.faults[0]}\n")


def kept_seeds() -> list[str]:
    """Seeds that failed once."""
    lines = (line.partition("#")[0].strip() for line in KEPT.read_text().splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    raise SystemExit(main())
