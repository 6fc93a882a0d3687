"""Delivery of a node's events to a program or a web server: each at least once, none lost."""
