"""Verdicts computed from the store, and the node's signatures on them."""
