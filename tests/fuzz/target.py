"""What a door is to a fuzzer: a reader of bytes, and valid examples for it."""

from collections.abc import Callable
from typing import NamedTuple

from sayso_protocol.errors import SaysoError


class Target(NamedTuple):
    """A reader of bytes and examples for it; not `is_read` if only a chain makes one valid.

    `buffers` is what it takes once, however short the input is: pieces of a file, a decoder's window.
    """

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    is_read: bool = True
    buffers: int = 0


def attempt(target: Target, data: bytes) -> bool:
    """Read once; whether it was accepted. Raises whatever is not an error of ours."""
    try:
        target.read(data)
    except SaysoError:
        return False
    return True
