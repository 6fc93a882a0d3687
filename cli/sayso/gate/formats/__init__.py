"""Formats of manifests: readers of rows, and writers of the clear rows in the same format and order."""
