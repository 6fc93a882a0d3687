"""Columns of decoded values, which loops that run in C turn into objects."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
Column = tuple[Any, ...]


def filled(kind: type[T], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[T]:
    """Build frozen dataclasses from checked rows; the generated constructor is slower."""
    instances = []
    for row in rows:
        instance = object.__new__(kind)
        instance.__dict__.update(zip(names, row))  # noqa: B905 - rows of a table are of one length
        instances.append(instance)
    return instances
