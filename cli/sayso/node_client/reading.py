"""Conversion of a node's answers to the types of `sayso_node.api.schema`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sayso.errors import BadAnswer
from sayso_protocol.errors import InvalidAddress, Malformed
from sayso_protocol.receipts.json_values import typed

T = TypeVar("T")


def answer_of(value: Any, kind: type[T]) -> T:
    """Convert a node's answer to a type; raises BadAnswer."""
    with bad_answers():
        return typed(value, kind)


@contextmanager
def bad_answers() -> Iterator[None]:
    """Turn Malformed and InvalidAddress inside the block into BadAnswer."""
    try:
        yield
    except (Malformed, InvalidAddress) as error:
        raise BadAnswer(f"the node's answer: {error}") from error
