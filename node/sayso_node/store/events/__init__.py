"""Events, and whom each concerns, so that a listener hears of its own affairs only."""
