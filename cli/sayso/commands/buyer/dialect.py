"""Options that declare how a manifest is read, for every command that reads one."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from sayso.gate.policy import dialect_of


def dialect_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a dialect; the command gets `dialect`."""

    @wraps(command)
    def with_dialect(**options: Any) -> Any:
        names = ("delimiter", "encoding", "quoting", "labels", "bad_rows")
        dialect = dialect_of({name: options.pop(name) for name in names})
        return command(dialect=dialect, **options)

    for add in reversed(_OPTIONS):
        with_dialect = add(with_dialect)
    return with_dialect


_OPTIONS = (
    click.option(
        "--bad-rows",
        type=click.Choice(["refuse", "reject"]),
        default="refuse",
        show_default=True,
        help="Rows without a usable license: refuse the manifest, or call the row unknown.",
    ),
    click.option(
        "--delimiter",
        metavar="CHAR",
        help='The separator of CSV, such as ";" or tab.  [default: by the name]',
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        default="utf-8",
        show_default=True,
        help="The character set of CSV.",
    ),
    click.option(
        "--quoting",
        type=click.Choice(["double", "none"]),
        help="Quotes in CSV: as in RFC 4180, or ordinary characters.  [default: refuse what differs]",
    ),
    click.option(
        "--label",
        "labels",
        multiple=True,
        metavar="ENDING",
        help="An ending of tar members that are labels, such as txt.",
    ),
)
