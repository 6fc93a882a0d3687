"""Snapshots: signed files of everything revoked, which the node offers for download."""
