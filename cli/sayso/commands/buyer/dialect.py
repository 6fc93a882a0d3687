"""Options that declare how a manifest is read, for every command that reads one."""

from typing import Any, Final

import click

from sayso.commands.grouping import Command, gathering
from sayso.commands.options import text_option
from sayso.gate.formats.base import Columns, Dialect
from sayso.gate.policy import dialect_of

_NAMES: Final = ("delimiter", "encoding", "quoting", "labels", "bad_rows")
COLUMN_OPTIONS: Final = (
    text_option("--license-column", "NAME", "As in that check."),
    text_option("--item-column", "NAME", "As in that check."),
)
_OPTIONS: Final = (
    click.option(
        "--bad-rows",
        type=click.Choice(["refuse", "reject"]),
        default="refuse",
        show_default=True,
        help="Rows without a usable license: refuse the manifest, or call the row unknown.",
    ),
    text_option(
        "--delimiter", "CHAR", 'The separator of CSV, such as ";" or tab.  [default: by the name]'
    ),
    text_option("--encoding", "NAME", "The character set of CSV.", default="utf-8", show_default=True),
    click.option(
        "--quoting",
        type=click.Choice(["double", "none"]),
        help="Quotes in CSV: as in RFC 4180, or ordinary characters.  [default: refuse what differs]",
    ),
    text_option(
        "--label",
        "ENDING",
        "An ending of tar members that are labels, such as txt.",
        name="labels",
        multiple=True,
    ),
)


def _dialect(options: dict[str, Any]) -> Dialect:
    return dialect_of({name: options.pop(name) for name in _NAMES})


def dialect_options(command: Command) -> Command:
    """Add the options of a dialect to a command, which receives them as `dialect`."""
    return gathering(command, "dialect", _dialect, _OPTIONS)


def columns_options(command: Command) -> Command:
    """Add the options of columns and dialect to a command, which receives them as `columns`."""

    def gathered(options: dict[str, Any]) -> Columns:
        names = options.pop("license_column"), options.pop("item_column")
        return Columns(*names, dialect=_dialect(options))

    return gathering(command, "columns", gathered, (*COLUMN_OPTIONS, *_OPTIONS))
