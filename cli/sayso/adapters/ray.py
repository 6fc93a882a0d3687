"""Ray Data: `clear(gate, dataset)`; each worker opens the gate once, and nothing passes without it."""

from typing import Any, Final

from sayso.extras import extra
from sayso.gate.gate import Gate

with extra("ray"):
    import ray.data  # noqa: F401 - said at once when it is missing

RAY_BATCH_ROWS: Final = 1 << 18


def clear(gate: Gate, dataset: Any, concurrency: int = 1) -> Any:
    """The clear rows of a ray.data.Dataset, when they are asked for.

    Args:
        gate: Is sent to the workers.
        dataset: Has the hashes in columns.
        concurrency: How many workers ask.
    """
    return dataset.map_batches(
        _Clear,
        fn_constructor_args=(gate,),
        batch_format="pyarrow",
        batch_size=RAY_BATCH_ROWS,
        concurrency=concurrency,
    )


class _Clear:
    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self, batch: Any) -> Any:
        return self._gate.filter(batch)
