"""Columns of decoded values, checked and built by loops that run in C."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, TypeVar

from sayso_protocol.errors import Malformed

T = TypeVar("T")
Column = tuple[Any, ...]


def columns_of(rows: Sequence[Any], kinds: Sequence[type | None]) -> list[Column]:
    """Turn rows into columns, and check the type of each (None for any type); raises Malformed."""
    if not {tuple}.issuperset(map(type, rows)) or {len(kinds)} != set(map(len, rows)):
        raise Malformed(f"expected an array of {len(kinds)} fields")
    columns = list(zip(*rows, strict=True))
    for position, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        if kind and not {kind}.issuperset(map(type, column)):
            raise Malformed(f"field {position} must be {kind.__name__}")
    return columns


def check_all_of(arrays: Iterable[Column], kind: type) -> None:
    """Check that all arrays hold values of one type; raises Malformed."""
    if not {kind}.issuperset(map(type, chain.from_iterable(arrays))):
        raise Malformed(f"expected an array of {kind.__name__}")


def filled(kind: type[T], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[T]:
    """Build frozen dataclasses from checked rows; the generated constructor is slower."""
    instances = []
    for row in rows:
        instance = object.__new__(kind)
        instance.__dict__.update(zip(names, row))  # noqa: B905 - rows of a table are of one length
        instances.append(instance)
    return instances
