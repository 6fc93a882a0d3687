"""Sync: compares messages with peers, on connect and on a timer, and fetches what gossip lost."""
