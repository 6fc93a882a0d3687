"""What is erased stays gone and revoked, and statements end by the chain, in trouble as in quiet."""

from dataclasses import replace

import pytest

from simulation.lasting_bugs import ENDING, ERASING
from simulation.options import Options
from simulation.run import simulate
from simulation.test_seeds import hold

BOTH = replace(ERASING, ending=True)
TROUBLE = replace(BOTH, machines=3, loss=0.5, restarts=2, crashes=2, crashes_at_commit=True, cuts=1)


def test_licenses_are_erased_and_statements_end() -> None:
    result = simulate("lasting", BOTH)
    hold(result)
    assert result.gone > 0


@pytest.mark.long
@pytest.mark.parametrize(
    "options", [ERASING, ENDING, BOTH, TROUBLE], ids=["erase", "end", "both", "all"]
)
def test_they_do_in_many_runs(options: Options) -> None:
    gone = 0
    for number in range(12):
        result = simulate(f"lasting {number}", options)
        hold(result)
        gone += result.gone
    assert gone > 0
