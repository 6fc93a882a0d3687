"""Intake: the only entry for messages into a node."""
