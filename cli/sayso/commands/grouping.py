"""Groups of options, which a command receives as one value."""

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any

Command = Callable[..., None]


def taken(options: dict[str, Any], group: Any) -> dict[str, Any]:
    """Remove the options that are fields of a group, and return them."""
    return {one.name: options.pop(one.name) for one in fields(group) if one.name in options}


def gathering(
    command: Command, name: str, gather: Callable[[dict[str, Any]], Any], added: tuple[Any, ...]
) -> Command:
    """Add options to a command, which receives what `gather` makes of them under one name."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        value = gather(options)
        command(*arguments, **{name: value}, **options)

    wrapped.__dict__["__click_params__"] = list(getattr(command, "__click_params__", []))
    for option in reversed(added):
        option(wrapped)
    return wrapped
