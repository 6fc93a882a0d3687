"""Hugging Face datasets on disk, written by `save_to_disk`: a dataset or a dictionary of splits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from sayso.errors import BadManifest
from sayso.extras import extra
from sayso.gate.columns import join_columns
from sayso.gate.formats.base import Batch, Columns, Stamp, refuse_row
from sayso.gate.formats.lines import named
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import find_columns
from sayso.outputs import Outputs, output_errors
from sayso_protocol.encoding.row_tree import ROW_BYTES

with extra("datasets"):
    import datasets
    import pyarrow as pa

HUGGING_FACE_BATCH_ROWS: Final = 8_192  # a row may hold a whole recording


class HuggingFace:
    """HuggingFace is a dataset in a folder; its splits are judged one after the other."""

    name = "hugging face dataset"
    line_name = "row"

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self._columns = columns
        self._stamps = [Stamp.of(one) for one in sorted(path.rglob("*")) if one.is_file()]
        with _errors(path):
            found = datasets.load_from_disk(str(path))
        self._is_dict = isinstance(found, datasets.DatasetDict)
        self._splits: dict[str, Any] = dict(found) if self._is_dict else {"": found}
        self.size = (sum(len(one) for one in self._splits.values()), "rows")

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows, split by split; raises BadManifest."""
        number = 1
        for part, split in enumerate(self._splits.values()):
            names = find_columns(split.column_names, self._columns.license, self._columns.item)
            hashes = split.select_columns(list(names)).with_format("arrow")
            with _errors(self.path):
                for table in hashes.iter(min(most, HUGGING_FACE_BATCH_ROWS)):
                    rows, well_named = join_columns(*(table.column(name) for name in names))
                    if not well_named.all():
                        at = number + int((~well_named).argmax())
                        raise refuse_row(self.path, at, f"its {' or '.join(names)} is not a hash")
                    number += len(rows)
                    yield Batch(rows.tobytes(), None, part)

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if a file has changed."""
        for stamp in self._stamps:
            stamp.check()

    def progress(self, batch: Batch) -> int:
        """Return the number of rows."""
        return len(batch)

    def places(self, batch: Batch, first: int) -> range:
        """Return the numbers of the rows, from 1."""
        return range(first + 1, first + len(batch) + 1)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the hashes and the number of the row over all splits."""
        return {**named(batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]), "row": number}

    def writer(self, outputs: Outputs, path: Path) -> "HuggingFaceWriter":
        """Open a dataset of the same splits and features."""
        return HuggingFaceWriter(outputs.folder(path).part, self._splits, is_dict=self._is_dict)


class HuggingFaceWriter:
    """HuggingFaceWriter collects the clear rows, and saves them at the end."""

    def __init__(self, part: Path, splits: dict[str, Any], *, is_dict: bool) -> None:
        self._part, self._splits, self._is_dict = part, splits, is_dict
        self._clear: list[list[Flags]] = [[] for _ in splits]

    def write(self, batch: Batch, clear: Flags) -> None:
        """Collect the clear rows of a batch."""
        self._clear[batch.part].append(clear)

    def close(self) -> None:
        """Save the dataset; raises OutputFailed."""
        kept = {
            name: split.select(np.flatnonzero(np.concatenate([np.zeros(0, bool), *flags])))
            for (name, split), flags in zip(self._splits.items(), self._clear, strict=True)
        }
        result = datasets.DatasetDict(kept) if self._is_dict else kept[""]
        with output_errors(self._part), _silently():
            result.save_to_disk(str(self._part))


@contextmanager
def _silently() -> Iterator[None]:
    """Disable the progress bars of the datasets library."""
    shown = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not shown:
            datasets.enable_progress_bars()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        why = " ".join(str(error).split())[:200]
        raise BadManifest(f"{str(path)!r} cannot be read as a Hugging Face dataset: {why}") from error
