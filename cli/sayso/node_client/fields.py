"""Typed access to a node's JSON: a field that is missing or of a wrong type is BadAnswer."""

from collections.abc import Iterator
from typing import Any

from sayso.errors import BadAnswer
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text, hash_from_text


class Fields:
    """Fields is an untrusted JSON object."""

    def __init__(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise BadAnswer("the node's answer is not a JSON object where there should be one")
        self._value: dict[str, Any] = value

    @property
    def value(self) -> dict[str, Any]:
        """The object itself, for a reader that checks every field of it."""
        return self._value

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._value)

    def get(self, name: str, *kinds: type) -> Any:
        """A field of exactly one of these types."""
        value = self._value.get(name)
        if type(value) not in kinds:
            raise BadAnswer(f"the node's answer lacks a proper {name!r}")
        return value

    def text(self, name: str) -> str:
        """A text."""
        text: str = self.get(name, str)
        return text

    def count(self, name: str) -> int:
        """A whole number from 0 to 2**64 - 1."""
        number: int = self.get(name, int)
        if not 0 <= number < 1 << 64:
            raise BadAnswer(f"the node's answer has a {name!r} out of range")
        return number

    def values(self, name: str, kind: type) -> list[Any]:
        """A list of values of one type."""
        found: list[Any] = self.get(name, list)
        if any(type(one) is not kind for one in found):
            raise BadAnswer(f"the node's answer lacks a proper {name!r}")
        return found

    def fields(self, name: str) -> "Fields":
        """An object."""
        return Fields(self.get(name, dict))

    def hash(self, name: str) -> bytes:
        """A hash, 32 bytes."""
        return as_hash(self.text(name))

    def hashes(self, name: str) -> tuple[bytes, ...]:
        """A list of hashes."""
        return tuple(as_hash(one) for one in self.values(name, str))

    def key(self, name: str) -> bytes:
        """A node's key, 32 bytes, written without 0x."""
        return as_hash("0x" + self.text(name))

    def address(self, name: str) -> bytes:
        """An address, 20 bytes."""
        try:
            return address_from_text(self.text(name))
        except SaysoError as error:
            raise BadAnswer(f"the node's answer: {error}") from error


def as_hash(text: str) -> bytes:
    """A hash, 32 bytes; raises BadAnswer."""
    try:
        return hash_from_text(text)
    except SaysoError as error:
        raise BadAnswer(f"the node's answer: {error}") from error
