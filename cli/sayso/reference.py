"""Writes docs/reference/cli.md and docs/reference/errors.md from the program itself.

    python -m sayso.reference            write them
    python -m sayso.reference --check    fail if they are not what would be written

What is documented is what runs: neither file is ever edited by hand.
"""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final, TypeGuard

import click

from sayso.main import SECTIONS, cli
from sayso_protocol.errors import MessageError, SaysoError

WIDTH: Final = 100
BY_HAND: Final = "<!-- Written by `python -m sayso.reference`; do not edit. -->"

CLI_HEAD: Final = f"""{BY_HAND}
# The `sayso` command

Exit status: 0 done; 1 an error, with one line `error [code]: ...` on standard error (the codes are in
[errors.md](errors.md)); 2 a usage error; `sayso check` ends with 3 when some rows are not clear.
"""

ERRORS_HEAD: Final = f"""{BY_HAND}
# Error codes

Every refusal has one stable code and a sentence for people. The command shows `error [code]: sentence`,
a node answers `{{"error": {{"code": ..., "message": ...}}}}`. A code never changes its meaning.
"""
MESSAGES_HEAD: Final = """
## Signed messages

For everybody who makes, forwards or reads messages. *Gossip* is what a node does with a message that it
refuses for this reason: `reject` costs the peer that forwarded it, `ignore` does not (docs/protocol.md,
section 7).

| Code | Meaning | Gossip |
|---|---|---|
"""
# Which errors a package has beyond those of messages, and who meets them.
PACKAGES: Final = {
    "sayso_protocol": (
        "Proofs and files",
        "For everybody who verifies signed files or chain proofs.",
    ),
    "sayso_node": ("Nodes", "For callers of the HTTP API, and for operators."),
    "sayso_contracts": ("The registry", "For everybody who sends a transaction to the contract."),
    "sayso": ("The command and the library", "For contributors and buyers on their own machine."),
}


def cli_page() -> str:
    """Every command's help, under the headings of `sayso --help`."""
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
    """The settings of the command itself, at a width that no terminal changes."""
    return click.Context(
        command, parent=parent, info_name=name, terminal_width=WIDTH, **cli.context_settings
    )


def errors_page() -> str:
    """Every code of the four packages, by who meets it, each list in the order of the alphabet."""
    sections = [
        MESSAGES_HEAD,
        *sorted({_message_row(one) for one in _errors("sayso_protocol") if _is_message(one)}),
    ]
    for package, (title, readers) in PACKAGES.items():
        rows = {_row(one) for one in _errors(package) if not _is_message(one)}
        sections += [f"\n## {title}\n\n{readers}\n\n| Code | Meaning |\n|---|---|\n", *sorted(rows)]
    return ERRORS_HEAD + "".join(sections)


def _errors(package: str) -> Iterator[type[SaysoError]]:
    """The errors that a package defines, in its modules called `errors`."""
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


def pages() -> dict[str, str]:
    """File name -> text."""
    return {"cli.md": cli_page(), "errors.md": errors_page()}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if a page is out of date.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/reference"),
    show_default=True,
)
def main(folder: Path, *, check: bool) -> None:
    """Write the reference pages from the program."""
    for name, text in pages().items():
        path = folder / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise click.ClickException(f"{path} is out of date: python -m sayso.reference")


if __name__ == "__main__":
    main()
