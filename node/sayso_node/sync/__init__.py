"""Sync, the truth: what gossip lost is fetched from peers, on connect and on a timer."""
