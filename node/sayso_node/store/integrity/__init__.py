"""Checksums by which each read notices damage, the recomputation of everything, and repair."""
