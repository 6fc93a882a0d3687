"""What a stranger's byte costs at each door, at worst: memory and processor time.

Each door reads the hostile inputs of `make fuzz`. Beside its worst stand the general decoders of Python
on those same bytes: what a program takes that parses first and looks afterwards.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import msgpack

from bench.figure import Figure
from fuzz.budget import Spent, spent
from fuzz.hostile import inputs
from fuzz.target import Target
from fuzz.targets import TARGETS

BYTES = 16_384  # of a hostile value
PLACES = 3  # of an example in which each value stands
LIMIT = "its own bytes once: a copy"
PEERS = {"json.loads": json.loads, "msgpack.unpackb": msgpack.unpackb}


def figures() -> Iterator[Figure]:
    """attack.amplification.*"""
    totals = []
    for door, target in TARGETS.items():
        tried = {data: spent(target, data) for data in _long(target)}
        heaviest = max(tried, key=lambda data: _memory(tried[data]))
        slowest = max(tried, key=lambda data: _time(tried[data]))
        name = re.sub("[^a-z0-9]+", "_", door.lower()).strip("_")
        memory, cpu = _memory(tried[heaviest]), _time(tried[slowest])
        totals.append((memory, cpu))
        beside = {peer: _memory(_alone(read, heaviest)) for peer, read in PEERS.items()}
        yield Figure(f"attack.amplification.memory.{name}", memory, "B/B", "lower", beside, LIMIT)
        beside = {peer: _time(_alone(read, slowest)) for peer, read in PEERS.items()}
        yield Figure(f"attack.amplification.cpu.{name}", cpu, "ns/B", "lower", beside)
    worst = max(memory for memory, _ in totals), max(cpu for _, cpu in totals)
    yield Figure("attack.amplification.memory", worst[0], "B/B", "lower")
    yield Figure("attack.amplification.cpu", worst[1], "ns/B", "lower")


def _long(target: Target) -> Iterator[bytes]:
    """Inputs so long that what is reserved once, whatever comes, does not count."""
    for _, data in inputs(target.seeds, BYTES, PLACES):
        if len(data) >= BYTES // 2:
            yield data


def _memory(one: Spent) -> float:
    return one.peak / max(1, one.size)


def _time(one: Spent) -> float:
    return one.cpu_ns / max(1, one.size)


def _alone(read: Callable[[bytes], object], data: bytes) -> Spent:
    """A general decoder on the same bytes, whatever it says of them."""

    def decoded(given: bytes) -> None:
        with suppress(ValueError, RecursionError, msgpack.UnpackException):
            read(given)

    return spent(Target(decoded, (data,)), data)
