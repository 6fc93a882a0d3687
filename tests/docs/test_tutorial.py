"""The tutorial is run as it is written, and what it shows is what is seen."""

import re

from docs.as_written import AsWritten, way
from docs.markdown import ROOT

PAGE = "docs/tutorial/by-hand.md"
TUTORIAL = (ROOT / PAGE).read_text()
WALK = way(PAGE)


class TestTutorial(AsWritten):
    """Every step, and what is shown behind it."""

    page = PAGE


def test_it_tells_what_the_demo_shows() -> None:
    commands = "\n".join(step.command.text for step in WALK)
    for command in (
        "devchain",
        "contract deploy",
        "network add",
        "network show",
        "node init",
        "node status",
        "key new",
        "grant",
        "licenses",
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
    assert "--on-chain" in commands


def test_every_block_of_commands_is_run() -> None:
    assert TUTORIAL.count("```sh") == len(WALK)
