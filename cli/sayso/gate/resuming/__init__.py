"""A check that goes on where it was killed."""
