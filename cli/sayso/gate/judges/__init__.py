"""Who judges rows: nodes, signed files at hand, the chain."""
