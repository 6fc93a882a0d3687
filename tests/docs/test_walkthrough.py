"""What runs the documents notices what differs, what fails and what is left running."""

from pathlib import Path

import pytest

from docs import walkthrough
from docs.walkthrough import missing

SEEN = """chain 31337, since block 17
signed by South on 2026-11-23 00:28:14 UTC
3 rows: 2 clear, 1 not clear
"""


@pytest.mark.parametrize(
    "shown",
    [
        "chain 31337, since block 4,711",
        "signed by South on 2031-01-01 10:00:00 UTC\n3 rows: 2 clear, 1 not clear",
        "...\n3 rows: ... not clear",
        "",
    ],
)
def test_what_differs_from_run_to_run_may_differ(shown: str) -> None:
    assert not missing(shown, SEEN)


@pytest.mark.parametrize(
    "shown",
    [
        "3 rows: 3 clear, 0 not clear",
        "signed by North on 2026-11-23 00:28:14 UTC",
        "3 rows: 2 clear, 1 not clear\nchain 31337, since block 17",
        "chain 31337",
        "chain 31337...\nchain 31337...",
    ],
)
def test_anything_else_is_missed(shown: str) -> None:
    assert missing(shown, SEEN)


@pytest.mark.parametrize("shortened", ["0x2493...6502", "0x2493c0e7916ffcbf"])
def test_long_numbers_may_be_shortened(shortened: str) -> None:
    assert not missing(f"license {shortened}", "license 0x2493c0e7916ffcbf0102e18fd930fa8cf20d4026\n")


def test_a_step_that_fails_is_told(tmp_path: Path) -> None:
    steps = walkthrough.steps("```sh run\necho well\n```\n\n```sh run\nsayso nonsense\n```\n")
    with pytest.raises(AssertionError, match="No such command 'nonsense'"):
        walkthrough.walk(steps, tmp_path)


def test_what_is_left_running_is_told_and_ended(tmp_path: Path) -> None:
    steps = walkthrough.steps("```sh run\nsleep 1000 & echo $! > pid\n```\n")
    with pytest.raises(AssertionError, match="leaves something running"):
        walkthrough.walk(steps, tmp_path)
