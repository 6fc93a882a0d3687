"""Signed statements of nodes: receipts, acknowledgements, status answers; proofs of misconduct."""
