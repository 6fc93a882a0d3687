"""PySpark: `clear(gate, frame)`; each task opens the gate once for its partition."""

from collections.abc import Iterator
from typing import Any

from sayso.extras import extra
from sayso.gate.gate import Gate

with extra("pyspark"):
    import pyspark.sql  # noqa: F401 - fail now if it is missing


def clear(gate: Gate, frame: Any) -> Any:
    """Return the clear rows of a DataFrame; they are judged when an action needs them.

    Spark may compute a partition again, with other verdicts. Write the result once before training.
    """

    def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
        with gate:
            for batch in batches:
                yield gate.filter(batch)

    return frame.mapInArrow(of_partition, frame.schema)
