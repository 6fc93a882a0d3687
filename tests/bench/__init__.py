"""Figures: ours beside a peer's, in one run. `make bench` writes bench.json, JSON Lines."""
