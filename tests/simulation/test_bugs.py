"""The checkers can fail: each mistake is found by one of them, and by nothing else."""

import pytest

from simulation.bugs import BUGS
from simulation.lasting_bugs import LASTING_BUGS
from simulation.passing_bugs import PASSING_BUGS
from simulation.run import Result, simulate

SEEDS = 24
ALL = BUGS | PASSING_BUGS | LASTING_BUGS


def found(name: str) -> Result:
    """The first run that goes wrong with the mistake."""
    bug = ALL[name]
    with bug.switched_on():
        for number in range(bug.first, bug.first + SEEDS):
            result = simulate(f"{name} {number}", bug.trouble)
            if result.faults:
                return result
    raise AssertionError(f"{SEEDS} seeds did not find: {name}")


SLOW = {  # many seeds until it is found, or it takes long to see that nothing comes
    "sync is believed",
    "seen before verified",
    "promises by the clock",
    "early is wrong for ever",
    "nothing is promoted",
    "evicted without a mark",
    "answered before it is kept",
    "a failed round counts",
    "arrival does not matter",
    "acknowledged, and not relayed",
    *LASTING_BUGS,
    *(PASSING_BUGS.keys() - {"withdrawn is called revoked"}),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.long] * (name in SLOW)) for name in ALL]
)
def test_a_mistake_is_found(name: str) -> None:
    result = found(name)
    again = simulate(result.seed, result.options)
    assert not again.faults  # it was the mistake, not the trouble
