"""The README is run as it is written, and what it shows is what is seen."""

import re
from pathlib import Path

import pytest

from docs import walkthrough
from docs.as_written import AsWritten, way
from docs.markdown import ROOT
from docs.walkthrough import missing
from sayso.demo.steps import STEPS

PAGE = "README.md"
README = (ROOT / PAGE).read_text()
WALK = way(PAGE)


class TestReadme(AsWritten):
    """Every step, and what is shown behind it."""

    page = PAGE


def test_the_three_kinds_of_users_have_their_commands() -> None:
    commands = "\n".join(step.command.text for step in WALK)
    for command in (
        "devchain",
        "key new",
        "contract deploy",
        "network show",
        "network add",
        "node init",
        "node run",
        "node status",
        "grant",
        "licenses",
        "revoke",
        "check",
        "receipt verify",
    ):
        assert re.search(rf"\bsayso {command}\b", commands), command
    assert "--on-chain" in commands


def test_the_story_of_the_demo_has_its_steps() -> None:
    story = re.findall(r"^(\d)\. (.+)$", README, re.MULTILINE)
    assert story
    for number, title in story:
        assert STEPS[int(number) - 1].title == title


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
