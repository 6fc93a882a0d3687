"""The option `--policy`: the options of a check that are not named, and their bounds."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sayso.commands.failure import as_failures
from sayso.commands.options import path_option
from sayso.gate.policy import POLICY_FILE, Policy, check_within, load_policy


def _read(context: click.Context, _option: click.Parameter, path: Path | None) -> Policy | None:
    """Read the policy before the other options, whose defaults it gives."""
    if path is None:
        if not POLICY_FILE.exists():
            return None
        path = POLICY_FILE
    with as_failures():
        policy = load_policy(path)
    context.default_map = {**(context.default_map or {}), **policy.options()}
    return policy


def policy_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --policy to a command that checks, which is refused if it asks for less."""

    @wraps(command)
    def within(*, policy: Policy | None, **options: Any) -> Any:
        if policy is not None:
            context = click.get_current_context()
            kinds = {one.name: one for one in context.command.params}
            given = policy.options()
            bound = {name: kinds[name].process_value(context, value) for name, value in given.items()}
            check_within(policy, options, bound)
        return command(**options)

    return path_option(
        "--policy",
        "FILE",
        "The policy, which gives options and bounds.  [default: sayso.toml, if it is there]",
        is_eager=True,
        callback=_read,
        envvar="SAYSO_POLICY",
        show_envvar=True,
    )(within)
