"""The message format between node and gossip process: a length, then a msgpack array.

A call has a number, and its answer has the same number. Call 0 is a notice and has no answer. A peer may
have taken over the child, so the parent checks the sizes and types of everything that it reads; invalid
data ends the connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgpack

from sayso_protocol.errors import Malformed, TooLarge

LENGTH_BYTES: Final = 4  # big-endian, number of the bytes that follow
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024  # the largest answer of a peer (10 MiB) with its array
NOTICE: Final = 0  # call number of a notice

_CALL: Final = 0
_RESULT: Final = 1
_ERROR: Final = 2


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
    body: bytes = msgpack.packb(message, use_bin_type=True)
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
    try:
        message = msgpack.unpackb(body, raw=False, use_list=True)
    except (ValueError, msgpack.UnpackException) as error:
        raise Malformed("the message between node and gossip process is not msgpack") from error
    match message:
        case [kind, int(number), str(method), *arguments] if kind == _CALL:
            return Call(number, method, arguments)
        case [kind, int(number), result] if kind == _RESULT:
            return Answer(number, result)
        case [kind, int(number), str(code), str(text)] if kind == _ERROR:
            return Answer(number, text, code)
    raise Malformed("the message between node and gossip process is neither a call nor an answer")


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
