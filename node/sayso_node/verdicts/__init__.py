"""Verdicts from the store, and what the node signs of them."""
