"""Examines what a node needs, before it starts and while it runs: each line says what to do."""
