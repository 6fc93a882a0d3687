"""What a door may take for an input: memory for each byte of it, and processor time to be looked at.

Memory is a rule: Python counts it exactly. Processor time depends on the machine, so more of it than
SLOW_NS is a finding that `make fuzz` reports, and no failure.
"""

import gc
import sys
import time
import tracemalloc
from typing import Final, NamedTuple

from fuzz.hostile import inputs
from fuzz.target import Target, attempt

# A list of empty lists, the worst that JSON can say, takes 27 bytes for each byte; keys take more.
MOST_BYTES: Final = 48
FREE_BYTES: Final = 262_144  # once, however short the input is: a piece, a table, a cache
LONG: Final = 32_768  # bytes of a hostile value in `make fuzz`
SLOW_NS: Final = 2_000  # for each byte


class Spent(NamedTuple):
    """What an input took: bytes at the peak, nanoseconds of processor time, how long it was.

    `free` are the bytes that count for nothing.
    """

    peak: int
    cpu_ns: int
    size: int
    free: int = FREE_BYTES

    @property
    def factor(self) -> float:
        """Bytes for each byte, beyond what is free."""
        return max(0, self.peak - self.free) / max(1, self.size)

    @property
    def ns_a_byte(self) -> float:
        """Nanoseconds for each byte, beyond a millisecond."""
        return max(0, self.cpu_ns - 1_000_000) / max(1, self.size)


def judged(target: Target, size: int) -> tuple[dict[str, Spent], dict[str, Spent]]:
    """Try all hostile inputs; return those that take too much memory, and those that take long."""
    tried = {name: spent(target, data) for name, data in inputs(target.seeds, size)}
    large = {name: one for name, one in tried.items() if one.factor > MOST_BYTES}
    slow = {name: one for name, one in tried.items() if one.ns_a_byte > SLOW_NS}
    return large, slow


def main() -> None:
    """Try every door with long inputs; memory beyond the budget ends it, slowness is reported."""
    from fuzz.targets import TARGETS

    failed = False
    for name, target in TARGETS.items():
        large, slow = judged(target, LONG)
        for what, one in large.items():
            sys.stdout.write(f"{name}: {what}: {one.factor:.0f} bytes of memory for each byte\n")
        for what, one in slow.items():
            sys.stdout.write(f"{name}: {what}: slow, {one.ns_a_byte:,.0f} ns for each byte\n")
        sys.stdout.flush()
        failed = failed or bool(large)
    sys.stdout.write(f"{len(TARGETS)} doors tried with hostile inputs of {LONG:,} bytes\n")
    sys.exit(failed)


def spent(target: Target, data: bytes) -> Spent:
    """Read an input twice: for its time, and for its memory."""
    begun = time.process_time_ns()
    attempt(target, data)
    cpu = time.process_time_ns() - begun
    gc.freeze()  # the collector would walk through everything that was imported, each time
    tracemalloc.start()
    try:
        attempt(target, data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        gc.unfreeze()
    return Spent(peak, cpu, len(data), FREE_BYTES + target.buffers)


if __name__ == "__main__":
    main()
