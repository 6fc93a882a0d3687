"""PySpark: `clear(gate, frame)`; each task opens the gate once for its partition."""

from collections.abc import Iterator
from typing import Any

from sayso.extras import extra
from sayso.gate.gate import Gate

with extra("pyspark"):
    import pyspark.sql  # noqa: F401 - said at once when it is missing


def clear(gate: Gate, frame: Any) -> Any:
    """The clear rows of a DataFrame, when an action asks for them.

    Spark may compute a partition again: what is to be trained on is written once, after this.
    """

    def of_partition(batches: Iterator[Any]) -> Iterator[Any]:
        with gate:
            for batch in batches:
                yield gate.filter(batch)

    return frame.mapInArrow(of_partition, frame.schema)
