"""The gate inside engines for data: thin, each behind an extra of its own, all over Gate.batch.

Each module has `clear(gate, data)`: the same kind of thing with the clear rows only. Rows name license
and item in columns, as for `sayso check`; a row that names none is never clear.
"""
