"""PyTorch: datasets that return only clear samples, and skip the others or raise.

clear = GatedDataset(dataset, gate, keys, refused="skip")
clear = GatedStream(stream, gate, lambda one: (one["license"], one["item"]), refused="raise")
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, Final, Literal

import numpy as np

from sayso.errors import BadManifest, NotClear
from sayso.extras import extra
from sayso.gate.gate import Gate
from sayso_protocol.verdicts.verdict import REASONS, Reason

with extra("torch"):
    import pyarrow as pa
    import torch.utils.data as torch_data

Refused = Literal["raise", "skip"]
TORCH_BATCH_ROWS: Final = 4_096
Hash = bytes | str


class GatedDataset(torch_data.Dataset[Any]):
    """GatedDataset is a map-style dataset behind a gate.

    Args:
        dataset: An object with a length and samples by index.
        gate: The gate, which judges all samples during construction.
        keys: An Arrow table with license and item of each sample, in order.
        refused: `skip` omits samples that are not clear; `raise` raises NotClear on access.

    Raises:
        BadManifest: The numbers of keys and samples differ. See Gate.batch for other errors.
    """

    def __init__(self, dataset: Any, gate: Gate, keys: pa.Table, refused: Refused = "raise") -> None:
        if len(keys) != len(dataset):
            raise BadManifest(f"{len(keys)} keys for {len(dataset)} samples")
        self._dataset = dataset
        verdicts = gate.batch(keys)
        self._numbers = verdicts.numbers
        every = np.arange(len(verdicts))
        self._indices = every[verdicts.clear] if refused == "skip" else every

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._indices)

    def __getitem__(self, index: int) -> Any:
        """Return a clear sample; raises NotClear."""
        at = int(self._indices[index])
        _check(int(self._numbers[at]), at)
        return self._dataset[at]


class GatedStream(torch_data.IterableDataset[Any]):
    """GatedStream is an iterable dataset behind a gate, which judges samples in batches.

    Args:
        stream: The samples; it may be iterated again.
        gate: The gate, which judges samples in the worker that reads them.
        key: Returns the license and the item of a sample: 32 bytes, or 0x and 64 digits.
        refused: See GatedDataset.
    """

    def __init__(
        self,
        stream: Iterable[Any],
        gate: Gate,
        key: Callable[[Any], tuple[Hash, Hash]],
        refused: Refused = "raise",
    ) -> None:
        self._stream, self._gate, self._key, self._refused = stream, gate, key, refused

    def __iter__(self) -> Iterator[Any]:
        """Yield the clear samples; raises NotClear and the errors of Gate.batch."""
        samples, first = iter(self._stream), 0
        while batch := list(islice(samples, TORCH_BATCH_ROWS)):
            licenses, items = zip(*map(self._key, batch), strict=True)
            keys = pa.table({"sayso_license": licenses, "sayso_item": items})
            for at, number in enumerate(self._gate.batch(keys).numbers.tolist()):
                if self._refused == "raise":
                    _check(number, first + at)
                if number == Reason.GRANTED.number:
                    yield batch[at]
            first += len(batch)


def _check(number: int, at: int) -> None:
    if number != Reason.GRANTED.number:
        raise NotClear(f"sample {at} is not clear: {REASONS[number].value}")
