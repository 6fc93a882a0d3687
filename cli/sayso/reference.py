"""Generator of cli.md, errors.md, log.md and metrics.md in docs/reference.

    python -m sayso.reference            write the files
    python -m sayso.reference --check    fail if a file is out of date

The files describe the code that runs; nobody edits them by hand.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, TypeGuard

import click

from sayso.main import SECTIONS, cli
from sayso_node.gossip.counters import COUNTERS
from sayso_node.metrics.exposition import PREFIX
from sayso_node.metrics.gauges import GAUGES
from sayso_node.metrics.latency import NAME as LATENCY
from sayso_node.supervision.counters import names
from sayso_node.supervision.log_events import LOG_EVENTS
from sayso_protocol.errors import MessageError, SaysoError

WIDTH: Final = 100
GENERATED: Final = "<!-- Written by `python -m sayso.reference`; do not edit. -->"

CLI_HEAD: Final = f"""{GENERATED}
# The `sayso` command

Every command ends with exit status 0 on success, 1 on an error and 2 on wrong usage. An error prints one
line `error [code]: ...` on standard error; [errors.md](errors.md) lists the codes. `sayso check` and
`sayso status` end with 3 if a row is not clear, `sayso prove` and `sayso verify-proof` if the permission
is revoked.
"""

ERRORS_HEAD: Final = f"""{GENERATED}
# Error codes

Every error has a stable code and a message for people. The command prints `error [code]: message`, and a
node answers `{{"error": {{"code": ..., "message": ...}}}}`. The meaning of a code never changes.
"""
LOG_HEAD: Final = f"""{GENERATED}
# The log of a node

A line has the time in UTC, a level, the name of an event, its meaning, and values such as `error="..."`.
With `sayso node run --log json`, or `SAYSO_LOG=json`, each line is a JSON object with `time`, `level`,
`event`, `meaning`, `logger` and the values; a traceback is in `exception`. Names and meanings never
change. `left_out` is how many lines of this event were not written since its last one: repeats within a
minute, and more than 30 a minute. Lines name no people, no messages, and of URLs only the host.

| Event | Meaning |
|---|---|
"""
METRICS_HEAD: Final = f"""{GENERATED}
# The metrics of a node

`GET /metrics` answers in Prometheus' text format. Beside these there are the metrics of the process
(`process_resident_memory_bytes` and others), and the histogram
`{LATENCY}`, by `operation` and class of `status`. Labels have values
from lists of ours: no request makes a new series.

## Gauges

| Metric | Meaning |
|---|---|
"""
COUNTERS_HEAD: Final = """
## Counters

They begin with 0 at each start.

| Metric | Meaning |
|---|---|
"""
MESSAGES_HEAD: Final = """
## Signed messages

These codes are for programs that create, forward or read messages. *Gossip* is what a node does with a
message that it refuses for this reason: `reject` lowers the score of the peer that forwarded the
message, `ignore` does not (docs/protocol.md, section 7).

| Code | Meaning | Gossip |
|---|---|---|
"""
# For each package: the heading of its errors that are not about messages, and their readers.
PACKAGES: Final = {
    "sayso_protocol": (
        "Proofs and files",
        "These codes are for programs that verify signed files or chain proofs.",
    ),
    "sayso_node": ("Nodes", "These codes are for callers of the HTTP API and for operators."),
    "sayso_contracts": (
        "The registry",
        "These codes are for programs that read the contract or send transactions to it.",
    ),
    "sayso": (
        "The command and the library",
        "These codes are for contributors and buyers on their own machine.",
    ),
}


def cli_page() -> str:
    """Return cli.md: the help of every command, under the headings of `sayso --help`."""
    parts = [CLI_HEAD, _block(cli, "sayso", None)]
    root = _context(cli, "sayso", None)
    for heading, entries in SECTIONS.items():
        parts.append(f"\n## {heading}\n")
        for name in entries:
            command = cli.get_command(root, name)
            if command is not None:
                parts += _pages(command, name, root)
    return "".join(parts)


def _pages(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    yield _block(command, name, parent)
    if isinstance(command, click.Group):
        context = _context(command, name, parent)
        for sub in command.list_commands(context):
            child = command.get_command(context, sub)
            if child is not None:
                yield from _pages(child, sub, context)


def _block(command: click.Command, name: str, parent: click.Context | None) -> str:
    context = _context(command, name, parent)
    text = command.get_help(context)
    return f"\n### {context.command_path}\n\n```text\n{text.rstrip()}\n```\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    """Return a context with the settings of `sayso` and a fixed width."""
    return click.Context(
        command, parent=parent, info_name=name, terminal_width=WIDTH, **cli.context_settings
    )


def errors_page() -> str:
    """Return errors.md: every code of the four packages, grouped by readers and sorted by name."""
    sections = [
        MESSAGES_HEAD,
        *sorted({_message_row(one) for one in _errors("sayso_protocol") if _is_message(one)}),
    ]
    for package, (title, readers) in PACKAGES.items():
        rows = {_row(one) for one in _errors(package) if not _is_message(one)}
        sections += [f"\n## {title}\n\n{readers}\n\n| Code | Meaning |\n|---|---|\n", *sorted(rows)]
    return ERRORS_HEAD + "".join(sections)


def _errors(package: str) -> Iterator[type[SaysoError]]:
    """Yield the errors that a package defines in its modules named `errors`."""
    path = import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        if module.name.endswith(".errors"):
            for error in vars(import_module(module.name)).values():
                if _is_code(error) and error.__module__ == module.name:
                    yield error


def _is_code(value: object) -> TypeGuard[type[SaysoError]]:
    is_error = isinstance(value, type) and issubclass(value, SaysoError)
    return is_error and value not in {SaysoError, MessageError}


def _is_message(error: type[SaysoError]) -> TypeGuard[type[MessageError]]:
    return issubclass(error, MessageError)


def _message_row(error: type[MessageError]) -> str:
    return f"| `{error.code}` | {_meaning(error)} | {error.gossip.value} |\n"


def _row(error: type[SaysoError]) -> str:
    return f"| `{error.code}` | {_meaning(error)} |\n"


def _meaning(error: type[SaysoError]) -> str:
    return " ".join((error.__doc__ or "").split()).replace("|", "\\|")


def log_page() -> str:
    """Return log.md: every event of a node's log."""
    return LOG_HEAD + "".join(f"| `{name}` | {meaning} |\n" for name, meaning in LOG_EVENTS.items())


def metrics_page() -> str:
    """Return metrics.md: every metric of a node."""
    gauges = "".join(f"| `{PREFIX}{name}` | {meaning} |\n" for name, meaning in GAUGES.items())
    counters = names() | {f"network_{name}": meaning for name, meaning in COUNTERS.items()}
    rows = "".join(f"| `{PREFIX}{name}_total` | {meaning} |\n" for name, meaning in counters.items())
    return METRICS_HEAD + gauges + COUNTERS_HEAD + rows


def pages() -> dict[str, str]:
    """Return the pages by file name."""
    return {
        "cli.md": cli_page(),
        "errors.md": errors_page(),
        "log.md": log_page(),
        "metrics.md": metrics_page(),
    }


@click.command()
@click.option("--check", is_flag=True, help="Write nothing, and fail if a page is out of date.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/reference"),
    show_default=True,
)
def main(folder: Path, *, check: bool) -> None:
    """Write the reference pages."""
    for name, text in pages().items():
        path = folder / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise click.ClickException(f"{path} is out of date: python -m sayso.reference")


if __name__ == "__main__":
    main()
