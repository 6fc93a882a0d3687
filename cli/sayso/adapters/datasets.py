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
        return _stream(gate, dataset)
    names = list(find_columns(dataset.column_names, gate.columns))
    hashes = dataset.select_columns(names).with_format("arrow")
    masks = [gate.batch(table).clear for table in hashes.iter(DATASETS_BATCH_ROWS)]
    return dataset.select(np.flatnonzero(np.concatenate([np.zeros(0, bool), *masks])))


def _stream(gate: Gate, dataset: Any) -> Any:
    """Filter a stream as Arrow, so that media is decoded for the caller only, not to judge its rows."""
    formatting = dataset._formatting  # noqa: SLF001 - a stream has no other way to say it
    batched = {"batched": True, "batch_size": DATASETS_BATCH_ROWS}
    kept = dataset.with_format("arrow").filter(_Mask(gate), **batched)
    return kept.with_format(formatting.format_type if formatting else None)


class _Mask:
    """_Mask states for each row of a batch whether it is clear."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __call__(self, batch: pa.Table) -> list[bool]:
        names = find_columns(batch.column_names, self._gate.columns)
        mask: list[bool] = self._gate.batch(batch.select(list(names))).clear.tolist()
        return mask
