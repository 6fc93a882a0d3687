"""`sayso demo`: the whole system on real files, with three node processes and a chain."""
