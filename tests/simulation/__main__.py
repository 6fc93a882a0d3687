"""`python -m simulation`: run many seeds, or one again.

python -m simulation --seeds 2000 --jobs 2   seeds 0 to 1999, in two processes
python -m simulation --seed 17               that one, and what went wrong in it
python -m simulation --backend postgres      with the stores in a server that it starts
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache, partial
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
    parser.add_argument("--backend", choices=("sqlite", "postgres"), default="sqlite", help="of stores")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    saying = partial(report, keep=given.keep, backend=given.backend)
    with ExitStack() as running:
        run = simulate if given.backend == "sqlite" else partial(simulate_at, start_server(running))
        if given.seed:
            return saying(map(run, given.seed), verbose=True)
        names = (f"{'s' if given.short else ''}{given.first + number}" for number in range(given.seeds))
        pool = running.enter_context(ProcessPoolExecutor(given.jobs))
        return saying(pool.map(run, names, chunksize=CHUNK), verbose=False)


def start_server(running: ExitStack) -> str:
    """Start a PostgreSQL server, which stops with the stack; returns its location."""
    from support.postgres import postgres

    return running.enter_context(postgres()).dsn


def simulate_at(dsn: str, seed: str) -> Result:
    """Run a seed with the stores in a PostgreSQL server."""
    schemas = schemas_at(dsn)
    try:
        return simulate(seed, media=schemas)
    finally:
        schemas.release()


@cache
def schemas_at(dsn: str):  # type: ignore[no-untyped-def]
    """Return the schemas of this process."""
    from simulation.database import Schemas

    return Schemas(dsn)


def report(results: Iterable[Result], *, keep: bool, backend: str, verbose: bool) -> int:
    """Say what came of each run that failed, or of all."""
    runs = failed = granted = 0
    for result in results:
        runs, granted = runs + 1, granted + result.granted
        if result.faults or verbose:
            sys.stdout.writelines(f"{line}\n" for line in described(result, backend))
        if result.faults:
            failed += 1
            if keep:
                write_down(result, backend)
        if runs % SAY_EVERY == 0:
            sys.stderr.write(f"{runs} runs, {failed} failed\n")
    sys.stdout.write(f"{runs} runs, {failed} failed; {granted} rows were clear\n")
    return 1 if failed else 0


def described(result: Result, backend: str = "sqlite") -> Iterator[str]:
    """For a person."""
    yield f"seed {result.seed}: {result.options.text() or 'nothing goes wrong'}"
    yield f"  trace {result.trace}; {result.granted} rows clear; agreed after {result.settled_s:.0f} s"
    for fault in result.faults[:10]:
        yield f"  BROKEN {fault}"
    if result.faults:
        yield f"  again: {command(result.seed, backend)}"


def command(seed: str, backend: str = "sqlite") -> str:
    """What replays a seed."""
    return f"make sim SEED={seed}" + (f" BACKEND={backend}" if backend != "sqlite" else "")


def write_down(result: Result, backend: str) -> None:
    """From now on it is a test, of both backends."""
    with KEPT.open("a") as file:
        file.write(f"{result.seed}  # {backend}: {result.faults[0]}\n")


def kept_seeds() -> list[str]:
    """Seeds that failed once."""
    lines = (line.partition("#")[0].strip() for line in KEPT.read_text().splitlines())
    return [line for line in lines if line]


if __name__ == "__main__":
    raise SystemExit(main())
