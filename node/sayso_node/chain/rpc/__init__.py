"""Asks endpoints: connections, pace, which endpoint is used, and what block hashes prove of answers."""
