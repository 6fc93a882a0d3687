"""A short run of what `make fuzz` does at length: examples taken apart, and random bytes."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.target import Target, attempt
from fuzz.targets import TARGETS
from support.tries import tries

MUTATIONS = 400
BOUNDARIES = (b"\x00", b"\x7f", b"\x80", b"\xc0", b"\xdc\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xff" * 8)


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A seed with a few bytes changed, cut out, doubled, or replaced by what ends ranges."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0 if data:
                data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)
            case 1:
                del data[at : min(end, at + 40)]
            case 2:
                data[at:at] = data[at : min(end, at + 40)]
            case 3:
                data[at : at + 1] = chance.choice(BOUNDARIES)
            case _:
                data[at : at + 1] = bytes([chance.randrange(256)])
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_valid_example_is_read(target: Target) -> None:
    """Or the target would refuse everything at its door and find nothing."""
    accepted = [attempt(target, seed) for seed in target.seeds]
    assert any(accepted) is target.is_read


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_mutated_examples(target: Target) -> None:
    chance = random.Random(7)
    for number in range(MUTATIONS):
        attempt(target, mutated(target.seeds[number % len(target.seeds)], chance))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_random_bytes(target: Target) -> None:
    @settings(max_examples=tries(100), deadline=None)
    @given(st.binary(max_size=300))
    def check(data: bytes) -> None:
        attempt(target, data)

    check()
