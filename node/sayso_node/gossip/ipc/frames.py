"""The wire between a node and its gossip child: a length, then one msgpack array.

Both ends speak it the same way: a call carries a number, its answer carries that number back. Call 0
is a notice, nobody answers it. A peer may have taken the child over, so the parent checks sizes and
types of everything it reads; what does not parse ends the connection.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgpack

from sayso_protocol.errors import Malformed, TooLarge

LENGTH_BYTES: Final = 4  # big-endian, counts the bytes after it
MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024  # one answer of a peer (10 MiB) and its envelope
NOTICE: Final = 0  # the call number that wants no answer

_CALL: Final = 0
_RESULT: Final = 1
_ERROR: Final = 2


@dataclass(frozen=True, slots=True)
class Call:
    """Call asks the other side to do something; `number` NOTICE asks for no answer."""

    number: int
    method: str
    arguments: list[object]


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer carries a result back, or the stable code and text of an error."""

    number: int
    result: object
    code: str | None = None


def encode_call(number: int, method: str, *arguments: object) -> bytes:
    """One framed call; raises TooLarge."""
    return _frame([_CALL, number, method, *arguments])


def encode_result(number: int, result: object) -> bytes:
    """One framed answer; raises TooLarge."""
    return _frame([_RESULT, number, result])


def encode_error(number: int, code: str, text: str) -> bytes:
    """One framed refusal."""
    return _frame([_ERROR, number, code, text])


def _frame(message: list[object]) -> bytes:
    body: bytes = msgpack.packb(message, use_bin_type=True)
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"a message of {len(body)} bytes does not fit between node and child")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def body_length(prefix: bytes) -> int:
    """Bytes that follow this length prefix; raises TooLarge before anything is read."""
    length = int.from_bytes(prefix, "big")
    if length > MAX_MESSAGE_BYTES:
        raise TooLarge(f"a message of {length} bytes was announced between node and child")
    return length


def decode(body: bytes) -> Call | Answer:
    """The call or answer in one message body; raises Malformed."""
    try:
        message = msgpack.unpackb(body, raw=False, use_list=True)
    except (ValueError, msgpack.UnpackException) as error:
        raise Malformed("not msgpack between node and child") from error
    match message:
        case [kind, int(number), str(method), *arguments] if kind == _CALL:
            return Call(number, method, arguments)
        case [kind, int(number), result] if kind == _RESULT:
            return Answer(number, result)
        case [kind, int(number), str(code), str(text)] if kind == _ERROR:
            return Answer(number, text, code)
    raise Malformed("neither a call nor an answer between node and child")


class Splitter:
    """Splitter cuts a byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Call | Answer]:
        """The messages that are complete now; raises Malformed and TooLarge."""
        self._buffer += data
        while len(self._buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + body_length(bytes(self._buffer[:LENGTH_BYTES]))
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[LENGTH_BYTES:end])
            del self._buffer[:end]
            yield decode(body)
