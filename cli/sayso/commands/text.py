"""Text for people; control characters from nodes and files are replaced."""

import difflib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from sayso_protocol.permissions.purposes import KNOWN, check_purpose

T = TypeVar("T")


def printable(text: str) -> str:
    """Replace every character that is not printable by U+FFFD, so that text cannot move the cursor."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def say(*lines: str) -> None:
    """Print lines to standard output."""
    for line in lines:
        click.echo(printable(line))


def warn(text: str) -> None:
    """Print a warning to standard error."""
    click.echo(f"warning: {printable(text)}", err=True)


def say_json(value: Any) -> None:
    """Print a JSON value to standard output."""
    click.echo(json.dumps(value, indent=2))


def moment(seconds: float) -> str:
    """Format seconds since the epoch as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def several(count: int, noun: str) -> str:
    """Format a count with its noun: `1 row`, `1,204 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def tracked(items: Iterable[T], doing: str, count: int) -> Iterable[T]:
    """Return items, while a bar on a terminal shows how many of several are done."""
    from rich.console import Console  # noqa: PLC0415 - takes long to import
    from rich.progress import track  # noqa: PLC0415

    console = Console(stderr=True)
    is_hidden = not console.is_terminal or count == 1
    return track(items, doing, total=count, console=console, transient=True, disable=is_hidden)


def warn_of_purposes(purposes: Iterable[str]) -> None:
    """Warn of purposes that are not published, which may be misspelt; raises InvalidPurpose."""
    for purpose in sorted({check_purpose(one) for one in purposes} - set(KNOWN)):
        near = difflib.get_close_matches(purpose, KNOWN, 1)
        warn(f"{purpose} is not a published purpose" + (f"; do you mean {near[0]}?" if near else ""))


def example(*lines: str) -> str:
    """Format examples for the end of a command's help, in lines that click does not wrap."""
    return "\b\n" + "\n  ".join(["Examples:", *lines])
