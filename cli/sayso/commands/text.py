"""Text for people: what a node or a file says is shown without its control characters."""

import difflib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click

from sayso_protocol.permissions.purposes import KNOWN, check_purpose


def printable(text: str) -> str:
    """One line that cannot move the cursor: whatever is not printable becomes U+FFFD."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def say(text: str) -> None:
    """To standard output; a name that the terminal cannot show never stops a command."""
    click.echo(printable(text))


def warn(text: str) -> None:
    """To standard error."""
    click.echo(f"warning: {printable(text)}", err=True)


def say_json(value: Any) -> None:
    """A JSON object for a script, to standard output."""
    click.echo(json.dumps(value, indent=2))


def moment(seconds: float) -> str:
    """A time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def several(count: int, noun: str) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def warn_of_purposes(purposes: Iterable[str]) -> None:
    """A purpose without a published meaning may be a slip; raises InvalidPurpose."""
    for purpose in sorted({check_purpose(one) for one in purposes} - set(KNOWN)):
        near = difflib.get_close_matches(purpose, KNOWN, 1)
        warn(f"{purpose} is not a published purpose" + (f"; is {near[0]} meant?" if near else ""))


def example(*lines: str) -> str:
    """The examples at the end of a command's help, in lines that click leaves alone."""
    return "\b\n" + "\n  ".join(["Examples:", *lines])
