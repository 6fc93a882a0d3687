"""Init code that asks a contract wallet many questions in one eth_call.

It creates a WalletProbe for each question, one after the other, and returns their answers, a word each,
as a probe returns its own. One that runs out of gas or reverts leaves a zero word, which is no answer.
"""

from collections.abc import Sequence
from typing import Final

WORD: Final = 32
LONGEST_BYTES: Final = 40_000  # of init code; EIP-3860 allows 49,152
MOST_QUESTIONS: Final = 16

_PUSH1, _PUSH3 = 0x60, 0x62
_CODECOPY, _EXTCODECOPY, _CREATE, _RETURN = 0x39, 0x3C, 0xF0, 0xF3
_COPY_BYTES: Final = 13  # of the code that copies code to memory
_QUESTION_BYTES: Final = _COPY_BYTES + 20
_END_BYTES: Final = 7


def batched(probe: bytes, questions: Sequence[bytes]) -> bytes:
    """Return init code that returns the answers of `probe` to each of these encoded arguments."""
    results = WORD * len(questions)
    begin = _COPY_BYTES + _QUESTION_BYTES * len(questions) + _END_BYTES
    code, place = _copy(results, begin, len(probe)), begin + len(probe)
    for number, arguments in enumerate(questions):
        code += _ask(results, len(probe), number, place, len(arguments))
        place += len(arguments)
    code += _push3(results) + bytes([_PUSH1, 0, _RETURN])
    return code + probe + b"".join(questions)


def _ask(memory: int, probe: int, number: int, place: int, size: int) -> bytes:
    """Return the code that creates a probe with arguments and copies its answer to its word."""
    return (
        _copy(memory + probe, place, size)
        + bytes([_PUSH1, WORD, _PUSH1, 0])
        + _push3(WORD * number)
        + _push3(probe + size)
        + _push3(memory)
        + bytes([_PUSH1, 0, _CREATE, _EXTCODECOPY])
    )


def _copy(to: int, place: int, size: int) -> bytes:
    return _push3(size) + _push3(place) + _push3(to) + bytes([_CODECOPY])


def _push3(value: int) -> bytes:
    return bytes([_PUSH3]) + value.to_bytes(3)
