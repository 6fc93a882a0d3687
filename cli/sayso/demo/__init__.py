"""`sayso demo`: the whole mission on real files, three node processes and a chain, step by step."""
