"""Statements: sublicenses and who may pass on, what waits for a consent, disputes, and look-ups."""
