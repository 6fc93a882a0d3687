"""Adapters for data engines: thin modules over Gate.batch, each behind its own extra.

Each module has `clear(gate, data)`, which returns data of the same type with the clear rows only. Rows
name license and item in columns, as for `sayso check`; a row without them is never clear.
"""
