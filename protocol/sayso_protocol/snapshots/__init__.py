"""Snapshots: signed files of everything revoked, and verdicts from them (section 13)."""
