"""Judges of rows: nodes, signed local files, the chain."""
