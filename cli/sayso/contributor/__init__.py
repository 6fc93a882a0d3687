"""Functions for contributors: keys, consents, revocations."""
