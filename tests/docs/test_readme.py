"""The README shows steps of the demo, and commands that another document runs."""

import re

from docs.as_written import way
from docs.markdown import ROOT
from docs.test_commands import command_lines
from sayso.demo.tour.steps import STEPS

README = (ROOT / "README.md").read_text()
RUN = (
    "docs/tutorial/by-hand.md",
    "docs/how-to/check-a-dataset.md",
    "docs/how-to/holder-statements.md",
)
GROUPS = {"key", "node", "receipt"}


def names(lines: list[tuple[str, ...]]) -> set[str]:
    """The commands by name: `grant`, or `key new` in a group."""
    return {" ".join(words[1:3]) if words[1] in GROUPS else words[1] for words in lines}


def test_the_three_kinds_of_users_have_their_commands() -> None:
    shown = names(command_lines(README))
    assert shown >= {"grant", "revoke", "check", "receipt verify", "node init", "node run"}


def test_every_command_is_run_by_another_document() -> None:
    run = [
        line
        for page in RUN
        for step in way(page)
        for line in command_lines(f"```sh\n{step.command.text}```\n")
    ]
    assert names(command_lines(README)) <= names(run)


def test_the_story_of_the_demo_has_its_steps() -> None:
    story = re.findall(r"^(\d+)\. (.+)$", README, re.MULTILINE)
    assert story
    for number, title in story:
        assert STEPS[int(number) - 1].title == title


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 160
