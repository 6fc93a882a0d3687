"""Snapshots of all that a node knows to be revoked, as files that it gives away."""
