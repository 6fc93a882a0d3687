"""Batches of Arrow in memory, judged as the rows of a manifest are; every adapter uses this."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sayso.gate.formats.base import Columns
from sayso.gate.judges.verdicts import Verdicts
from sayso.gate.names import find_columns
from sayso_protocol.verdicts.verdict import Reason

if TYPE_CHECKING:
    import pyarrow as pa


class BatchGate:
    """BatchGate judges batches by whatever judges rows.

    Attributes:
        columns: The columns of the hashes.
    """

    columns: Columns

    def rows(self, rows: bytes) -> Verdicts:
        """Judge joined rows (license . item, 64 bytes each); returns a reason for each."""
        raise NotImplementedError

    def batch(self, batch: "pa.RecordBatch | pa.Table") -> Verdicts:
        """Judge each row of an Arrow batch; every adapter uses this function.

        A row whose license or item is null or invalid is `unknown` without a question to the judge.

        Raises:
            BadManifest: There are no columns with hashes. See the judge for other errors.
        """
        from sayso.gate.columns import join_columns  # noqa: PLC0415 - needs the data extra

        names = find_columns(batch.schema.names, self.columns)
        rows, named = join_columns(*(batch.column(name) for name in names))
        if named.all():
            return self.rows(rows.tobytes())
        numbers = np.full(len(rows), Reason.UNKNOWN.number, np.uint8)
        numbers[named] = self.rows(rows[named].tobytes()).numbers
        return Verdicts(numbers)

    def filter(self, data: Any) -> Any:
        """Return the clear rows of a RecordBatch, a Table or a RecordBatchReader, as the same type.

        The batches of a reader are judged as they are read. Raises the errors of `batch`.
        """
        import pyarrow as pa  # noqa: PLC0415 - needs the data extra

        from sayso.gate.columns import filtered  # noqa: PLC0415

        if isinstance(data, pa.RecordBatchReader):
            return pa.RecordBatchReader.from_batches(data.schema, map(self.filter, data))
        return filtered(data, self.batch(data).clear)
