"""Whom an event concerns, so that a listener hears of its own affairs only."""
