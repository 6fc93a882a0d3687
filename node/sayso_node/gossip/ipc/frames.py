"""The message format between node and gossip process: a length, then a msgpack array.

A call has a number, and its answer has the same number. Call 0 is a notice and has no answer. A peer may
have taken over the child, so the parent checks the sizes and types of everything that it reads; invalid
data ends the connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Raw

from sayso_protocol.errors import Malformed, TooLarge

LENGTH_BYTES: Final = 4  # big-endian, number of the bytes that follow
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024  # the largest answer of a peer (10 MiB) with its array
NOTICE: Final = 0  # call number of a notice
NESTING: Final = 3  # a result, a setting in a call, a list in it
HELD: Final = 1_024  # values in the lists and dictionaries of a message
ARGUMENTS: Final = 8

_CALL: Final = 0
_RESULT: Final = 1
_ERROR: Final = 2

_FIELDS: Final = msgspec.msgpack.Decoder(Annotated[list[Raw], Meta(max_length=3 + ARGUMENTS)])
_HOLDERS: Final = (
    (
        frozenset({*range(0x90, 0xA0), 0xDC, 0xDD}),
        msgspec.msgpack.Decoder(Annotated[list[Raw], Meta(max_length=HELD)]),
    ),
    (
        frozenset({*range(0x80, 0x90), 0xDE, 0xDF}),
        msgspec.msgpack.Decoder(Annotated[dict[str, Raw], Meta(max_length=HELD)]),
    ),
)


@dataclass(frozen=True, slots=True)
class Call:
    """Call asks the other side to do something; with the number NOTICE it expects no answer."""

    number: int
    method: str
    arguments: list[object]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer has the result of a call, or the code and text of an error."""

    number: int
    result: object
    code: str | None = None


def encode_call(number: int, method: str, *arguments: object) -> bytes:
    """Encode a call with its length; raises TooLarge."""
    return _frame([_CALL, number, method, *arguments])


def encode_result(number: int, result: object) -> bytes:
    """Encode a result with its length; raises TooLarge."""
    return _frame([_RESULT, number, result])


def encode_error(number: int, code: str, text: str) -> bytes:
    """Encode an error with its length."""
    return _frame([_ERROR, number, code, text])


def _frame(message: list[object]) -> bytes:
    body = msgspec.msgpack.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(
            f"a message of {len(body)} bytes exceeds the limit between node and gossip process"
        )
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(prefix: bytes) -> int:
    """Return the number of bytes after this length prefix; raises TooLarge before they are read."""
    length = int.from_bytes(prefix, "big")
    if length > MAX_MESSAGE_BYTES:
        raise TooLarge(f"a message of {length} bytes exceeds the limit between node and gossip process")
    return length


def decode(body: bytes) -> Call | Answer:
    """Decode a message body as call or answer; raises Malformed."""
    values = _Values()
    try:
        message = [values.read(one) for one in _FIELDS.decode(body)]
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed("the message between node and gossip process is not msgpack") from error
    match message:
        case [kind, int(number), str(method), *arguments] if kind == _CALL:
            return Call(number, method, arguments)
        case [kind, int(number), result] if kind == _RESULT:
            return Answer(number, result)
        case [kind, int(number), str(code), str(text)] if kind == _ERROR:
            return Answer(number, text, code)
    raise Malformed("the message between node and gossip process is neither a call nor an answer")


class _Values:
    """The values of one message; what holds others is first split into them, and never deep or many."""

    def __init__(self) -> None:
        self._left = HELD

    def read(self, raw: Raw, depth: int = 0) -> object:
        """Decode one value; raises ValueError or TypeError."""
        first = memoryview(raw)[0]
        holds = next((reader for firsts, reader in _HOLDERS if first in firsts), None)
        if holds is None:
            return _plain(raw)
        if depth == NESTING:
            raise ValueError(f"nested more than {NESTING} deep")
        found = holds.decode(raw)
        self._left -= len(found)
        if self._left < 0:
            raise ValueError(f"more than {HELD} values in lists and dictionaries")
        if isinstance(found, dict):
            return {name: self.read(one, depth + 1) for name, one in found.items()}
        return [self.read(one, depth + 1) for one in found]


def _plain(raw: Raw) -> object:
    value: object = msgspec.msgpack.decode(raw)
    if not isinstance(value, int | float | str | bytes | None):
        raise TypeError("an extension type")
    return value


class Splitter:
    """Splitter splits a byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Call | Answer]:
        """Yield the messages that are complete; raises Malformed and TooLarge."""
        self._buffer += data
        while len(self._buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + body_length(bytes(self._buffer[:LENGTH_BYTES]))
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield decode(body)
