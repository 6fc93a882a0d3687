"""The revocation state: bits that only grow."""
