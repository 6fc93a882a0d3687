"""A node's answer as a typed value (`sayso_node.api.schema`); whatever is not one is BadAnswer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sayso.errors import BadAnswer
from sayso_protocol.encoding.json_values import typed
from sayso_protocol.errors import InvalidAddress, Malformed

T = TypeVar("T")


def answer_of(value: Any, kind: type[T]) -> T:
    """What a node answered, as a value of this type; raises BadAnswer."""
    with bad_answers():
        return typed(value, kind)


@contextmanager
def bad_answers() -> Iterator[None]:
    """Whatever in the block is not in its form makes a BadAnswer."""
    try:
        yield
    except (Malformed, InvalidAddress) as error:
        raise BadAnswer(f"the node's answer: {error}") from error
