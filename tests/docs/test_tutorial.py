"""The tutorial is run as it is written, and what it shows is what is seen."""

import re

import pytest

from docs import walkthrough
from docs.markdown import ROOT
from docs.walkthrough import DEADLINE_S, missing

TUTORIAL = (ROOT / "docs" / "tutorial" / "by-hand.md").read_text()
WALK = walkthrough.steps(TUTORIAL)
SHOWN = [number for number, step in enumerate(WALK) if step.shown]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each step wrote, in a folder and a shell of their own."""
    return walkthrough.walk(WALK, tmp_path_factory.mktemp("tutorial"))


@pytest.mark.timeout(DEADLINE_S + 60)
def test_every_step_can_be_done_as_written(seen: list[str]) -> None:
    assert len(seen) == len(WALK) > 15


@pytest.mark.timeout(DEADLINE_S + 60)
@pytest.mark.parametrize("number", SHOWN)
def test_what_is_shown_is_what_is_seen(seen: list[str], number: int) -> None:
    shown = WALK[number].shown
    assert shown
    assert not missing(shown.text, seen[number]), (
        f"line {shown.line} of the tutorial; seen:\n{seen[number]}"
    )


def test_it_tells_what_the_demo_shows() -> None:
    commands = "\n".join(step.command.text for step in WALK)
    for command in (
        "devchain",
        "contract deploy",
        "network add",
        "key new",
        "grant",
        "show",
        "status",
        "check",
        "receipt verify",
        "revoke",
        "submit",
    ):
        assert re.search(rf"\bsayso {command}\b", commands), command
    assert (
        len(re.findall(r"\bsayso node run (?:north|south|west)\b", commands)) == 4
    )  # one of them twice
    assert "kill -9" in commands


def test_every_block_of_commands_is_run() -> None:
    assert TUTORIAL.count("```sh") == len(WALK)
