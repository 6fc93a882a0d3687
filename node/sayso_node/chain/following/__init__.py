"""Follows the registry: events as their blocks come, late and left-out ones, and when it was."""
