"""Questions to the person at the terminal; a program without one is told what to write instead."""

import os
import sys

import click

from sayso.errors import NoTerminal


def confirm(question: str) -> None:
    """Ask a yes-or-no question, and abort without a yes; raises NoTerminal if nobody can answer."""
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise  # Ctrl-C
        click.echo(err=True)
        raise NoTerminal(
            "this needs a yes, and there is no terminal to ask; if you agree, add --yes"
        ) from None
    if not agreed:
        raise click.Abort


def ask_password(prompt: str, *, twice: bool) -> str:
    """Ask for a password without showing it; raises NoTerminal if nobody can answer.

    Without a terminal it is one line of standard input. With `twice` a person has to repeat it.
    """
    if _has_terminal():
        typed: str = click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True)
        return typed
    if line := sys.stdin.readline().removesuffix("\n").removesuffix("\r"):
        return line
    raise NoTerminal(
        "there is no terminal to ask for the password; give it by SAYSO_PASSWORD or --password-file FILE"
    )


def _has_terminal() -> bool:
    """Return whether a prompt reaches a person: by the controlling terminal, or by standard input."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return sys.stdin.isatty()
    return True
