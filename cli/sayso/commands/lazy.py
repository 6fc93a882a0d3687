"""A command group that imports its commands on first use and lists them under headings.

Importing every command would delay `--help` by seconds.
"""

from collections.abc import Mapping
from contextlib import nullcontext
from importlib import import_module
from typing import Any, NamedTuple

import click

from sayso.commands.failure import as_failures
from sayso.extras import extra
from sayso_contracts.start.collector import collector_off


class Entry(NamedTuple):
    """A command's place (`module:name`), its line in the help, and the extra that it needs."""

    place: str
    help: str
    extra: str = ""


class Group(click.Group):
    """Group lists its commands with whole sentences, where click would cut them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List each command with the first sentence of its help."""
        shown = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, one.get_short_help_str(formatter.width * 9)) for name, one in shown if one]
            )


class LazyGroup(click.Group):
    """LazyGroup lists the commands of `sections` and imports a command only to run it."""

    def __init__(self, *args: Any, sections: Mapping[str, Mapping[str, Entry]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return all names, in the order of the sections."""
        return [name for entries in self.sections.values() for name in entries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; raises ExtraMissing."""
        for entries in self.sections.values():
            if cmd_name in entries:
                return _load(entries[cmd_name])
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the named command; raises NoSuchCommand, with names like it."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            names = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=names, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands under their headings, without importing them."""
        for heading, entries in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name, entry.help) for name, entry in entries.items()], col_max=12)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and show a SaysoError in one line."""
        with as_failures():
            return super().invoke(ctx)


def _load(entry: Entry) -> click.Command:
    module, _, name = entry.place.partition(":")
    with collector_off(), extra(entry.extra) if entry.extra else nullcontext():
        command: click.Command = getattr(import_module(module), name)
    return command
