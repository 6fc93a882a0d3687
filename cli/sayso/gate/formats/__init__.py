"""Formats of manifests: rows out of them, and the clear ones back in the same form and order."""
