"""DuckDB: `clear` for a relation; `register` for `WHERE sayso_reason(license, item) = 'granted'`."""

from typing import Any, Final

from sayso.extras import extra
from sayso.gate.gate import Gate

with extra("duckdb"):
    import duckdb
    import pyarrow as pa

DUCKDB_BATCH_ROWS: Final = 1 << 18


def clear(gate: Gate, relation: Any, connection: Any) -> Any:
    """Return the clear rows as a relation of a cursor of the connection, which can be read once."""
    reader = relation.to_arrow_reader(DUCKDB_BATCH_ROWS)
    return connection.cursor().from_arrow(gate.filter(reader))


def register(gate: Gate, connection: Any, name: str = "sayso_reason") -> None:
    """Register a SQL function of license and item (BLOB) that returns the reason of a row."""

    def reason(licenses: Any, items: Any) -> Any:
        table = pa.table({"sayso_license": licenses, "sayso_item": items})
        return pa.array([one.value for one in gate.batch(table).reasons])

    blob = duckdb.sqltype("BLOB")
    connection.create_function(
        name,
        reason,
        [blob, blob],
        duckdb.sqltype("VARCHAR"),
        type="arrow",
        null_handling="special",
        side_effects=True,  # DuckDB must not cache reasons, because they change
    )
