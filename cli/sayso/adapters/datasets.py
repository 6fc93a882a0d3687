"""Hugging Face datasets: `clear(gate, dataset)` for datasets, splits and streams."""

from typing import Any, Final

import numpy as np

from sayso.extras import extra
from sayso.gate.gate import Gate
from sayso.gate.names import find_columns

with extra("datasets"):
    import datasets
    import pyarrow as pa

DATASETS_BATCH_ROWS: Final = 1 << 16


def clear(gate: Gate, dataset: Any) -> Any:
    """Return the clear rows, in order; raises the errors of Gate.batch (a stream: when it is read)."""
    if isinstance(dataset, datasets.DatasetDict | datasets.IterableDatasetDict):
        return type(dataset)({name: clear(gate, one) for name, one in dataset.items()})
    if isinstance(dataset, datasets.IterableDataset):
        return dataset.filter(_Mask(gate), batched=True, batch_size=DATASETS_BATCH_ROWS)
    names = list(find_columns(dataset.column_names, gate.columns.license, gate.columns.item))
    hashes = dataset.select_columns(names).with_format("arrow")
    masks = [gate.batch(table).clear for table in hashes.iter(DATASETS_BATCH_ROWS)]
    return dataset.select(np.flatnonzero(np.concatenate([np.zeros(0, bool), *masks])))


class _Mask:
    """_Mask states for each row of a batch whether it is clear."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self, batch: dict[str, list[Any]]) -> list[bool]:
        columns = self._gate.columns
        names = find_columns(list(batch), columns.license, columns.item)
        table = pa.table({name: batch[name] for name in names})
        mask: list[bool] = self._gate.batch(table).clear.tolist()
        return mask
