"""Every place of a JSON value, and what could stand there instead: how readers of files are tested."""

from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of a JSON value that is not an object."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from leaves(one, (*path, name))
    else:
        yield path


def with_value(whole: Any, path: Path, value: Any) -> Any:
    """A copy with another value in one place."""
    if not path:
        return value
    return whole | {path[0]: with_value(whole[path[0]], path[1:], value)}


def without(whole: Any, path: Path) -> Any:
    """A copy without one place."""
    if len(path) == 1:
        return {name: value for name, value in whole.items() if name != path[0]}
    return whole | {path[0]: without(whole[path[0]], path[1:])}


def at(whole: Any, path: Path) -> Any:
    return at(whole[path[0]], path[1:]) if path else whole


def other_values(value: Any) -> list[Any]:
    """Values of the right type that say something else, and values of wrong types."""
    wrong: list[Any] = [None, True, [], {}, 1.0, float("nan"), "", " ", "0x", "\ud800", "\U0001f600", -1]
    if isinstance(value, list):
        return [*wrong, value[:-1], value[::-1], [*value, value[0]], [*value[:-1], 7], [None] * 65]
    if isinstance(value, int):
        return [*wrong, value + 1, str(value), 1 << 64, 10**400]
    digit = "0" if value[-1] != "0" else "1"
    return [*wrong, value[:-1] + digit, value + "0", value[:-1], 1, value.upper() + "A"]
