"""polars: `clear(gate, frame)` for a DataFrame, or for a LazyFrame when it is collected."""

from typing import TypeVar

from sayso.extras import extra
from sayso.gate.gate import Gate
from sayso.gate.names import find_columns

with extra("polars"):
    import polars as pl

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def clear(gate: Gate, frame: Frame) -> Frame:
    """Return the clear rows, in order; raises the errors of Gate.batch (a LazyFrame: when collected)."""
    if isinstance(frame, pl.LazyFrame):
        # No pushdown: the gate needs the hash columns, and head(2) means two clear rows.
        return frame.map_batches(
            lambda one: _clear(gate, one),
            predicate_pushdown=False,
            projection_pushdown=False,
            slice_pushdown=False,
        )
    return _clear(gate, frame)


def _clear(gate: Gate, frame: pl.DataFrame) -> pl.DataFrame:
    names = find_columns(frame.columns, gate.columns)
    verdicts = gate.batch(frame.select(names).to_arrow())
    return frame.filter(pl.Series(verdicts.clear))
