"""Whatever breaks, no promise does. `make sim` runs thousands of seeds, these are some."""

from dataclasses import replace

import pytest

from simulation.__main__ import described, kept_seeds
from simulation.options import FRAME, LIES, Options
from simulation.run import Result, simulate

EVERYDAY, SHORT, LONG = 20, 200, 1_200
CHUNK = 50  # among fewer short ones there may be none in which a node grants anything
LONG_CHUNK = 20  # longer runs take seconds each, on a busy machine a dozen; a test has five minutes


def hold(result: Result, backend: str = "sqlite") -> None:
    """Fail with everything that is needed to see it again."""
    assert not result.faults, "\n".join(["", *described(result, backend)])


@pytest.mark.parametrize(
    "numbers",
    [
        range(EVERYDAY),
        *(
            pytest.param(range(first, first + CHUNK), marks=pytest.mark.long)
            for first in range(0, SHORT, CHUNK)
        ),
    ],
    ids=str,
)
def test_no_promise_is_broken(numbers: range) -> None:
    granted = 0
    for number in numbers:
        result = simulate(f"s{number}")
        hold(result)
        granted += result.granted
    assert granted > 0  # else every node was silent, which is no art


@pytest.mark.long
@pytest.mark.parametrize("first", range(0, LONG, LONG_CHUNK))
def test_no_promise_is_broken_in_longer_runs(first: int) -> None:
    for number in range(first, first + LONG_CHUNK):
        hold(simulate(str(number)))


FRAMING = Options(
    machines=4, liars=2, lies=(*LIES, FRAME), liars_go_on=True, skew_s=600.0, clock_jumps=2
)


FRAMING_BRIEFLY = replace(FRAMING, machines=3, liars=1, seconds=20.0, messages=8, checks=6)


@pytest.mark.parametrize(
    ("number", "options"),
    [
        *((number, FRAMING_BRIEFLY) for number in range(3)),
        *(pytest.param(number, FRAMING, marks=pytest.mark.long) for number in range(6)),
    ],
    ids=lambda one: "briefly" if one is FRAMING_BRIEFLY else None if isinstance(one, int) else "whole",
)
def test_no_honest_node_is_blamed_by_another(number: int, options: Options) -> None:
    """Whatever liars send to whom, and however clocks, stores and chains of the honest differ."""
    hold(simulate(f"framing {number}", options))


@pytest.mark.parametrize("seed", kept_seeds())
def test_what_failed_once(seed: str) -> None:
    hold(simulate(seed))
