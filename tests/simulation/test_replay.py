"""One seed replays everything, on every machine: not even the order of sets may matter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.options import Options, options_of
from simulation.run import simulate

TESTS = Path(__file__).parents[1]
SEEDS = ("s1", "s4", "s13")


def run_with(hash_seed: str) -> list[str]:
    """What the command says of some seeds."""
    arguments = [part for seed in SEEDS for part in ("--seed", seed)]
    return subprocess.run(
        [sys.executable, "-m", "simulation", *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()


@pytest.mark.long
def test_two_processes_do_the_same() -> None:
    one, other = run_with("1"), run_with("2")
    assert one == other
    assert sum(line.startswith("  trace ") for line in one) == len(SEEDS)


def test_another_seed_does_something_else() -> None:
    quiet = Options(seconds=10.0, messages=3, checks=2)
    assert simulate("one", quiet).trace == simulate("one", quiet).trace
    assert simulate("one", quiet).trace != simulate("other", quiet).trace


def test_every_fault_is_drawn_by_some_seed() -> None:
    drawn = [options_of(str(number)) for number in range(60)]
    quiet = Options()
    for name in Options.__dataclass_fields__:
        values = {getattr(one, name) for one in drawn}
        assert name == "room" or len(values | {getattr(quiet, name)}) > 1, name
