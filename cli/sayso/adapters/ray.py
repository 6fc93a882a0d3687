"""Ray Data: `clear(gate, dataset)`; each worker opens the gate once."""

from typing import Any, Final

from sayso.extras import extra
from sayso.gate.gate import Gate

with extra("ray"):
    import ray.data  # noqa: F401 - fail now if it is missing

RAY_BATCH_ROWS: Final = 1 << 18


def clear(gate: Gate, dataset: Any, concurrency: int = 1) -> Any:
    """Return the clear rows of a ray.data.Dataset; they are judged when the data set is read.

    Args:
        gate: The gate, which is sent to the workers.
        dataset: The data set, with columns of license and item hashes.
        concurrency: The number of workers.
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
