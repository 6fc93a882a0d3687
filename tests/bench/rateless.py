"""Rateless IBLT (Yang, Gilad, Alizadeh, SIGCOMM 2024) over 64-bit short ids, to compare sync with.

A symbol has the XOR of ids, the XOR of their checksums, and a count: 8 + 4 + 1 bytes on a wire.
"""

import numpy as np
import numpy.typing as npt

SYMBOL_BYTES = 13
_MULTIPLIER = np.uint64(0xDA942042E4DD58B5)
_MIX = np.uint64(0x9E3779B97F4A7C15)
Ids = npt.NDArray[np.uint64]
Symbols = tuple[Ids, Ids, npt.NDArray[np.int64]]


def checksums(ids: Ids) -> Ids:
    """32 bits of each id, mixed."""
    mixed = (ids ^ (ids >> np.uint64(29))) * _MIX
    return (mixed ^ (mixed >> np.uint64(32))) & np.uint64(0xFFFFFFFF)


def encode(ids: Ids, count: int) -> Symbols:
    """The first `count` symbols of a set."""
    sums, checks = np.zeros(count, np.uint64), np.zeros(count, np.uint64)
    sizes = np.zeros(count, np.int64)
    at, state, own = np.zeros(len(ids)), ids.copy(), checksums(ids)
    while len(ids):
        places = at.astype(np.int64)
        np.bitwise_xor.at(sums, places, ids)
        np.bitwise_xor.at(checks, places, own)
        np.add.at(sizes, places, 1)
        state, at = _next(state, at)
        alive = at < count
        ids, own, state, at = ids[alive], own[alive], state[alive], at[alive]
    return sums, checks, sizes


def _next(state: Ids, at: npt.NDArray[np.float64]) -> tuple[Ids, npt.NDArray[np.float64]]:
    with np.errstate(over="ignore"):
        state = state * _MULTIPLIER
    return state, at + np.ceil((at + 1.5) * ((1 << 32) / np.sqrt(state.astype(float) + 1) - 1))


def decode(ours: Symbols, theirs: Symbols) -> tuple[set[int], set[int]] | None:
    """What only we have and what only they have; None if there are too few symbols."""
    sums, checks, sizes = ours[0] ^ theirs[0], ours[1] ^ theirs[1], ours[2] - theirs[2]
    found: tuple[set[int], set[int]] = set(), set()
    pure = list(range(len(sums)))
    while pure:
        place = pure.pop()
        if abs(int(sizes[place])) != 1 or checksums(sums[place : place + 1])[0] != checks[place]:
            continue
        one, sign = sums[place : place + 1].copy(), int(sizes[place])
        found[sign < 0].add(int(one[0]))
        own, at, state = checksums(one)[0], np.zeros(1), one.copy()
        while at[0] < len(sums):
            index = int(at[0])
            sums[index] ^= one[0]
            checks[index] ^= own
            sizes[index] -= sign
            pure.append(index)
            state, at = _next(state, at)
    return None if sizes.any() or sums.any() else found


def symbols_needed(ours: Ids, theirs: Ids) -> int:
    """With how many symbols, in steps of an eighth, the difference comes out."""
    count = 8
    while decode(encode(ours, count), encode(theirs, count)) is None:
        count += max(1, count // 8)
    return count
