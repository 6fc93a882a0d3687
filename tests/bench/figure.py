"""A figure and how it is taken: the median over interleaved repeats, so that noise hits all alike."""

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

REPEATS = 5


@dataclass(frozen=True)
class Figure:
    """One line of bench.json.

    Attributes:
        name: Stable, dotted.
        value: The median.
        unit: Of the value.
        better: Which direction is.
        peer: What else was measured in the same run, by name, in the same unit.
        limit: A physical or documented limit, in words with its number; None without one.
    """

    name: str
    value: float
    unit: str
    better: Literal["higher", "lower"]
    peer: Mapping[str, float] = field(default_factory=dict)
    limit: str | None = None

    def line(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), sort_keys=False)


def rates(works: Mapping[str, Callable[[], int]]) -> dict[str, float]:
    """Units per second of CPU time of each work, which returns how many units it did."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            gc.collect()  # nobody pays for what another left behind
            begun = time.process_time()
            units = work()
            seen[name].append(units / (time.process_time() - begun))
    return {name: statistics.median(values) for name, values in seen.items()}
