"""Every `sayso` line in a document is a command of ours with options that it has."""

import re
import shlex
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from docs.markdown import ROOT, blocks, documents
from sayso.commands.contributor.revoke import scope_text
from sayso.main import cli
from sayso_protocol.errors import InvalidAddress
from sayso_protocol.permissions.scopes import Scope

REDIRECTION = re.compile(r"\s\d?[<>]+\s*&?[^\s;|]+")
END = re.compile(r"[|&;]+")
IN_TABLE = re.compile(r"^\|.*`(sayso [^`]+)` \|$", re.MULTILINE)


class Line(NamedTuple):
    """A command line and where it stands."""

    path: Path
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}: {' '.join(self.words)}"


def command_lines(text: str) -> list[tuple[str, ...]]:
    """The words of each `sayso` command in shell blocks, without redirections."""
    shell = "\n".join(block.text for block in blocks(text) if block.info.split()[:1] == ["sh"])
    found = []
    for line in re.sub(r"\\\n\s*", " ", shell).splitlines():
        lexer = shlex.shlex(REDIRECTION.sub(" ", line), posix=True, punctuation_chars="|&;()")
        lexer.whitespace_split = True
        words = list(lexer)
        for start, word in enumerate(words):
            if word == "sayso":
                ends = (at for at in range(start, len(words)) if END.fullmatch(words[at]))
                found.append(tuple(words[start : next(ends, len(words))]))
    return found


def every_line() -> list[Line]:
    pages = [path for path in documents() if path.parent.name != "reference"]
    lines = [Line(path, words) for path in pages for words in command_lines(path.read_text())]
    quoted = [
        Line(path, tuple(shlex.split(match)))
        for path in pages
        for match in IN_TABLE.findall(path.read_text())
    ]
    return [*lines, *quoted]


def resolved(words: tuple[str, ...]) -> tuple[click.Context, list[str]]:
    """The command that the words name, and its arguments."""
    # With its settings: click keeps what it first works out of a command, such as its help option.
    context = click.Context(cli, info_name="sayso", **cli.context_settings)
    rest = list(words[1:])
    while isinstance(context.command, click.Group) and rest:
        name = rest.pop(0)
        found = context.command.get_command(context, name)
        assert found, f"there is no command {name}"
        context = click.Context(found, info_name=name, parent=context)
    return context, rest


def test_lines_are_found() -> None:
    run = "sayso a -b \\\n  c > d 2>&1 & X=$!\nif sayso e 2> /dev/null | grep f; then :; fi"
    text = f"```sh\n{run}\n```\n```text\nsayso g\n```\n"
    assert command_lines(text) == [("sayso", "a", "-b", "c"), ("sayso", "e")]
    assert len(every_line()) > 30


@pytest.mark.parametrize("line", every_line(), ids=str)
def test_the_command_and_its_options_exist(line: Line) -> None:
    context, arguments = resolved(line.words)
    values, rest, _ = context.command.make_parser(context).parse_args(arguments)
    assert not rest
    if isinstance(words := values.get("sentence"), tuple) and words:
        Scope.parse(scope_text(words))


def test_a_ward_may_be_written_as_people_copy_addresses() -> None:
    address = "0x7Ba29a3dd8a9d101B7F639405D697147f7C12B91"
    expected = f"ward {address.lower()} everything"
    assert scope_text(("ward", address, "everything")) == expected
    assert scope_text((f"ward {address} everything",)) == expected
    with pytest.raises(InvalidAddress):
        scope_text(("ward", address.replace("B", "b"), "everything"))


def test_an_option_that_is_not_there_is_noticed() -> None:
    context, arguments = resolved(("sayso", "check", "m.jsonl", "--no-such", "s"))
    with pytest.raises(click.NoSuchOption):
        context.command.make_parser(context).parse_args(arguments)
