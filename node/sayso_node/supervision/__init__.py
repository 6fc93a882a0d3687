"""Keeps the parts of a node running, and tells the operator how they are."""
